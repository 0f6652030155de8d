//! Somebody who asks, under the policies.

use kube::Client;
use serde_json::{Value, json};

use crate::{
    api::path,
    cluster::{self, Answer, client_as, request},
};

/// Somebody, in a namespace.
pub struct Asker {
    client: Client,
    namespace: String,
}

impl Asker {
    /// The administrator.
    pub async fn admin(namespace: &str) -> Self {
        Self { client: cluster::client().await, namespace: namespace.to_owned() }
    }

    /// A person, whom RBAC lets do what `groups` may.
    pub async fn person(namespace: &str, user: &str, groups: &[&str]) -> Self {
        Self { client: client_as(user, groups, &[]).await, namespace: namespace.to_owned() }
    }

    /// What runs in a driver's pod, with the pod's token.
    pub async fn driver(namespace: &str, pod: &str, uid: &str) -> Self {
        let user = format!("system:serviceaccount:{namespace}:spark-driver");
        let group = format!("system:serviceaccounts:{namespace}");
        let groups = ["system:serviceaccounts", &group, "system:authenticated"];
        let more = [
            ("impersonate-extra-authentication.kubernetes.io%2fpod-name", pod),
            ("impersonate-extra-authentication.kubernetes.io%2fpod-uid", uid),
        ];
        Self { client: client_as(&user, &groups, &more).await, namespace: namespace.to_owned() }
    }

    /// The URL of an object, or of the collection if `name` is empty; `more` follows it.
    fn url(&self, kind: &str, name: &str, more: &str) -> String {
        format!("{}{more}", path(kind, &self.namespace, name))
    }

    pub async fn create(&self, kind: &str, object: &Value) -> Answer {
        self.send("POST", kind, "", "", Some(object)).await
    }

    pub async fn get(&self, kind: &str, name: &str) -> Answer {
        self.send("GET", kind, name, "", None).await
    }

    pub async fn patch(&self, kind: &str, name: &str, more: &str, patch: &Value) -> Answer {
        self.send("PATCH", kind, name, more, Some(patch)).await
    }

    pub async fn delete(&self, kind: &str, name: &str) -> Answer {
        self.send("DELETE", kind, name, "", None).await
    }

    pub async fn send(
        &self,
        method: &str,
        kind: &str,
        name: &str,
        more: &str,
        body: Option<&Value>,
    ) -> Answer {
        request(&self.client, method, &self.url(kind, name, more), body).await
    }
}

/// Panics unless a request was refused by a policy, in words with all of these parts.
#[track_caller]
pub fn refused(what: &str, answer: &Answer, says: &[&str]) {
    let refusal = match answer {
        Ok(object) => panic!("{what}: was let in: {object:#}"),
        Err(refusal) => refusal,
    };
    assert!(refusal.contains("ValidatingAdmissionPolicy"), "{what}: not by a policy: {refusal}");
    assert!(!refusal.contains("failed expression"), "{what}: without a message: {refusal}");
    for part in says {
        assert!(refusal.contains(part), "{what}: {refusal:?} does not say {part:?}");
    }
}

/// Panics unless a request was accepted; returns the answer.
#[track_caller]
pub fn accepted(what: &str, answer: Answer) -> Value {
    answer.unwrap_or_else(|refusal| panic!("{what}: was refused: {refusal}"))
}

/// An object of one of Polder's kinds.
pub fn workload(kind: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "polder.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec,
    })
}
