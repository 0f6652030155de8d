//! `polder plan` as people and CI run it.

use serde_json::{Value, json};

use crate::lint::polder;

#[test]
fn plans_are_yaml_that_can_be_read_again_and_always_the_same() {
    let plan = || polder(&["plan", "-f", "examples/quickstart"], "");
    let ran = plan();
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let children = crate::render::documents(&ran.out);
    let of = |kind: &str| children.iter().filter(|child| child["kind"] == kind).count();
    assert!(
        children.len() > 25 && of("Namespace") == 1 && of("StatefulSet") == 3,
        "{}",
        children.len()
    );
    assert!(
        ran.out.contains(
            "# SparkCluster weather/etl (examples/quickstart/3-workloads/cluster.yaml:2)"
        )
    );
    assert_eq!(plan().out, ran.out);
}

#[test]
fn plans_are_json_too() {
    let ran = polder(&["plan", "-f", "examples/quickstart/2-domain.yaml", "-o", "json"], "");
    let plan: Value = serde_json::from_str(&ran.out).unwrap();
    let domain = &plan["objects"][0];
    assert_eq!(domain["object"], json!({"kind": "Domain", "name": "weather"}));
    assert_eq!(domain["children"][0]["kind"], "Namespace");
}

#[test]
fn no_secret_is_shown() {
    let ran = polder(&["plan", "-f", "examples/quickstart"], "");
    let secrets: Vec<Value> = crate::render::documents(&ran.out)
        .into_iter()
        .filter(|child| child["kind"] == "Secret")
        .collect();
    assert!(!secrets.is_empty());
    for secret in secrets {
        let texts = secret["stringData"].as_object().unwrap().values();
        assert!(texts.clone().count() == 1 && secret["data"].is_null(), "{secret:#}");
        assert!(
            texts.into_iter().all(|it| it.as_str().unwrap().ends_with("never shown")),
            "{secret:#}"
        );
    }
    // It stands in the same folder.
    assert!(!ran.out.contains("quick-start-only"));
}

#[test]
fn what_cannot_be_planned_is_told_and_the_rest_is_planned() {
    let wrong = "\
apiVersion: polder.dev/v1alpha1
kind: Domain
metadata: {name: a}
spec: {}
---
apiVersion: polder.dev/v1alpha1
kind: Domain
metadata: {name: b}
spec: {frozen: 1}
---
apiVersion: polder.dev/v1alpha1
kind: BatchJob
metadata: {name: j, namespace: elsewhere}
spec:
  container: {image: r.example.com/x, resources: {cpu: 1, memory: 1Gi}}
";
    let ran = polder(&["plan", "-f", "-"], wrong);
    let told = "-:9: Domain b: spec.frozen: must be of type boolean, and is the number 1; put it in quotes if it is \
                meant as text [WrongType]
-:13: BatchJob elsewhere/j: metadata.namespace: its Domain is not among the files; name the files of the Domain too \
                [DomainNotFound]
";
    assert_eq!((ran.code, ran.err.as_str()), (1, told));
    assert!(ran.out.contains("# Domain a (-:1)") && !ran.out.contains("# Domain b"));
}
