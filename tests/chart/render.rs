//! What the chart renders, with Helm 3 and Helm 4 and several sets of values.

use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    api::documents,
    cluster,
    helm::{CHART, HELMS, say},
    process::{NAMESPACE, run},
    schemas,
};

const VALUES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/chart/values");

fn render(helm: &str, values: &str) -> Vec<Value> {
    let file = format!("{VALUES}/{values}.yaml");
    documents(&say(helm, &["template", "polder", CHART, "-n", NAMESPACE, "-f", &file]).well())
}

/// Name and kind, for messages.
fn name(object: &Value) -> String {
    format!("{} {}", object["kind"], object["metadata"]["name"])
}

#[rstest]
#[case("default")]
#[case("everything")]
#[case("least")]
fn both_helms_render_the_same(#[case] values: &str) {
    let key = |object: &Value| (name(object), object.to_string());
    let [mut three, mut four] = HELMS.map(|helm| render(helm, values));
    three.sort_by_key(key);
    four.sort_by_key(key);
    assert!(!three.is_empty());
    assert_eq!(three, four);
}

#[rstest]
#[case("default")]
#[case("everything")]
#[case("least")]
#[tokio::test]
async fn manifests_are_valid_for_kubeconform(#[case] values: &str) {
    let folder = std::env::temp_dir().join(format!("polder-{values}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let location = schemas::location(&folder).await;
    let text = serde_json::to_string(
        &json!({"apiVersion": "v1", "kind": "List", "items": render("helm", values)}),
    );
    let arguments = ["-strict", "-summary", "-schema-location", &location, "-"];
    let summary = run("kubeconform", &arguments, &text.unwrap());
    assert!(summary.contains("Invalid: 0, Errors: 0, Skipped: 0"), "{summary}");
    assert!(!summary.contains("Valid: 0"), "{summary}");

    let typo = r#"{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": {"port": []}}"#;
    let file = folder.join("typo.yaml");
    std::fs::write(&file, typo).unwrap();
    let arguments = ["-strict", "-schema-location", &location, file.to_str().unwrap()];
    let said = say("kubeconform", &arguments);
    assert!(said.code == 1 && said.out.contains("'port' not allowed"), "{} {}", said.out, said.err);
    std::fs::remove_dir_all(folder).unwrap();
}

/// The level `restricted` is enforced when pods are made, so these are tried as pods.
#[rstest]
#[case("default")]
#[case("everything")]
#[case("least")]
#[tokio::test]
async fn pods_are_restricted(#[case] values: &str) {
    let client = cluster::client().await;
    let restricted = format!("c-restricted-{values}");
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": restricted,
        "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}});
    let path = format!("/api/v1/namespaces/{restricted}?fieldManager=test&force=true");
    cluster::request(&client, "PATCH", &path, Some(&namespace)).await.unwrap();
    let mut specs: Vec<Value> = render("helm", values)
        .into_iter()
        .filter_map(|object| match object["kind"].as_str() {
            Some("Deployment") => Some(object["spec"]["template"]["spec"].clone()),
            Some("Pod") => Some(object["spec"].clone()),
            _ => None,
        })
        .collect();
    assert_eq!(specs.len(), 2, "the operator, and the test");
    for spec in &mut specs {
        spec["serviceAccountName"] = json!("default");
        // Not what this is about, and not to be had in every namespace.
        spec.as_object_mut().unwrap().remove("priorityClassName");
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "x-"}, "spec": spec});
        let path = format!("/api/v1/namespaces/{restricted}/pods?dryRun=All");
        let answer = cluster::eventually(std::time::Duration::from_secs(30), async || {
            let answer = cluster::request(&client, "POST", &path, Some(&pod)).await;
            // A namespace gets its account a moment after it is made.
            let is_early = answer.as_ref().is_err_and(|it| it.contains("serviceaccount"));
            (!is_early).then_some(answer)
        });
        answer.await.unwrap().unwrap_or_else(|refusal| panic!("{refusal}: {spec:#}"));
    }
}

#[test]
fn labels_and_annotations_are_on_every_object() {
    for object in render("helm", "everything") {
        let metadata = &object["metadata"];
        if metadata["name"].as_str().unwrap().ends_with("extra") {
            continue; // The user's own.
        }
        assert_eq!(metadata["labels"]["team"], "platform", "{}", name(&object));
        assert_eq!(metadata["labels"]["app.kubernetes.io/part-of"], "polder", "{}", name(&object));
        assert_eq!(metadata["annotations"]["example.com/owner"], "platform", "{}", name(&object));
    }
}

#[test]
fn extra_objects_are_templates() {
    let objects = render("helm", "everything");
    let has = |wanted: &str| objects.iter().any(|object| object["metadata"]["name"] == wanted);
    assert!(has("polder-extra") && has("text-extra"));
}

/// Everything but the part that a user leaves to others.
#[test]
fn what_is_switched_off_is_not_there() {
    let mut kinds: Vec<String> =
        render("helm", "least").iter().map(|it| it["kind"].as_str().unwrap().to_owned()).collect();
    kinds.sort();
    assert_eq!(kinds, ["Deployment", "Pod"]);
}

/// The operator looks rarely at a type that it was refused before.
#[test]
fn other_rights_make_other_pods() {
    let pods = |more: &[&str]| {
        let arguments =
            ["template", "polder", CHART, "-n", NAMESPACE, "-f", &format!("{VALUES}/default.yaml")];
        let objects = documents(&say("helm", &[&arguments[..], more].concat()).well());
        let deployment = objects.into_iter().find(|it| it["kind"] == "Deployment").unwrap();
        deployment["spec"]["template"].clone()
    };
    let before = pods(&[]);
    assert_eq!(before, pods(&["--set", "monitoring.dashboards.enabled=true"]));
    let after = pods(&["--set", "externalSecrets.enabled=true"]);
    assert_ne!(before["metadata"]["annotations"], after["metadata"]["annotations"]);
    assert_eq!(before["spec"], after["spec"]);
}
