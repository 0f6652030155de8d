//! What Argo CD makes of real statuses, through the chart's health check.

use mlua::{Lua, LuaOptions, LuaSerdeExt, StdLib};
use polder::{
    api::conditions::{READY, condition},
    engine::{Fault, Problem, Report},
    kinds::common::{Readiness, triple},
};
use serde_json::{Value, json};

const CHECK: &str = include_str!("../../charts/polder/files/argocd/health.lua");

/// What the check says of an object, as `status: message`.
fn health(object: &Value) -> String {
    let lua = Lua::new_with(StdLib::NONE, LuaOptions::new()).unwrap();
    lua.globals().set("obj", lua.to_value(object).unwrap()).unwrap();
    let health: Value = lua.from_value(lua.load(CHECK).eval().unwrap()).unwrap();
    format!("{}: {}", health["status"].as_str().unwrap(), health["message"].as_str().unwrap())
}

/// An object of the second generation with this status.
fn object(status: &Value) -> Value {
    json!({"apiVersion": "polder.dev/v1alpha1", "kind": "Domain",
        "metadata": {"name": "sales", "generation": 2}, "status": status})
}

fn of(report: &Report, readiness: Readiness) -> String {
    let conditions = triple(report, Some(2), readiness);
    health(&object(&json!({"observedGeneration": 2, "conditions": conditions})))
}

#[test]
fn every_readiness_has_its_health() {
    let nothing = Report::default();
    assert_eq!(of(&nothing, Readiness::ready("it serves")), "Healthy: it serves");
    let progressing = Readiness::progressing("QuotaPending", "waits");
    assert_eq!(of(&nothing, progressing), "Progressing: QuotaPending: waits");
    let failing = Readiness::failing("VolumeLost", "restore it");
    assert_eq!(of(&nothing, failing), "Degraded: VolumeLost: restore it");
    let suspended = Readiness::suspended("nobody can connect");
    assert_eq!(of(&nothing, suspended), "Suspended: Suspended: nobody can connect");
    let succeeded = Readiness::Ready { reason: "Succeeded", message: "in 5 s".to_owned() };
    assert_eq!(of(&nothing, succeeded), "Healthy: in 5 s");
    // Another run may mend it, but somebody should look.
    let failed = Readiness::progressing("LastRunFailed", "run 7 failed");
    assert_eq!(of(&nothing, failed), "Degraded: LastRunFailed: run 7 failed");
}

#[test]
fn what_stands_in_the_way_is_told_in_its_words() {
    let problem = Problem::new("CatalogNotFound", "spec.catalogs[0]", "there is none");
    let report = Report { problems: vec![problem], ..Report::default() };
    let expected = "Degraded: CatalogNotFound: spec.catalogs[0]: there is none";
    assert_eq!(of(&report, Readiness::suspended("")), expected);
    let key = polder::engine::ObjectKey::cluster(polder::build::types::NAMESPACE, "sales");
    let failed = vec![Fault { key, message: "too many requests".to_owned() }];
    let report = Report { failed, ..Report::default() };
    assert_eq!(of(&report, Readiness::ready("")), "Progressing: ApplyFailed: too many requests");
}

#[test]
fn what_nobody_has_looked_at_is_in_progress() {
    let unseen = "Progressing: waits for Polder to look at it";
    assert_eq!(health(&object(&json!({"observedGeneration": -1}))), unseen);
    let mut bare = object(&Value::Null);
    bare.as_object_mut().unwrap().remove("status");
    assert_eq!(health(&bare), unseen);
    // Of the generation before.
    let conditions = [condition(READY, true, "Ready", "it served".to_owned(), Some(1))];
    let old = object(&json!({"observedGeneration": 1, "conditions": conditions}));
    assert_eq!(health(&old), unseen);
    assert_eq!(
        health(&object(&json!({"observedGeneration": 2}))),
        "Progressing: has no condition Ready yet"
    );
}

#[test]
fn a_suspended_domain_in_a_wave_does_not_hold_it_up() {
    let conditions = triple(&Report::default(), Some(2), Readiness::suspended("all is stopped"));
    let mut domain = object(&json!({"observedGeneration": 2, "conditions": conditions}));
    domain["metadata"]["annotations"] = json!({"argocd.argoproj.io/sync-wave": "0"});
    assert_eq!(health(&domain), "Healthy: Suspended: all is stopped");
    // Workloads stand in the last wave.
    domain["kind"] = json!("SqlEndpoint");
    assert_eq!(health(&domain), "Suspended: Suspended: all is stopped");
}
