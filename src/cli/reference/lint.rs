//! The page of the rules of `polder lint`.

use std::fmt::Write;

use super::markdown::MARK;
use crate::{
    offline::rules::{self, JUDGED, WRITTEN},
    reasons::Reason,
};

const HEAD: &str = "\
# Rules of lint

What `polder lint`, `plan` and `diff` find in manifests has the name of a rule, in brackets at the end of
the line, in `rule` of JSON and in `ruleId` of SARIF. Names stay as they are from release to release. How to
run them: [check manifests before they are merged](../how-to/check-before-merge.md).

## What is written

Each manifest for itself, as the API server would judge it.
";

const JUDGED_HEAD: &str = "
## What the operator would say

Given the other manifests that are checked with it. The same words stand as reason in the
[conditions](conditions.md) of an object in a cluster.
";

/// `lint.md`.
pub(super) fn page() -> String {
    let mut page = format!("{MARK}{HEAD}");
    for rule in WRITTEN {
        write(&mut page, rule);
    }
    page.push_str(JUDGED_HEAD);
    for rule in JUDGED.iter().filter_map(|name| rules::find(name)) {
        write(&mut page, rule);
    }
    page
}

fn write(page: &mut String, rule: &Reason) {
    let Reason { name, meaning, remedy, .. } = rule;
    let _ = write!(page, "\n### {name}\n\n{}.\n\n*What to do:* {remedy}.\n", sentence(meaning));
}

/// With a capital.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
