//! Who uses a Secret in a workload must be able to read it.

use serde_json::{Value, json};

use super::asker::{Asker, accepted, refused, workload};
use crate::{cluster::Answer, tenant::Tenant};

fn job(more: &Value) -> Value {
    let mut container = json!({
        "image": "registry.example.com/dbt:1", "resources": {"cpu": "20m", "memory": "256Mi"},
    });
    container.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    workload("BatchJob", "secretive", &json!({"suspend": true, "container": container}))
}

fn env(name: &str, secret: &str) -> Value {
    json!({"name": name, "secret": {"name": secret, "key": "k"}})
}

const RIGHTS: &str = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: one-secret}
rules:
- {apiGroups: [""], resources: [secrets], resourceNames: [mine], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: one-secret}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: one-secret}
subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: eve}]
"#;

#[tokio::test]
async fn a_workload_uses_only_secrets_its_author_may_read() {
    let tenant = Tenant::ready("v-secrets").await;
    let members = json!({"spec": {"members": [
        {"role": "Admin", "subjects": [{"kind": "User", "name": "ada"}]},
        {"role": "Engineer", "subjects": [{"kind": "User", "name": "eve"}]},
    ]}});
    tenant.patch("Domain", "v-secrets", members).await;
    tenant.apply(RIGHTS).await;
    let people = ["system:authenticated"];
    let eve = Asker::person("v-secrets", "eve", &people).await;
    let ada = Asker::person("v-secrets", "ada", &people).await;
    let dry = async |who: &Asker, job: &Value| -> Answer {
        who.send("POST", "BatchJob", "", "?dryRun=All", Some(job)).await
    };
    let plain = job(&json!({}));
    tenant.wait("access", async || dry(&eve, &plain).await.ok()).await;
    tenant.wait("access", async || dry(&ada, &plain).await.ok()).await;

    let theirs = job(&json!({"env": [env("A", "theirs")]}));
    refused(
        "of an engineer",
        &dry(&eve, &theirs).await,
        &["Secret theirs is used, and you may not read it", "lake"],
    );
    accepted("of an admin", dry(&ada, &theirs).await);
    let mounted = job(&json!({"mounts": [{"path": "/x", "secret": "theirs"}]}));
    refused("mounted", &dry(&eve, &mounted).await, &["Secret theirs"]);
    let mine = job(
        &json!({"env": [env("A", "mine"), env("B", "mine")], "mounts": [{"path": "/x", "secret": "lake"}]}),
    );
    accepted("one's own, and the domain's", dry(&eve, &mine).await);
    let both = job(&json!({"env": [env("A", "mine"), env("B", "theirs")]}));
    refused("the second one", &dry(&eve, &both).await, &["Secret theirs"]);

    let many = |count: usize| {
        let env: Vec<Value> = (0..count).map(|n| env(&format!("V{n}"), &format!("s{n}"))).collect();
        job(&json!({"env": env}))
    };
    accepted("as many as can be checked", dry(&ada, &many(16)).await);
    refused("one more", &dry(&ada, &many(17)).await, &["17 different Secrets", "at most 16"]);

    // Somebody else's job that uses a Secret cannot be given another image or command.
    accepted("the admin's job", ada.create("BatchJob", &theirs).await);
    let steal = json!({"spec": {"container": {"command": ["cat", "/proc/self/environ"]}}});
    refused(
        "changed by an engineer",
        &eve.patch("BatchJob", "secretive", "", &steal).await,
        &["Secret theirs"],
    );
    accepted(
        "labelled by an engineer",
        eve.patch("BatchJob", "secretive", "", &json!({"metadata": {"labels": {"a": "b"}}})).await,
    );
    accepted("deleted by an engineer", eve.delete("BatchJob", "secretive").await);

    // Not for Spark alone: the same of a cluster and an endpoint.
    let spark = json!({"suspend": true, "env": [env("A", "theirs")],
        "driver": {"resources": {"cpu": "20m", "memory": "2Gi"}},
        "executors": {"min": 0, "max": 1, "resources": {"cpu": "20m", "memory": "2Gi"}}});
    let endpoint = workload("SqlEndpoint", "bi", &spark);
    let answer = eve.send("POST", "SqlEndpoint", "", "?dryRun=All", Some(&endpoint)).await;
    refused("of an endpoint", &answer, &["Secret theirs"]);
    tenant.end();
}
