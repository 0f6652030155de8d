//! The CI examples of the docs: their shell steps run, with the real program in the place of its image.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, process::Command};

use rstest::rstest;
use serde_json::Value;

use crate::lint::{Ran, folder};

const GITHUB: &str = include_str!("../../docs/examples/github-actions.yaml");
const GITLAB: &str = include_str!("../../docs/examples/gitlab-ci.yaml");
const RIGHT: &str =
    "{apiVersion: polder.dev/v1alpha1, kind: Domain, metadata: {name: sales}, spec: {}}\n";
const WRONG: &str = "apiVersion: polder.dev/v1alpha1\nkind: Domain\nmetadata: {name: sales}\nspec:\n  frosen: true\n";

/// Runs the program on the folder that the container would see, and knows no other way to be called.
const DOCKER: &str = r#"#!/bin/sh
source=${4%:/src:ro}
[ "$1 $2 $3 $4 $5 $6" = "run --rm -v $source:/src:ro -w /src" ] || { echo "docker $*: ?" >&2; exit 99; }
[ "$7" = registry.example.com/polder:0.1.0 ] || { echo "image $7?" >&2; exit 99; }
shift 7
cd "$source" && exec "$POLDER" "$@"
"#;

/// A checkout with these manifests, or none.
struct Checkout(PathBuf);

impl Checkout {
    fn new(name: &str, manifest: Option<&str>) -> Self {
        let folder = folder(name);
        let docker = folder.join("bin/docker");
        fs::create_dir_all(folder.join("bin")).unwrap();
        fs::write(&docker, DOCKER).unwrap();
        fs::set_permissions(&docker, fs::Permissions::from_mode(0o755)).unwrap();
        if let Some(manifest) = manifest {
            fs::create_dir_all(folder.join("manifests")).unwrap();
            fs::write(folder.join("manifests/domain.yaml"), manifest).unwrap();
        }
        Self(folder)
    }

    /// Runs a script as CI does: a shell that ends at the first failure.
    fn run(&self, shell: &str, script: &str, image: &Value) -> Ran {
        let path = format!("{}:{}", self.0.join("bin").display(), std::env::var("PATH").unwrap());
        let output = Command::new(shell)
            .args(["-e", "-c", script])
            .current_dir(&self.0)
            .env("PATH", path)
            .env("POLDER", env!("CARGO_BIN_EXE_polder"))
            .env("IMAGE", image.as_str().unwrap())
            .env("CI_PROJECT_DIR", &self.0)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let (out, err) = (text(output.stdout), text(output.stderr));
        Ran { code: output.status.code().unwrap(), out, err }
    }

    fn report(&self, file: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.0.join(file)).unwrap()).unwrap()
    }
}

#[rstest]
#[case::right("ci-github-right", Some(RIGHT), [0, 0], Some(0))]
#[case::wrong("ci-github-wrong", Some(WRONG), [1, 0], Some(1))]
// What could not be checked is not taken for right.
#[case::nothing("ci-github-nothing", None, [2, 1], None)]
fn steps_of_github_actions_fail_when_they_should(
    #[case] name: &str,
    #[case] manifest: Option<&str>,
    #[case] codes: [i32; 2],
    #[case] findings: Option<usize>,
) {
    let workflow: Value = serde_yaml::from_str(GITHUB).unwrap();
    let steps = workflow["jobs"]["lint"]["steps"].as_array().unwrap();
    let scripts: Vec<&str> = steps.iter().filter_map(|step| step["run"].as_str()).collect();
    let checkout = Checkout::new(name, manifest);
    let ran: Vec<Ran> = scripts
        .iter()
        .map(|script| checkout.run("bash", script, &workflow["env"]["IMAGE"]))
        .collect();
    let [annotations, scanning] = ran.as_slice() else { panic!("{scripts:?}") };
    let said = format!("{}{}{}", annotations.out, annotations.err, scanning.err);
    assert_eq!([annotations.code, scanning.code], codes, "{said}");
    if let Some(count) = findings {
        let report = checkout.report("polder.sarif");
        assert_eq!(report["runs"][0]["results"].as_array().unwrap().len(), count, "{report:#}");
        assert_eq!(
            annotations.out.matches("::error file=manifests/domain.yaml,line=5").count(),
            count
        );
    }
}

#[rstest]
#[case::right("ci-gitlab-right", Some(RIGHT), 0)]
#[case::wrong("ci-gitlab-wrong", Some(WRONG), 1)]
#[case::nothing("ci-gitlab-nothing", None, 2)]
fn the_script_of_gitlab_fails_when_it_should(
    #[case] name: &str,
    #[case] manifest: Option<&str>,
    #[case] code: i32,
) {
    let pipeline: Value = serde_yaml::from_str(GITLAB).unwrap();
    let job = &pipeline["polder-lint"];
    let lines: Vec<&str> =
        job["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let checkout = Checkout::new(name, manifest);
    let ran = checkout.run("sh", &lines.join("\n"), &job["variables"]["IMAGE"]);
    assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
    if code < 2 {
        let report = checkout.report("polder-lint.json");
        let findings = report["findings"].as_array().unwrap().len();
        assert_eq!(findings, usize::try_from(code).unwrap(), "{report:#}");
        assert!(ran.out.contains("\"findings\""), "the log shows it: {}", ran.out);
    }
}
