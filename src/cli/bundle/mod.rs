//! `polder support-bundle`: all that helps to find out what is wrong, and nothing that is secret.

mod archive;
mod redact;

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{Event, Node, Pod},
};
use kube::api::{ListParams, LogParams};
use serde_json::{Value, json};

use super::{
    cluster::{AnyDomain, Cluster, Connection, RootKind, waiting},
    error::{Error, chain},
    show::{note, print},
};
use crate::{
    build::{
        labels,
        types::{
            CLAIM, CONFIG_MAP, CRON_JOB, DISRUPTION_BUDGET, JOB, LIMIT_RANGE, NAMESPACE,
            NETWORK_POLICY, POD, RESOURCE_QUOTA, ROLE_BINDING, SECRET, SERVICE, SERVICE_ACCOUNT,
            STATEFUL_SET,
        },
    },
    engine::ResourceType,
};
use archive::Archive;

/// Lines of each log of the operator.
const LINES: i64 = 20_000;
const NODE: ResourceType = ResourceType::cluster::<Node>();
const DEPLOYMENT: ResourceType = ResourceType::namespaced::<Deployment>();
const EVENTS: ResourceType = ResourceType::namespaced::<Event>();
/// What belongs to domains, by their label.
const CHILDREN: &[ResourceType] = &[
    NAMESPACE,
    RESOURCE_QUOTA,
    LIMIT_RANGE,
    ROLE_BINDING,
    NETWORK_POLICY,
    SERVICE_ACCOUNT,
    SERVICE,
    STATEFUL_SET,
    JOB,
    CRON_JOB,
    POD,
    CLAIM,
    DISRUPTION_BUDGET,
];
/// Of these only metadata is asked for: what is in them never reaches this machine.
const METADATA_ONLY: &[ResourceType] = &[SECRET, CONFIG_MAP];

/// What to collect, and where to.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    domain: AnyDomain,
    /// File to write.
    #[arg(short, long, default_value = "polder-support-bundle.tar.gz", value_name = "FILE")]
    file: PathBuf,
    /// Namespace of the operator.
    #[arg(long, default_value = "polder-system", value_name = "NAME")]
    operator_namespace: String,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn execute(arguments: &Arguments) -> Result<ExitCode, Error> {
    let cluster = arguments.connection.connect().await?;
    arguments.domain.find(&cluster).await?;
    let mut bundle = Bundle { cluster, archive: Archive::new(), missing: Vec::new() };
    waiting("collecting", bundle.collect(arguments)).await?;
    let missing = bundle.missing;
    let (count, bytes) = bundle.archive.write(&arguments.file, &missing)?;
    let kib = bytes.div_ceil(1024);
    print(&format!(
        "{}: {count} files, {kib} KiB. Secrets, environment values and tokens are left out; look it through before you send it.\n",
        arguments.file.display()
    ))?;
    for what in &missing {
        note(&format!("polder: not in it: {what}"));
    }
    Ok(ExitCode::SUCCESS)
}

struct Bundle {
    cluster: Cluster,
    archive: Archive,
    missing: Vec<String>,
}

impl Bundle {
    async fn collect(&mut self, arguments: &Arguments) -> Result<(), Error> {
        let version = self.cluster.client.apiserver_version().await;
        let server = version.map_err(|error| self.cluster.refused(&error, NODE))?;
        let versions = json!({
            "polder": env!("CARGO_PKG_VERSION"), "kubernetes": server,
            "collected": jiff::Timestamp::now().to_string(),
        });
        let namespace = self.roots(arguments.domain.name()).await?;
        let which = arguments.domain.children();
        for resource in CHILDREN {
            let list = self.cluster.list::<Value>(*resource, None, which.clone()).await;
            self.add(&format!("children/{}.json", resource.plural), resource.plural, list);
        }
        for resource in METADATA_ONLY {
            let list = self.cluster.list_metadata::<Value>(*resource, None, which.clone()).await;
            self.add(&format!("children/{}-metadata.json", resource.plural), resource.plural, list);
        }
        let nodes = self.cluster.list::<Value>(NODE, None, ListParams::default()).await;
        self.add("nodes.json", "nodes", nodes);
        self.events(namespace.as_deref(), &arguments.operator_namespace).await;
        self.operator(&arguments.operator_namespace).await;
        if self.archive.is_empty() {
            let why = "you may read nothing that belongs into a bundle, so no file is written";
            return Err(Error::Forbidden(why.to_owned()));
        }
        self.archive.json("versions.json", versions);
        Ok(())
    }

