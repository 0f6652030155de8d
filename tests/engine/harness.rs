//! A namespace and an engine per test.

use std::{
    fmt::Debug,
    io::{BufRead, BufReader, Seek, SeekFrom},
    sync::Once,
    time::{Duration, Instant},
};

use k8s_openapi::{
    NamespaceResourceScope, api::core::v1::Namespace,
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client, Config, CustomResourceExt, Resource, ResourceExt,
    api::{DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams},
};
use polder::{
    engine::{Engine, EngineError, LeaseOptions, Options, client},
    telemetry::{Format, Health, Metrics, init_logs},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::{
    sync::{Mutex, MutexGuard},
    task::JoinHandle,
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use crate::widget::{Gadget, GadgetKind, Widget, WidgetKind, watches};

/// Written by the engine under test, and by nobody else.
const AGENT: &str = "polder-engine-test";
const PATIENCE: Duration = Duration::from_secs(20);

static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
static ONCE: Once = Once::new();

pub struct Harness {
    pub client: Client,
    pub namespace: String,
    config: Config,
    _turn: MutexGuard<'static, ()>,
}

pub struct Running {
    pub metrics: Metrics,
    pub health: Health,
    pub token: CancellationToken,
    pub task: JoinHandle<Result<(), EngineError>>,
}

impl Running {
    pub async fn stop(self) {
        self.token.cancel();
        self.task.await.unwrap().unwrap();
    }
}

impl Harness {
    pub async fn new(name: &str) -> Self {
        let turn = ONE_AT_A_TIME.lock().await;
        ONCE.call_once(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
            let filter = std::env::var("RUST_LOG").unwrap_or_else(|_| "error".to_owned());
            init_logs(&filter, Format::Human).unwrap();
        });
        assert!(
            std::env::var_os("KUBECONFIG").is_some(),
            "KUBECONFIG is not set: run dev/cluster up test --node simulated, then \
             eval \"$(dev/cluster env test)\""
        );
        let config = Config::infer().await.unwrap();
        let client = Client::try_from(config.clone()).unwrap();
        let namespace = format!("engine-{name}-{:04x}", rand::random::<u16>());
        let harness = Self { client, namespace, config, _turn: turn };
        harness.prepare().await;
        harness
    }

    async fn prepare(&self) {
        let crds: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        let apply = PatchParams::apply("test").force();
        for crd in [Widget::crd(), Gadget::crd()] {
            crds.patch(&crd.name_any(), &apply, &Patch::Apply(&crd)).await.unwrap();
        }
        eventually("the CRDs to be served", async || {
            let served = Api::<Gadget>::all(self.client.clone()).list(&ListParams::default()).await;
            let widgets =
                Api::<Widget>::all(self.client.clone()).list_metadata(&ListParams::default()).await;
            (served.is_ok() && widgets.is_ok()).then_some(())
        })
        .await;
        // Whatever an earlier, failed run left.
        let widgets = Api::<Widget>::all(self.client.clone());
        for old in widgets.list_metadata(&ListParams::default()).await.unwrap() {
            let namespace = old.namespace().unwrap();
            let api = Api::<Widget>::namespaced(self.client.clone(), &namespace);
            let _ = api.delete(&old.name_any(), &DeleteParams::default()).await;
        }
        let gadgets = Api::<Gadget>::all(self.client.clone());
        for old in gadgets.list_metadata(&ListParams::default()).await.unwrap() {
            let none = json!({"metadata": {"finalizers": null}});
            let _ =
                gadgets.patch(&old.name_any(), &PatchParams::default(), &Patch::Merge(none)).await;
            let _ = gadgets.delete(&old.name_any(), &DeleteParams::default()).await;
        }
        let namespace = Namespace {
            metadata: ObjectMeta { name: Some(self.namespace.clone()), ..ObjectMeta::default() },
            ..Namespace::default()
        };
        Api::all(self.client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
    }

    pub fn engine_client(&self) -> Client {
        let mut config = self.config.clone();
        config.headers.push((http::header::USER_AGENT, AGENT.parse().unwrap()));
        client(config).unwrap()
    }

    pub async fn start(&self) -> Running {
        self.start_with(None).await
    }

    /// Starts an engine; returns when its stores are filled.
    pub async fn start_with(&self, lease: Option<LeaseOptions>) -> Running {
        let running = self.launch(lease);
        eventually("the stores to be filled", async || running.health.is_ready().then_some(()))
            .await;
        running
    }

    pub fn launch(&self, lease: Option<LeaseOptions>) -> Running {
        self.launch_sharded(lease, 1)
    }

    /// Starts an engine without waiting for anything.
    pub fn launch_sharded(&self, lease: Option<LeaseOptions>, shards: usize) -> Running {
        let (metrics, health) = (Metrics::new().unwrap(), Health::new());
        let mut options = Options::new(metrics.clone(), health.clone());
        options.leader_election = lease;
        options.shards = shards;
        let builder = Engine::builder(self.engine_client(), options);
        let engine = watches()
            .into_iter()
            .fold(builder, polder::engine::EngineBuilder::watch)
            .kind(WidgetKind)
            .kind(GadgetKind)
            .build()
            .unwrap();
        let token = CancellationToken::new();
        let task = tokio::spawn(engine.run(token.clone()));
        Running { metrics, health, token, task }
    }

    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub async fn widget(&self, name: &str, spec: Value) -> Widget {
        let object = json!({
            "apiVersion": "test.polder.dev/v1", "kind": "Widget",
            "metadata": {"name": name}, "spec": spec,
        });
        let params = PatchParams::apply("user").force();
        self.api::<Widget>().patch(name, &params, &Patch::Apply(object)).await.unwrap()
    }

    /// Waits until the widget's Ready condition has this reason for the current spec; returns its
    /// message.
    pub async fn reason(&self, name: &str, reason: &str) -> String {
        let api = self.api::<Widget>();
        let mut last = String::new();
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let widget = api.get(name).await.unwrap();
            let ready =
                widget.status.iter().flat_map(|s| &s.conditions).find(|c| c.type_ == "Ready");
            if let Some(ready) = ready {
                last = format!("{}: {}", ready.reason, ready.message);
                if ready.reason == reason && ready.observed_generation == widget.metadata.generation
                {
                    return ready.message.clone();
                }
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("widget {name} should become {reason}, but is {last:?}");
    }

    pub async fn patch<K>(&self, name: &str, patch: Value)
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
        K::DynamicType: Default,
    {
        let params =
            PatchParams { field_manager: Some("someone".to_owned()), ..Default::default() };
        self.api::<K>().patch(name, &params, &Patch::Merge(patch)).await.unwrap();
    }

    /// Where the audit log ends now.
    pub fn audit(&self) -> Audit {
        let path = std::env::var("POLDER_AUDIT_LOG").unwrap_or_else(|_| {
            panic!("POLDER_AUDIT_LOG is not set: eval \"$(dev/cluster env NAME)\"")
        });
        let end = std::fs::metadata(&path).unwrap().len();
        Audit { path, end }
    }
}

pub struct Audit {
    path: String,
    end: u64,
}

impl Audit {
    /// What the engine has asked for since, as "verb resource code", lists and watches included.
    pub async fn requests(&self) -> Vec<String> {
        sleep(Duration::from_millis(300)).await; // the log is written behind
        let mut file = std::fs::File::open(&self.path).unwrap();
        file.seek(SeekFrom::Start(self.end)).unwrap();
        BufReader::new(file)
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(&line.unwrap()).ok())
            .filter(|entry| entry["userAgent"] == AGENT)
            .filter(|entry| entry["stage"] == "ResponseComplete" || entry["verb"] == "watch")
            .map(|entry| {
                let object = &entry["objectRef"];
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let resource = match &object["subresource"] {
                    Value::String(sub) => format!("{}/{sub}", text(&object["resource"])),
                    _ => text(&object["resource"]),
                };
                format!("{} {resource} {}", text(&entry["verb"]), entry["responseStatus"]["code"])
            })
            .collect()
    }

    /// Requests that change something.
    pub async fn writes(&self) -> Vec<String> {
        let mut requests = self.requests().await;
        requests.retain(|request| {
            !["get", "list", "watch"].contains(&request.split(' ').next().unwrap())
        });
        requests
    }
}

/// Waits until something is there.
pub async fn eventually<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = probe().await {
            return value;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// Long enough for anything that should not happen to happen.
pub async fn settle() {
    sleep(Duration::from_millis(700)).await;
}
