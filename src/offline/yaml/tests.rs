use rstest::rstest;
use serde_json::json;

use super::*;

fn one(text: &str) -> Document {
    let mut all = documents(text);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0).unwrap()
}

#[rstest]
#[case("yes", json!(true))]
#[case("off", json!(false))]
#[case("\"yes\"", json!("yes"))]
#[case("!!str yes", json!("yes"))]
#[case("", json!(null))]
#[case("017", json!(15))]
#[case("0x1f", json!(31))]
#[case("1_000", json!(1000))]
#[case("-4", json!(-4))]
#[case("1e3", json!(1000.0))]
#[case("1.5Gi", json!("1.5Gi"))]
#[case("08", json!(8.0))]
#[case("2026-01-01", json!("2026-01-01"))]
#[case("|\n  a\n  b\n", json!("a\nb\n"))]
fn scalars_mean_what_they_mean_to_kubectl(#[case] text: &str, #[case] expected: Value) {
    assert_eq!(one(&format!("a: {text}")).value, json!({"a": expected}));
}

#[test]
fn every_field_has_its_line() {
    let document = one(
        "# first\n\nspec:\n  workers:\n  - name: a\n    replicas: 1\n  - {name: b}\n  sparkConf:\n    spark.a.b: x\n",
    );
    for (field, line) in [
        ("spec", 3),
        ("spec.workers[0].replicas", 6),
        ("spec.workers[1]", 7),
        ("spec.workers[1].volumes[3].size", 7),
        ("spec.sparkConf.spark.a.b", 9),
        ("spec.sparkConf[spark.a.b]", 9),
        ("status.x", 3),
    ] {
        assert_eq!(document.lines.of(field), line, "{field}");
    }
}

#[test]
fn a_broken_document_leaves_its_neighbours_alone() {
    let found = documents("a: 1\n---\nb: [1\nc: }\n--- # comment\nd: 2\n---\n# nothing\n");
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(found[0].as_ref().unwrap().value, json!({"a": 1}));
    assert!((3..=4).contains(&found[1].as_ref().unwrap_err().line), "{found:?}");
    let last = found[2].as_ref().unwrap();
    assert_eq!((&last.value, last.lines.of("d")), (&json!({"d": 2}), 6));
}

#[test]
fn aliases_merges_and_repeated_keys() {
    let document = one("a: &x {b: 1, c: 2}\nd: *x\ne:\n  <<: *x\n  c: 3\ne: 4\n");
    assert_eq!(document.value, json!({"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 2}, "e": 4}));
    assert_eq!(document.repeated, [("e".to_owned(), 6)]);
    let merged = one("a: &x {b: 1, c: 2}\ne:\n  <<: *x\n  c: 3\n");
    assert_eq!(merged.value["e"], json!({"b": 1, "c": 3}));
}

#[test]
fn what_would_fill_the_memory_is_refused() {
    let level =
        |i: usize| format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(", "));
    let levels: String = (1..12).map(level).collect();
    let bomb = format!("a0: &a0 [x, x, x, x, x, x, x, x, x]\n{levels}");
    let error = documents(&bomb).remove(0).unwrap_err();
    assert!(error.message.contains("too many"), "{error:?}");
    let deep = format!("a: {}{}", "[".repeat(5000), "]".repeat(5000));
    assert!(documents(&deep).remove(0).is_err());
}

#[test]
fn json_is_yaml() {
    assert_eq!(
        one("{\"a\": [1, \"yes\", true],\n \"b\": {}}").value,
        json!({"a": [1, "yes", true], "b": {}})
    );
}

proptest::proptest! {
    #[test]
    fn nothing_panics(text in "[ \\-\\[\\]{}:&*!|>a-c<\n\"'#0-9x.]{0,60}") {
        let _ = documents(&text);
    }
}
