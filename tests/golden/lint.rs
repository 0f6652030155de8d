//! `polder lint` as people and CI run it.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use rstest::rstest;
use serde_json::Value;

/// What a command printed, and its exit code.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs `polder`, with this on standard input.
pub fn polder(arguments: &[&str], input: &str) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_polder"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that fails at once reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A folder of its own for a test.
pub fn folder(name: &str) -> std::path::PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("deep")).unwrap();
    folder
}

const WRONG: &str = "\
apiVersion: polder.dev/v1alpha1
kind: Domain
metadata: {name: sales}
spec:
  frosen: true
  compute: {maxExecutors: \"100%\"}
";

const WRONG_TEXT: &str = r#"-:5: Domain sales: spec.frosen: unknown field "spec.frosen"; did you mean "frozen"? [UnknownField]
-:6: Domain sales: spec.compute.maxExecutors: must be of type integer, and is the text "100%" [WrongType]
"#;

#[test]
fn findings_are_told_to_people() {
    let ran = polder(&["lint", "-f", "-"], WRONG);
    assert_eq!((ran.code, ran.out.as_str()), (1, WRONG_TEXT), "{}", ran.err);
    let ran = polder(&["lint", "-f", "examples/quickstart"], "");
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert!(ran.err.contains("6 objects: nothing wrong; 6 other documents"), "{}", ran.err);
}

#[test]
fn findings_are_told_to_programs() {
    let ran = polder(&["lint", "-f", "-", "-o", "json"], WRONG);
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    let found = &json["findings"][0];
    assert_eq!((ran.code, &found["line"], &found["rule"]), (1, &5.into(), &"UnknownField".into()));
    assert_eq!(found["object"]["name"], "sales");
    assert_eq!(json["summary"]["objects"], 1);

    let ran = polder(&["lint", "-f", "-", "-o", "sarif"], WRONG);
    let sarif: Value = serde_json::from_str(&ran.out).unwrap();
    let run = &sarif["runs"][0];
    let result = &run["results"][1];
    assert_eq!(
        (ran.code, &sarif["version"], &result["ruleId"]),
        (1, &"2.1.0".into(), &"WrongType".into())
    );
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 6);
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 2);
    let help = rules[1]["helpUri"].as_str().unwrap();
    assert!(help.ends_with("/docs/reference/lint.md#wrongtype"), "{help}");
    assert!(rules[1]["help"]["text"].as_str().unwrap().contains("quotes"), "{rules:?}");

    let ran = polder(&["lint", "-f", "-", "-o", "github"], WRONG);
    assert!(
        ran.out.contains("::error file=-,line=6,title=WrongType::Domain sales: spec.compute"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("the text \"100%25\""), "{}", ran.out);
    assert_eq!(ran.code, 1);
}

#[test]
fn a_broken_file_in_the_middle_is_one_finding() {
    let folder = folder("broken");
    for (file, text) in
        [("a.yaml", WRONG), ("deep/b.yml", "a: [\n"), ("deep/c.json", "{\"kind\": \"x\"}")]
    {
        fs::write(folder.join(file), text).unwrap();
    }
    fs::write(folder.join("deep/d.yaml"), b"a: \xff\n").unwrap();
    fs::write(folder.join("notes.txt"), "{{").unwrap();
    let ran = polder(&["lint", "-f", folder.to_str().unwrap()], "");
    assert_eq!((ran.code, ran.out.lines().count()), (1, 4), "{}", ran.out);
    assert!(ran.out.contains("deep/b.yml:2: cannot be read as YAML"), "{}", ran.out);
    assert!(ran.out.contains("deep/d.yaml:1: is not UTF-8"), "{}", ran.out);
    assert!(ran.err.contains("1 other document in 4 files passed over"), "{}", ran.err);
}

#[rstest]
#[case::nothing_there(&["lint", "-f", "/nowhere.yaml"], "cannot read /nowhere.yaml: No such file")]
#[case::no_manifests(&["lint", "-f", "src"], "there are no files *.yaml")]
#[case::no_files_named(&["lint"], "--filename <PATH>")]
#[case::no_flag(&["lint", "manifests/"], "files and folders are given with -f: -f manifests/")]
#[case::no_such_output(&["lint", "-f", "-", "-o", "xml"], "possible values: text, json, sarif, github")]
#[case::no_image(&["lint", "-f", "-", "--spark-image", "4.1.4"], "must be VERSION=IMAGE")]
fn what_cannot_be_done_is_said_with_code_2(#[case] arguments: &[&str], #[case] expected: &str) {
    let ran = polder(arguments, "");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains(expected), "{}", ran.err);
}
