//! One test's domain.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    api::{Api, condition, is_current, path},
    cluster::eventually,
    manifests::DOMAIN,
    turn::{self, Turn, shared_state},
};

/// Longest wait for anything, on a machine that is busy.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// A domain, its namespace of the same name, and the way to the API server.
pub struct Tenant {
    pub api: Api,
    pub name: String,
    /// Tells which log to show; tests that run alone have operators of their own.
    is_shared: bool,
    _turn: Option<Turn>,
}

impl Tenant {
    /// With the shared operator; the domain does not exist yet.
    pub async fn new(name: &str) -> Self {
        let turn = turn::shared().await;
        let tenant = Self {
            api: Api::new().await,
            name: name.to_owned(),
            is_shared: true,
            _turn: Some(turn),
        };
        tenant.clean().await;
        tenant
    }

    /// With the shared operator and the usual domain, Ready.
    pub async fn ready(name: &str) -> Self {
        let tenant = Self::new(name).await;
        tenant.apply(DOMAIN).await;
        tenant.wait_ready("Domain", name).await;
        tenant
    }

    /// For tests that run alone.
    pub async fn alone(name: &str) -> Self {
        Self { api: Api::new().await, name: name.to_owned(), is_shared: false, _turn: None }
    }

    /// The same for what users could do before a domain became stricter, or its policy stood.
    pub fn past_policies(mut self) -> Self {
        self.api.client = self.api.past_policies().clone();
        self
    }

    /// Removes what an earlier run may have left.
    pub async fn clean(&self) {
        if self.get("Domain", &self.name).await.is_some() {
            let policy = serde_json::json!({"spec": {"deletionPolicy": "Delete"}});
            self.api.patch("Domain", "", &self.name, policy).await;
            self.api.delete("Domain", "", &self.name).await;
        }
        self.api.delete("Namespace", "", &self.name).await;
        self.wait("what an earlier run left to go", async || {
            let domain = self.get("Domain", &self.name).await;
            let namespace = self.get("Namespace", &self.name).await;
            (domain.is_none() && namespace.is_none()).then_some(())
        })
        .await;
    }

    /// Ends a test: nothing may have gone wrong. The domain stays: deleting a namespace costs the
    /// control plane more than all that a test does in it.
    #[allow(clippy::unused_self)] // Taking it by value ends its use.
    pub fn end(self) {
        let (metrics, _) = shared_state("");
        let panics = metrics.iter().flat_map(|text| text.lines()).filter(|line| {
            line.starts_with("polder_reconcile_panics_total") && !line.ends_with(" 0")
        });
        assert_eq!(panics.collect::<Vec<_>>(), Vec::<&str>::new());
    }

    /// Applies YAML, with NAME for the domain's name.
    pub async fn apply(&self, yaml: &str) -> Vec<Value> {
        self.api.apply(&self.name, &yaml.replace("NAME", &self.name)).await
    }

    pub async fn get(&self, kind: &str, name: &str) -> Option<Value> {
        self.api.get(kind, &self.name, name).await
    }

    pub async fn list(&self, kind: &str, selector: &str) -> Vec<Value> {
        self.api.list(kind, &self.name, selector).await
    }

    pub async fn patch(&self, kind: &str, name: &str, patch: Value) -> Value {
        self.api.patch(kind, &self.name, name, patch).await
    }

    pub async fn delete(&self, kind: &str, name: &str) {
        self.api.delete(kind, &self.name, name).await;
    }

    /// Binds a pod to a node.
    pub async fn bind(&self, pod: &str, node: &str) {
        let binding = json!({
            "apiVersion": "v1", "kind": "Binding", "metadata": {"name": pod},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        });
        let url = format!("{}/binding", path("Pod", &self.name, pod));
        self.api.send("POST", &url, Some(&binding)).await.unwrap();
    }

    /// Waits until there is an answer; panics with `what` if none comes.
    pub async fn wait<T>(&self, what: &str, probe: impl AsyncFnMut() -> Option<T>) -> T {
        eventually(PATIENCE, probe)
            .await
            .unwrap_or_else(|| panic!("domain {}: waited in vain for {what}", self.name))
    }

    /// Waits until an object is as it should be, and returns it.
    pub async fn until(
        &self,
        kind: &str,
        name: &str,
        what: &str,
        is_so: impl Fn(&Value) -> bool,
    ) -> Value {
        let mut last = None;
        let found = eventually(PATIENCE, async || {
            last = self.get(kind, name).await;
            last.clone().filter(&is_so)
        });
        let found = found.await;
        found.unwrap_or_else(|| {
            let last = last.map_or("it does not exist".to_owned(), |object| format!("{object:#}"));
            panic!("waited in vain for {kind} {name} {what}: {last}")
        })
    }

    pub async fn wait_gone(&self, kind: &str, name: &str) {
        self.wait(&format!("{kind} {name} to go"), async || {
            self.get(kind, name).await.is_none().then_some(())
        })
        .await;
    }

    /// Waits until a root is Ready at its newest generation.
    pub async fn wait_ready(&self, kind: &str, name: &str) -> Value {
        self.until(kind, name, "to be Ready", |object| {
            is_current(object) && condition(object, "Ready")["status"] == "True"
        })
        .await
    }

    /// Waits until a root says this reason at its newest generation; returns the message of its
    /// condition Ready.
    pub async fn wait_reason(&self, kind: &str, name: &str, reason: &str) -> String {
        let what = format!("to be {reason}");
        let is_so =
            |object: &Value| is_current(object) && condition(object, "Ready")["reason"] == reason;
        let object = self.until(kind, name, &what, is_so).await;
        condition(&object, "Ready")["message"].as_str().unwrap().to_owned()
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        if std::thread::panicking() && self.is_shared {
            let (_, log) = shared_state(&self.name);
            eprintln!("{log}");
        }
    }
}
