//! `make demo` on a cluster of the user's own: what is missing is told before anything is done.

use std::{fs, process::Command};

use rstest::rstest;

use crate::install::{installation, run};

const VALUES: &str = "dev/quickstart/values.yaml";

#[rstest]
#[case::no_file(Some("/nowhere"), VALUES, "KUBECONFIG=/nowhere: there is no such file")]
#[case::dead(None, VALUES, "the API server does not answer: ")]
#[case::no_values(Some(""), "", "give a values file for the chart")]
#[case::no_values_file(Some(""), "/nowhere.yaml", "VALUES=/nowhere.yaml: there is no such file")]
#[tokio::test]
async fn the_demo_says_what_it_lacks_of_your_own_cluster(
    #[case] kubeconfig: Option<&str>,
    #[case] values: &str,
    #[case] says: &str,
) {
    let own = std::env::var("KUBECONFIG").unwrap();
    let kubeconfig = match kubeconfig {
        Some("") => own,
        Some(path) => path.to_owned(),
        None => {
            let config = run("kubectl", &["config", "view", "--minify", "--raw"], "");
            let dead = config.lines().map(|line| match line.split_once("server: ") {
                Some((indent, _)) => format!("{indent}server: https://127.0.0.1:1\n"),
                None => format!("{line}\n"),
            });
            let path = installation().await.folder.join("kubeconfig-of-nobody");
            fs::write(&path, dead.collect::<String>()).unwrap();
            path.display().to_string()
        }
    };
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/dev/demo"));
    command.args(["up", "--kubeconfig", &kubeconfig]).env_remove("VALUES");
    if !values.is_empty() {
        command.env("VALUES", values);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.trim().lines().count() == 1 && said.contains(says), "{said}");
}
