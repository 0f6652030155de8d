//! Who answers and who pays: on every object, and no reason to restart anything.

use polder::engine::digest::normalise;
use serde_json::{Value, json};

use crate::{
    manifests::{CLUSTER, DOMAIN, ENDPOINT, HELD, JOB, SCHEDULED, WAREHOUSE},
    render::{World, documents},
};

const TEAM: &str = "polder.dev/team";
const COST_CENTER: &str = "polder.dev/cost-center";

/// A domain of a cost centre and workloads in it.
pub(crate) fn roots(cost_center: &str) -> Vec<Value> {
    let domain = format!("{DOMAIN}{WAREHOUSE}").replace("4711", cost_center);
    let all = [domain.as_str(), CLUSTER, ENDPOINT, JOB, SCHEDULED, HELD].join("\n---\n");
    let mut roots = documents(&all.replace("NAME", "sales"));
    for root in &mut roots {
        if root["kind"] != "Domain" {
            root["metadata"]["namespace"] = json!("sales");
        }
        if root["kind"] == "BatchJob" && !root["spec"]["spark"].is_null() {
            root["spec"]["spark"]["executors"]["volumes"] =
                json!([{"name": "disk1", "size": "1Gi", "class": "fast"}]);
        }
    }
    roots
}

pub(crate) fn children(world: &World, roots: &[Value]) -> Vec<Value> {
    let all = roots.iter().flat_map(|root| world.children(root));
    all.map(|child| normalise(child.object)).collect()
}

fn is_of(metadata: &Value, cost_center: &str) -> bool {
    let labels = &metadata["labels"];
    labels[TEAM] == "testers" && labels[COST_CENTER] == cost_center
}

/// Metadata of the pods and claims that an object makes.
fn made_by(object: &Value) -> Vec<&Value> {
    let templates = ["/spec/template", "/spec/jobTemplate", "/spec/jobTemplate/spec/template"];
    let claims = object["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten();
    templates
        .iter()
        .filter_map(|path| object.pointer(path))
        .chain(claims)
        .map(|made| &made["metadata"])
        .collect()
}

#[test]
fn every_object_says_who_answers_and_who_pays() {
    let roots = roots("4711");
    let children = children(&World::new(&roots), &roots);
    let (mut templates, mut executors) = (0, 0);
    for object in &children {
        assert!(is_of(&object["metadata"], "4711"), "{object:#}");
        for made in made_by(object) {
            assert!(is_of(made, "4711"), "{object:#}");
            templates += 1;
        }
        if let Some(text) = object["data"]["executor-pod.json"].as_str() {
            let pod: Value = serde_json::from_str(text).unwrap();
            assert!(is_of(&pod["metadata"], "4711"), "{pod:#}");
            executors += 1;
        }
    }
    assert!(templates >= 9 && executors == 2, "{templates} {executors}");
    // Volumes that drivers make for their executors.
    let is_labelled = |object: &&Value| {
        let conf = object["data"]["spark.conf"].as_str().unwrap_or_default();
        conf.contains("spark-local-dir-1.label.polder.dev/cost-center=4711\n")
    };
    assert_eq!(children.iter().filter(is_labelled).count(), 1);
}

#[test]
fn a_text_that_cannot_be_a_label_is_a_note_on_the_namespace() {
    let roots = roots("Sales, 4711");
    for object in children(&World::new(&roots), &roots) {
        assert_eq!(object["metadata"]["labels"][COST_CENTER], Value::Null, "{object:#}");
        if object["kind"] == "Namespace" {
            assert_eq!(object["metadata"]["annotations"][COST_CENTER], "Sales, 4711");
        }
    }
}

#[test]
fn selectors_do_not_know_owners() {
    let roots = roots("4711");
    for object in children(&World::new(&roots), &roots) {
        for path in ["/spec/selector", "/spec/podSelector"] {
            let selector = object.pointer(path).cloned().unwrap_or_default().to_string();
            assert!(!selector.contains(TEAM) && !selector.contains(COST_CENTER), "{object:#}");
        }
    }
}

/// What the world is after these were applied.
fn applied(roots: &[Value], sets: &[Value]) -> World {
    let mut world = World::new(roots);
    for set in sets {
        world.put(set);
    }
    world
}

fn sets(children: Vec<Value>) -> Vec<Value> {
    children.into_iter().filter(|object| object["kind"] == "StatefulSet").collect()
}

#[test]
fn a_new_owner_restarts_nothing() {
    let before = roots("4711");
    let made = sets(children(&World::new(&before), &before));
    assert_eq!(made.len(), 3);
    let after = roots("0815");
    let renewed = sets(children(&applied(&after, &made), &after));
    for (old, new) in made.iter().zip(&renewed) {
        assert!(is_of(&new["metadata"], "0815"), "{new:#}");
        assert_eq!(new["spec"], old["spec"]);
    }
    // Nor does the pass after that.
    assert_eq!(sets(children(&applied(&after, &renewed), &after)), renewed);
}

#[test]
fn pods_that_are_replaced_anyway_get_the_new_owner_and_claims_stay() {
    let before = roots("4711");
    let made = sets(children(&World::new(&before), &before));
    let mut after = roots("0815");
    for root in &mut after {
        if matches!(root["kind"].as_str(), Some("SparkCluster" | "SqlEndpoint")) {
            root["spec"]["sparkConf"] = json!({"spark.sql.shuffle.partitions": "7"});
        }
    }
    for new in sets(children(&applied(&after, &made), &after)) {
        assert!(is_of(&new["spec"]["template"]["metadata"], "0815"), "{new:#}");
        for claim in new["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten() {
            assert!(is_of(&claim["metadata"], "4711"), "{new:#}");
        }
    }
}
