//! The table of cases (`tests/policy/cases.yaml`), put to the admission policies: each through
//! create, update, merge patch and server-side apply. The operator's rules are put to the same.

use serde_json::json;

use super::{
    asker::{Asker, accepted, refused, workload},
    table::{Base, Case, Table, merge},
};
use crate::{cluster::Answer, tenant::Tenant};

impl Case {
    /// The schema refuses these before the policies see them.
    fn is_schemas(&self) -> bool {
        matches!(self.reason.as_deref(), Some("ReservedKey" | "InvalidValue"))
    }

    fn judge(&self, way: &str, answer: Answer) {
        let what = format!("{} through {way}", self.name);
        match (&self.reason, self.is_schemas()) {
            (None, _) => drop(accepted(&what, answer)),
            (Some(_), false) => {
                let says: Vec<&str> = self.says.iter().map(String::as_str).collect();
                refused(&what, &answer, &says);
            }
            (Some(_), true) => {
                let refusal = answer.expect_err(&what);
                assert!(refusal.contains("sparkConf"), "{what}: {refusal}");
            }
        }
    }
}

/// A Domain with the policy of the table, Ready.
async fn domain(name: &str) -> Tenant {
    let tenant = Tenant::new(name).await;
    let mut spec = Table::read().domain;
    spec["deletionPolicy"] = json!("Delete");
    let domain = json!({
        "apiVersion": "polder.dev/v1alpha1", "kind": "Domain", "metadata": {"name": name}, "spec": spec,
    });
    tenant.apply(&domain.to_string()).await;
    tenant.wait_ready("Domain", name).await;
    tenant
}

#[tokio::test]
async fn every_case_through_every_way_in() {
    let tenant = domain("v-cases").await;
    let admin = Asker::admin("v-cases").await;
    let Table { bases, cases, .. } = Table::read();
    for (name, base) in &bases {
        let base = workload(&base.kind, name, &base.spec);
        accepted(name, admin.create(base["kind"].as_str().unwrap(), &base).await);
    }
    for case in &cases {
        let base = &bases[&case.base];
        let kind = &base.kind;
        let mut spec = base.spec.clone();
        merge(&mut spec, &case.patch);

        let mut object = workload(kind, "fresh", &spec);
        case.judge("create", admin.send("POST", kind, "", "?dryRun=All", Some(&object)).await);
        let apply = "?fieldManager=user&force=true&dryRun=All";
        case.judge("apply of a new one", admin.patch(kind, "fresh", apply, &object).await);
        assert!(admin.get(kind, "fresh").await.is_err(), "{}: a dry run left something", case.name);
        if case.born {
            continue;
        }
        let before = admin.get(kind, &case.base).await.unwrap();
        object["metadata"]["name"] = json!(case.base);
        case.judge("apply", admin.patch(kind, &case.base, apply, &object).await);
        let patch = json!({"spec": case.patch});
        case.judge("patch", admin.patch(kind, &case.base, "?dryRun=All", &patch).await);
        object["metadata"] = before["metadata"].clone();
        let update = admin.send("PUT", kind, &case.base, "?dryRun=All", Some(&object));
        case.judge("update", update.await);
        let after = admin.get(kind, &case.base).await.unwrap();
        assert_eq!(after["spec"], before["spec"], "{}", case.name);
        assert_eq!(after["metadata"]["generation"], before["metadata"]["generation"]);
    }
    // And once without a dry run.
    let refusal = cases.iter().find(|case| case.reason.is_some() && !case.is_schemas()).unwrap();
    let base = &bases[&refusal.base];
    let mut spec = base.spec.clone();
    merge(&mut spec, &refusal.patch);
    let object = workload(&base.kind, "fresh", &spec);
    refusal.judge("create", admin.create(&base.kind, &object).await);
    assert!(admin.get(&base.kind, "fresh").await.is_err());
    tenant.end();
}

/// What was let in before the domain became stricter goes on: labels, finalizers, status, deletion.
/// The operator says in status what is no longer allowed.
#[tokio::test]
async fn a_stricter_domain_does_not_bind_what_is_there() {
    let tenant = domain("v-ratchet").await;
    let admin = Asker::admin("v-ratchet").await;
    let Base { kind, spec } = &Table::read().bases["container"];
    let object = workload(kind, "old", spec);
    accepted("an image of the list", admin.create(kind, &object).await);
    let images = json!({"spec": {"compute": {"images": ["other.example.com/*"]}}});
    tenant.patch("Domain", "v-ratchet", images).await;
    let refusal = tenant.wait("the policy to be stricter", async || {
        let object = workload(kind, "new", spec);
        admin.send("POST", kind, "", "?dryRun=All", Some(&object)).await.err()
    });
    let refusal = refusal.await;
    assert!(refusal.contains("allowed: other.example.com/*"), "{refusal}");

    let note = json!({"metadata": {"labels": {"a": "b"}, "finalizers": ["example.com/wait"]}});
    accepted("a label and a finalizer", admin.patch(kind, "old", "", &note).await);
    let change = json!({"spec": {"retries": 1}});
    refused(
        "a change of the spec",
        &admin.patch(kind, "old", "", &change).await,
        &["spec.container.image"],
    );
    let mended = json!({"spec": {"container": {"image": "other.example.com/dbt:1"}}});
    accepted("a change that mends it", admin.patch(kind, "old", "?dryRun=All", &mended).await);
    accepted("deletion", admin.delete(kind, "old").await);
    let without = json!({"metadata": {"finalizers": null}});
    accepted("the end of the finalizer", admin.patch(kind, "old", "", &without).await);
    tenant.wait_gone(kind, "old").await;
    tenant.end();
}

/// The operator's rules see a change of the domain that admission could not.
#[tokio::test]
async fn what_is_no_longer_allowed_does_not_start() {
    let tenant = domain("v-later").await;
    let admin = Asker::admin("v-later").await;
    let Base { kind, spec } = &Table::read().bases["container"];
    accepted("suspended", admin.create(kind, &workload(kind, "late", spec)).await);
    tenant.wait_reason(kind, "late", "Suspended").await;
    // As if the change that lets it run had come before that of the domain: the operator sees it after.
    let images = json!({"spec": {"compute": {"images": ["other.example.com/*"]}}});
    tenant.patch("Domain", "v-later", images).await;
    tenant.wait_ready("Domain", "v-later").await;
    let api = &tenant.api;
    let past = json!({"spec": {"suspend": false}});
    let url = crate::api::path(kind, "v-later", "late");
    crate::cluster::request(api.past_policies(), "PATCH", &url, Some(&past)).await.unwrap();
    let message = tenant.wait_reason(kind, "late", "ImageNotAllowed").await;
    assert!(message.contains("allowed: other.example.com/*"), "{message}");
    assert!(tenant.list("Job", "").await.is_empty());
    tenant.end();
}

#[tokio::test]
async fn without_its_policy_a_namespace_takes_nothing() {
    let tenant = Tenant::new("v-bare").await;
    let admin = Asker::admin("v-bare").await;
    let namespace = "{apiVersion: v1, kind: Namespace, metadata: {name: NAME, labels: {polder.dev/domain: NAME}}}";
    tenant.apply(namespace).await;
    let Base { kind, spec } = &Table::read().bases["container"];
    let answer = admin.create(kind, &workload(kind, "early", spec)).await;
    refused("a workload", &answer, &["the policy of this domain is not on namespace v-bare yet"]);
    tenant.delete("Namespace", "v-bare").await;
    tenant.end();
}
