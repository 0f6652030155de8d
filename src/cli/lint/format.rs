//! Findings for people and for programs.

use std::{collections::BTreeSet, fmt::Write};

use serde_json::{Value, json};

use crate::offline::{finding::Finding, lint::Outcome, rules};

/// A line for each finding.
pub(in crate::cli) fn told(findings: &[Finding]) -> String {
    findings.iter().fold(String::new(), |mut text, finding| {
        let place = &finding.place;
        // Writing to a String does not fail.
        let _ =
            writeln!(text, "{}:{}: {} [{}]", place.file, place.line, finding.text(), finding.rule);
        text
    })
}

/// What was looked at, in a line or two.
pub(super) fn summary(outcome: &Outcome) -> String {
    let summary = &outcome.summary;
    let mut text = match outcome.findings.len() {
        0 => format!("{}: nothing wrong", count(summary.objects, "object")),
        found => format!("{}: {}", count(summary.objects, "object"), count(found, "finding")),
    };
    let _ = write!(
        text,
        "; {} in {} passed over",
        count(summary.passed_over, "other document"),
        count(summary.files, "file")
    );
    if summary.without_domain > 0 {
        let _ = write!(
            text,
            "\n{} checked without the policy of a Domain: name the files of the Domain too",
            count(summary.without_domain, "workload")
        );
    }
    text
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// One document.
pub(super) fn json(outcome: &Outcome) -> String {
    pretty(&json!(outcome))
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// Source: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>
pub(super) fn sarif(outcome: &Outcome) -> String {
    let rules: BTreeSet<&str> = outcome.findings.iter().map(|finding| finding.rule).collect();
    let rules: Vec<Value> = rules.into_iter().map(rule).collect();
    let results: Vec<Value> = outcome.findings.iter().map(result).collect();
    pretty(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "polder",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    }))
}

fn rule(id: &str) -> Value {
    let mut rule = json!({"id": id, "helpUri": rules::page(id)});
    if let (Some(known), Value::Object(rule)) = (rules::find(id), &mut rule) {
        rule.insert("shortDescription".to_owned(), json!({"text": known.meaning}));
        rule.insert("help".to_owned(), json!({"text": known.remedy}));
    }
    rule
}

fn result(finding: &Finding) -> Value {
    let place = &finding.place;
    json!({
        "ruleId": finding.rule,
        "level": "error",
        "message": {"text": finding.text()},
        "locations": [{
            "physicalLocation": {
                "artifactLocation": {"uri": uri(&place.file)},
                "region": {"startLine": place.line},
            },
            "logicalLocations": [{"fullyQualifiedName": finding.field}],
        }],
    })
}

/// A path as a relative reference: with slashes, and nothing that means something in a URI.
fn uri(path: &str) -> String {
    path.trim_start_matches("./").bytes().fold(String::new(), |mut uri, byte| {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
        uri
    })
}

/// Source: <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>
pub(super) fn github(outcome: &Outcome) -> String {
    let value = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| value(text).replace(':', "%3A").replace(',', "%2C");
    outcome.findings.iter().fold(String::new(), |mut text, finding| {
        let place = &finding.place;
        let _ = writeln!(
            text,
            "::error file={},line={},title={}::{}",
            property(&place.file),
            place.line,
            property(finding.rule),
            value(&finding.text())
        );
        text
    })
}
