//! The tutorial as a script: its blocks of shell, in order, each with what it is said to print.
//!
//! - A block that begins with the comment `# On your machine` is for the reader alone.
//! - A block of text after one of shell is what that prints, errors included: line by line, however
//!   wide the gaps; `...` stands for anything within a line, and on a line of its own for any lines.
//!   Such a block may fail, as what it prints says so.
//! - Every other block has to succeed, each line of it.

/// What begins a block that no test runs.
const BY_HAND: &str = "# On your machine";
/// Stands for anything.
const ANYTHING: &str = "...";
/// What the script prints between blocks.
const MARK: char = '\x1f';

/// A block of shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Where it begins in the page, from 1.
    pub line: usize,
    pub commands: String,
    pub prints: Option<String>,
    pub is_run: bool,
}

/// What stands between fences in a page: where it begins, from 1, its language, and its lines.
pub fn fences(page: &str) -> Vec<(usize, &str, String)> {
    let mut found = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(language) = line.trim().strip_prefix("```") else { continue };
        let inside = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != "```");
        found.push((index + 1, language, inside.collect::<Vec<_>>().join("\n")));
    }
    found
}

/// The blocks of a page.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for (line, language, text) in fences(page) {
        match (language, blocks.last_mut()) {
            ("sh", _) => blocks.push(Block {
                line,
                is_run: !text.starts_with(BY_HAND),
                commands: text,
                prints: None,
            }),
            ("text", Some(last)) if last.prints.is_none() => last.prints = Some(text),
            (other, _) => panic!("line {line}: a block of {other:?} belongs to no commands"),
        }
    }
    blocks
}

/// One script of the blocks that are run.
pub fn script(blocks: &[Block]) -> String {
    let run = blocks.iter().filter(|block| block.is_run).map(|block| {
        let may_fail = if block.prints.is_some() { "+e" } else { "-e" };
        format!("printf '\\x1f%s\\n' {}\nset {may_fail}\n{}\n", block.line, block.commands)
    });
    let run: Vec<String> = run.collect();
    format!("exec 2>&1 </dev/null; set -uo pipefail\n{}printf '\\x1fend\\n'\n", run.concat())
}

/// What is wrong with what the script printed; `None` if it is as the page says.
pub fn judge(blocks: &[Block], printed: &str) -> Option<String> {
    let parts: Vec<(&str, &str)> =
        printed.split(MARK).skip(1).filter_map(|part| part.split_once('\n')).collect();
    let is_over = parts.last().is_some_and(|(name, _)| *name == "end");
    let mut wrong = Vec::new();
    for (index, block) in blocks.iter().filter(|block| block.is_run).enumerate() {
        let Some((_, said)) = parts.get(index) else { break };
        let is_last = index + 1 == parts.len();
        let problem = match &block.prints {
            Some(prints) if !is_like(prints, said) => format!("should print\n{prints}\n"),
            None if is_last && !is_over => "should succeed".to_owned(),
            _ => continue,
        };
        let (line, commands) = (block.line, &block.commands);
        wrong.push(format!("line {line}:\n{commands}\n--- {problem}\n--- and prints\n{said}"));
    }
    if wrong.is_empty() && !is_over {
        wrong.push(format!("it ended before its end:\n{printed}"));
    }
    (!wrong.is_empty()).then(|| wrong.join("\n\n"))
}

/// Whether something was printed as the page shows it.
fn is_like(shown: &str, printed: &str) -> bool {
    let tidy = |text: &str| -> Vec<String> {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        text.lines().map(words).filter(|line| !line.is_empty()).collect()
    };
    are_like(&tidy(shown), &tidy(printed))
}

fn are_like(shown: &[String], printed: &[String]) -> bool {
    match (shown, printed) {
        ([], rest) => rest.is_empty(),
        ([first, others @ ..], _) if first == ANYTHING => {
            (0..=printed.len()).any(|skipped| are_like(others, &printed[skipped..]))
        }
        ([first, others @ ..], [line, rest @ ..]) => fits(first, line) && are_like(others, rest),
        (_, []) => false,
    }
}

fn fits(shown: &str, line: &str) -> bool {
    let Some((before, after)) = shown.split_once(ANYTHING) else { return shown == line };
    let Some(rest) = line.strip_prefix(before.trim_end()) else { return false };
    let after = after.trim_start();
    rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| fits(after, &rest[at..]))
}