    /// Our own objects; the namespace of the domain, if only one was asked for.
    async fn roots(&mut self, domain: Option<&str>) -> Result<Option<String>, Error> {
        let mut namespace = None;
        for kind in RootKind::ALL {
            let resource = kind.resource();
            let list =
                self.cluster.list::<Value>(resource, namespace.as_deref(), ListParams::default());
            let mut list = match list.await {
                Err(error @ (Error::Unreachable { .. } | Error::NotInstalled(_))) => {
                    return Err(error);
                }
                list => list,
            };
            if let (RootKind::Domain, Some(domain), Ok(domains)) = (kind, domain, &mut list) {
                domains.retain(|it| text(it, "/metadata/name") == Some(domain));
                let found = domains.first().and_then(|it| text(it, "/status/namespace"));
                namespace = Some(found.unwrap_or(domain).to_owned());
            }
            self.add(&format!("objects/{}.json", resource.plural), resource.plural, list);
        }
        Ok(namespace)
    }

    async fn events(&mut self, namespace: Option<&str>, operator: &str) {
        let places = match namespace {
            Some(namespace) => vec![Some(namespace), Some(operator), Some("default")],
            None => vec![None],
        };
        for place in places {
            let events = self.cluster.list::<Value>(EVENTS, place, ListParams::default()).await;
            let name = place.map_or("events.json".to_owned(), |it| format!("events-{it}.json"));
            self.add(&name, "events", events);
        }
    }

    /// Deployment, pods, logs and metrics of the operator.
    async fn operator(&mut self, namespace: &str) {
        let which = ListParams::default().labels(&format!("{}=polder", labels::NAME));
        for resource in [DEPLOYMENT, POD] {
            let list = self.cluster.list::<Value>(resource, Some(namespace), which.clone()).await;
            self.add(&format!("operator/{}.json", resource.plural), resource.plural, list);
        }
        let api = self.cluster.api::<Pod>(namespace);
        let Ok(pods) = api.list(&which).await else { return };
        if pods.items.is_empty() {
            self.missing.push(format!(
                "log and metrics of the operator: it has no pods in namespace {namespace}; --operator-namespace names another"
            ));
        }
        for name in pods.items.into_iter().filter_map(|pod| pod.metadata.name) {
            for previous in [false, true] {
                let parameters =
                    LogParams { previous, tail_lines: Some(LINES), ..LogParams::default() };
                match api.logs(&name, &parameters).await {
                    Ok(log) => {
                        let life = if previous { "-previous" } else { "" };
                        self.archive
                            .text(&format!("operator/{name}{life}.log"), &redact::log(&log));
                    }
                    // Most have no life before this one.
                    Err(_) if previous => {}
                    Err(error) => self.missing.push(format!("log of {name}: {}", chain(&error))),
                }
            }
            self.metrics(namespace, &name).await;
        }
    }

    async fn metrics(&mut self, namespace: &str, pod: &str) {
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}:8080/proxy/metrics");
        let request = http::Request::get(path).body(Vec::new());
        let Ok(request) = request else { return };
        match self.cluster.client.request_text(request).await {
            Ok(text) => self.archive.text(&format!("operator/{pod}-metrics.txt"), &text),
            Err(error) => self.missing.push(format!("metrics of {pod}: {}", chain(&error))),
        }
    }

    /// A list that could be read, without what is secret; or a note that it could not.
    fn add(&mut self, file: &str, what: &str, list: Result<Vec<Value>, Error>) {
        match list {
            Ok(list) => {
                let list: Vec<Value> = list.into_iter().map(redact::object).collect();
                self.archive.json(file, Value::Array(list));
            }
            Err(error) => self.missing.push(format!("{what}: {error}")),
        }
    }
}

/// A text, by JSON pointer.
fn text<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer).and_then(Value::as_str)
}
