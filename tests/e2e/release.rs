//! The release itself: `helm test` in a pod, and how the image runs.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::cluster::kubectl;

const NAMESPACE: &str = "polder-system";

fn run(program: &str, arguments: &[&str]) -> (Output, String) {
    let output = Command::new(program).args(arguments).output().unwrap();
    let said = [output.stdout.clone(), output.stderr.clone()].concat();
    (output, String::from_utf8(said).unwrap())
}

#[test]
fn helm_test_finds_all_well() {
    let arguments = ["test", "polder", "-n", NAMESPACE, "--logs", "--timeout", "3m"];
    let (output, said) = run("helm", &arguments);
    assert!(output.status.success(), "{said}");
    for check in ["API server", "CustomResourceDefinitions", "rights of this account"] {
        assert!(said.contains(&format!("ok   {check}: ")), "{said}");
    }
    assert!(said.contains("ok   admission policies: they hold the operator"), "{said}");
    assert!(said.contains(":8080/ is ready"), "{said}");
    let pod: Value = serde_json::from_str(&kubectl(&[
        "get",
        "pod",
        "polder-check",
        "-n",
        NAMESPACE,
        "-o",
        "json",
    ]))
    .unwrap();
    assert_eq!(pod["status"]["phase"], "Succeeded", "{pod:#}");
    is_confined(&pod);
}

#[test]
fn the_operator_runs_as_nobody_on_a_root_that_it_cannot_write() {
    let selector = "app.kubernetes.io/name=polder";
    let pods = kubectl(&["get", "pods", "-n", NAMESPACE, "-l", selector, "-o", "json"]);
    let pods: Value = serde_json::from_str(&pods).unwrap();
    let pods = pods["items"].as_array().unwrap();
    assert!(!pods.is_empty(), "the operator has no pods with {selector}");
    for pod in pods {
        is_confined(pod);
        assert_eq!(pod["status"]["containerStatuses"][0]["ready"], true, "{pod:#}");
    }
}

/// Not root, and nothing to write to but what is mounted.
fn is_confined(pod: &Value) {
    let container = &pod["spec"]["containers"][0];
    let confined = &container["securityContext"];
    assert_eq!(confined["readOnlyRootFilesystem"], true, "{pod:#}");
    assert_eq!(confined["allowPrivilegeEscalation"], false, "{pod:#}");
    assert_eq!(confined["capabilities"], json!({"drop": ["ALL"]}), "{pod:#}");
    let non_root = [&confined["runAsNonRoot"], &pod["spec"]["securityContext"]["runAsNonRoot"]];
    assert!(non_root.contains(&&json!(true)), "{pod:#}");
    assert!(confined["runAsUser"] != 0 && pod["spec"]["securityContext"]["runAsUser"] != 0);
}

#[test]
fn the_operators_container_has_no_shell() {
    let exec = ["exec", "-n", NAMESPACE, "deployment/polder", "--"];
    let (output, said) = run("kubectl", &[&exec[..], &["polder", "--version"]].concat());
    assert!(output.status.success() && said.contains("polder "), "{said}");
    for shell in ["/bin/sh", "sh", "/bin/bash", "busybox"] {
        let (output, said) = run("kubectl", &[&exec[..], &[shell, "-c", "true"]].concat());
        let is_missing = said.contains("no such file") || said.contains("not found");
        assert!(!output.status.success() && is_missing, "{shell}: {said}");
    }
}
