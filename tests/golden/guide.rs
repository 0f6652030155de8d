//! The tutorial can be run, block by block; `tests/e2e/guide.rs` does.

#[path = "../common/tutorial.rs"]
pub mod tutorial;

use std::{fs, process::Command};

use tutorial::{blocks, judge, script};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/tutorial/quickstart.md");

/// What is wrong with a page when its blocks are run.
fn run(page: &str) -> Option<String> {
    let blocks = blocks(page);
    let output = Command::new("bash").args(["-c", &script(&blocks)]).output().unwrap();
    judge(&blocks, &String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_tutorial_is_run_but_for_what_is_marked() {
    let blocks = blocks(&fs::read_to_string(PAGE).unwrap());
    let by_hand: Vec<_> = blocks.iter().filter(|block| !block.is_run).collect();
    assert!(blocks.len() - by_hand.len() >= 8, "{blocks:#?}");
    assert!(by_hand.iter().all(|block| block.commands.contains("make demo")), "{by_hand:#?}");
    assert!(blocks.iter().any(|block| block.prints.is_some()));
    let syntax = Command::new("bash").args(["-n", "-c", &script(&blocks)]).status().unwrap();
    assert!(syntax.success());
}

#[test]
fn what_is_shown_is_compared() {
    let page = "```sh\nA=1\n```\n\n```sh\n# On your machine\nexit 9\n```\n\n\
        ```sh\necho \"a   $A is  here\"; echo; echo two; echo three; echo end\n```\n\n\
        ```text\na 1 ... here\n...\nend\n```\n";
    assert_eq!(run(page), None);
    let other = page.replace("a 1 ... here", "a 2 ... here");
    assert!(run(&other).unwrap().contains("line 10:\n"), "{:?}", run(&other));
    let more = page.replace("...\nend\n", "two\nend\n");
    assert!(run(&more).is_some());
}

#[test]
fn a_block_that_shows_nothing_has_to_succeed() {
    assert!(run("```sh\nfalse\ntrue\n```\n").unwrap().contains("should succeed"));
    assert_eq!(run("```sh\necho no; false\n```\n```text\nno\n```\n"), None);
    assert!(
        run("```sh\necho no; exit 3\n```\n```text\nno\n```\n").unwrap().contains("before its end")
    );
}
