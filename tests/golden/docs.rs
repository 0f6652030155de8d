//! The documentation: links lead somewhere, every page is in the book, and what readers would copy
//! is right.

use std::{
    fs,
    path::{Path, PathBuf},
};

use polder::{
    offline::{lint::Set, manifest},
    operator::Installation,
};

use crate::guide::tutorial::fences;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Markdown files below a folder.
fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages(&path, found);
        } else if path.extension().is_some_and(|it| it == "md") {
            found.push(path);
        }
    }
}

fn all() -> Vec<(PathBuf, String)> {
    let mut found = vec![root().join("README.md"), root().join("dev/README.md")];
    pages(&root().join("docs"), &mut found);
    found.sort();
    assert!(found.len() > 15, "{found:?}");
    found.into_iter().map(|path| (path.clone(), fs::read_to_string(&path).unwrap())).collect()
}

/// The text without what stands in code.
fn prose(text: &str) -> String {
    let outside = text.split("\n```").step_by(2);
    outside.flat_map(|part| part.split('`').step_by(2)).collect()
}

/// Targets of links.
fn links(text: &str) -> Vec<String> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target.to_owned()).collect()
}

/// What a heading is called in links, as GitHub and mdBook do it.
fn anchors(text: &str) -> Vec<String> {
    let outside = text.split("\n```").step_by(2);
    let lines = outside.flat_map(str::lines).filter(|line| line.starts_with('#'));
    let name = |line: &str| -> String {
        let kept = line.trim_start_matches('#').trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    lines.map(name).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    for (page, text) in all() {
        for link in links(&prose(&text)) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target =
                if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let is_there = target.exists()
                && (anchor.is_empty()
                    || anchors(&fs::read_to_string(&target).unwrap_or_default())
                        .iter()
                        .any(|it| it == anchor));
            if !is_there {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_page_is_in_the_book() {
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let listed = links(&summary);
    let docs = root().join("docs");
    for (page, _) in all() {
        let Ok(page) = page.strip_prefix(&docs) else { continue };
        let page = page.to_str().unwrap();
        assert!(
            page == "SUMMARY.md" || listed.iter().any(|it| it == page),
            "docs/SUMMARY.md lacks {page}"
        );
    }
}

/// Blocks of YAML, each with the line it begins at.
fn yaml(text: &str) -> impl Iterator<Item = (usize, String)> {
    let is_yaml = |(line, language, block)| (language == "yaml").then_some((line, block));
    fences(text).into_iter().filter_map(is_yaml)
}

#[test]
fn every_object_in_the_docs_is_right() {
    let mut wrong = Vec::new();
    let mut objects = 0;
    for (page, text) in all() {
        for (line, block) in yaml(&text) {
            let place = format!("{}:{line}", page.strip_prefix(root()).unwrap().display());
            let input = manifest::of_text(&place, &block);
            objects += input.manifests.len();
            let outcome = Set::new(input, None, Installation::default()).unwrap().lint();
            wrong.extend(
                outcome
                    .findings
                    .iter()
                    .map(|it| format!("{place}+{}: {}", it.place.line, it.text())),
            );
        }
    }
    assert!(wrong.is_empty() && objects > 0, "{objects} objects; {wrong:#?}");
}
