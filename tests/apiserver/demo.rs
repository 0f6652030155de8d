//! `make demo` on a cluster of the user's own: what is missing is told before anything is done.

use std::{path::Path, process::Command};

use rstest::rstest;

use crate::{
    install::{installation, run},
    process::{kubeconfig_of, write_secret},
};

/// Whose kubeconfig is given.
enum Given {
    Own,
    Nowhere,
    Dead,
    Tenants,
}

const VALUES: (&str, &str) = ("VALUES", "dev/quickstart/values.yaml");
const IMAGE: (&str, &str) = ("POSTGRES_IMAGE", "registry.example.com/postgres:15");
/// The simulated nodes are many.
const SHARED: (&str, &str) = ("SHARED_STORAGE_CLASS", "fast");

#[rstest]
#[case::no_file(Given::Nowhere, &[], &["KUBECONFIG=/nowhere: there is no such file"])]
#[case::dead(Given::Dead, &[], &["the API server does not answer: "])]
#[case::no_rights(Given::Tenants, &[], &["installing takes an administrator"])]
#[case::nothing(Given::Own, &[], &[
    "nothing was made",
    "\n- VALUES=FILE: values for the chart",
    "\n- POSTGRES_IMAGE=IMAGE: ",
    "\n- SHARED_STORAGE_CLASS=NAME: one that serves ReadWriteMany, as pods on ",
])]
#[case::wrong(Given::Own, &[("VALUES", "/x.yaml"), IMAGE, ("STORAGE_CLASS", "slow"), SHARED], &[
    "\n- VALUES=/x.yaml: there is no such file",
    "\n- STORAGE_CLASS=slow: there is no such storage class; there is fast, standard",
])]
// The chart has the last word.
#[case::taken(Given::Own, &[VALUES, IMAGE, SHARED], &["Polder is in this cluster already"])]
#[tokio::test]
async fn the_demo_says_what_it_lacks_of_your_own_cluster(
    #[case] given: Given,
    #[case] variables: &[(&str, &str)],
    #[case] says: &[&str],
) {
    let folder = &installation().await.folder;
    let kubeconfig = match given {
        Given::Own => std::env::var("KUBECONFIG").unwrap(),
        Given::Nowhere => "/nowhere".to_owned(),
        Given::Dead => {
            let mut config = kubeconfig_of("default", "default");
            config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1".into();
            written(folder, "nobody", &config)
        }
        Given::Tenants => written(folder, "tenant", &kubeconfig_of("default", "default")),
    };
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/dev/demo"));
    for variable in ["VALUES", "POSTGRES_IMAGE", "STORAGE_CLASS", "SHARED_STORAGE_CLASS"] {
        command.env_remove(variable);
    }
    command.args(["up", "--kubeconfig", &kubeconfig]).envs(variables.iter().copied());
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(says.iter().all(|it| said.contains(it)), "{said}");
    let get = ["get", "namespace", "quickstart-db", "--ignore-not-found"];
    assert_eq!(run("kubectl", &get, ""), "");
}

fn written(folder: &Path, name: &str, config: &serde_json::Value) -> String {
    let path = folder.join(format!("kubeconfig-of-{name}"));
    write_secret(&path, &config.to_string());
    path.display().to_string()
}
