//! A kind that exists only here: what it plans is what its spec says.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::{
        apps::v1::StatefulSet,
        batch::v1::{CronJob, Job},
        core::v1::{
            ConfigMap, LimitRange, Namespace, PersistentVolumeClaim, ResourceQuota, Secret,
            Service, ServiceAccount,
        },
        networking::v1::NetworkPolicy,
        policy::v1::PodDisruptionBudget,
        rbac::v1::{Role, RoleBinding},
    },
    apimachinery::pkg::apis::meta::v1::Condition,
};
use kube::{CustomResource, ResourceExt};
use polder::engine::{
    Child, Finalize, Kind, ObjectKey, Ownership, Plan, Problem, Report, ResourceType, View, Watch,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub const CONFIG_MAPS: ResourceType = ResourceType::namespaced::<ConfigMap>();
pub const SERVICES: ResourceType = ResourceType::namespaced::<Service>();
pub const SECRETS: ResourceType = ResourceType::namespaced::<Secret>();
pub const STATEFUL_SETS: ResourceType = ResourceType::namespaced::<StatefulSet>();
pub const NAMESPACES: ResourceType = ResourceType::cluster::<Namespace>();
pub const OURS: &str = "app.kubernetes.io/managed-by=polder-test";

/// Types of `spec.objects`, watched by metadata only.
pub const VARIETY: &[ResourceType] = &[
    ResourceType::namespaced::<ServiceAccount>(),
    ResourceType::namespaced::<ResourceQuota>(),
    ResourceType::namespaced::<LimitRange>(),
    ResourceType::namespaced::<PersistentVolumeClaim>(),
    ResourceType::namespaced::<Role>(),
    ResourceType::namespaced::<RoleBinding>(),
    ResourceType::namespaced::<NetworkPolicy>(),
    ResourceType::namespaced::<PodDisruptionBudget>(),
    ResourceType::namespaced::<Job>(),
    ResourceType::namespaced::<CronJob>(),
];

pub fn watches() -> Vec<Watch> {
    let ours = Some(OURS);
    let variety =
        VARIETY.iter().map(|resource| Watch { resource: *resource, selector: ours, keep: &[] });
    variety
        .chain([
            Watch { resource: CONFIG_MAPS, selector: ours, keep: &[] },
            Watch { resource: SERVICES, selector: ours, keep: &[] },
            Watch { resource: NAMESPACES, selector: ours, keep: &[] },
            Watch { resource: STATEFUL_SETS, selector: ours, keep: &["/status", "/spec/replicas"] },
        ])
        .collect()
}

#[derive(CustomResource, Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[kube(group = "test.polder.dev", version = "v1", kind = "Widget", namespaced)]
#[kube(status = "WidgetStatus")]
#[serde(rename_all = "camelCase", default)]
pub struct WidgetSpec {
    /// Config maps, by suffix, with the value of their only key.
    pub maps: BTreeMap<String, String>,
    /// Config maps of rank 1.
    pub late: BTreeMap<String, String>,
    pub hold: bool,
    /// A service with this port.
    pub port: Option<i32>,
    pub secret: bool,
    /// A retained namespace of this name.
    pub namespace: Option<String>,
    pub stateful: bool,
    /// Name of another widget, whose size goes into the status.
    pub friend: Option<String>,
    pub size: i32,
    pub wrong: bool,
    pub panic: bool,
    /// Whole objects, without namespace and labels.
    #[schemars(schema_with = "anything")]
    pub objects: Vec<Value>,
}

fn anything(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let item = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    schemars::json_schema!({"type": "array", "items": item})
}

#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct WidgetStatus {
    pub observed_generation: i64,
    pub conditions: Vec<Condition>,
    pub secret: bool,
    pub friend_size: Option<i32>,
    pub replicas: Option<i32>,
    pub held: bool,
}

/// Held by a finalizer: its config map carries no owner's hope.
#[derive(CustomResource, Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[kube(group = "test.polder.dev", version = "v1", kind = "Gadget")]
#[kube(status = "WidgetStatus")]
#[serde(rename_all = "camelCase", default)]
pub struct GadgetSpec {
    pub namespace: String,
}

pub struct WidgetKind;

pub struct Seen {
    friend: Option<Option<i32>>,
    replicas: Option<i32>,
}

impl Kind for WidgetKind {
    type Root = Widget;
    type Resolved = Seen;
    type Status = WidgetStatus;

    const NAME: &'static str = "widget";

    fn resolve(&self, root: &Widget, view: &View<'_>) -> Seen {
        let namespace = root.namespace().unwrap_or_default();
        let friend = root.spec.friend.as_deref();
        let friend =
            friend.map(|name| view.root::<Widget>(Some(&namespace), name).map(|f| f.spec.size));
        let set = ObjectKey::namespaced(STATEFUL_SETS, &namespace, root.name_any());
        let set = view.object(&set).filter(|_| root.spec.stateful);
        Seen { friend, replicas: set.and_then(|set| set.part("/spec/replicas")) }
    }

    fn validate(&self, root: &Widget, resolved: &Seen) -> Vec<Problem> {
        let mut problems = Vec::new();
        if root.spec.wrong {
            problems.push(Problem::new("Wrong", "spec.wrong", "is wrong: set it to false"));
        }
        if resolved.friend == Some(None) {
            problems.push(Problem::new("NoFriend", "spec.friend", "there is no such widget"));
        }
        problems
    }

    fn plan(&self, root: &Widget, _resolved: &Seen) -> Plan {
        let (name, spec) = (root.name_any(), &root.spec);
        assert!(!spec.panic, "asked to panic");
        let meta = |suffix: &str| {
            json!({
                "name": if suffix.is_empty() { name.clone() } else { format!("{name}-{suffix}") },
                "namespace": root.namespace(),
                "labels": {"app.kubernetes.io/managed-by": "polder-test", "part": suffix},
            })
        };
        let map = |rank: u8, (suffix, value): (&String, &String)| {
            let object = json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": meta(suffix),
                "data": {"value": value, "list": ""}, "binaryData": {},
            });
            Child::new(CONFIG_MAPS, rank, &object)
        };
        let mut children: Vec<Child> = spec.maps.iter().map(|entry| map(0, entry)).collect();
        children.extend(spec.late.iter().map(|entry| map(1, entry)));
        if let Some(port) = spec.port {
            let object = json!({
                "apiVersion": "v1", "kind": "Service", "metadata": meta("service"),
                "spec": {"selector": {"app": name}, "ports": [{"name": "web", "port": port, "protocol": "TCP"}]},
            });
            children.push(Child::new(SERVICES, 0, &object));
        }
        if spec.secret {
            let exists = root.status.as_ref().is_some_and(|status| status.secret);
            let object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": meta("secret"), "immutable": true});
            let ownership = Ownership::Generated { key: "token".to_owned(), bytes: 32, exists };
            children.push(Child::new(SECRETS, 0, &object).with_ownership(ownership));
        }
        if let Some(namespace) = &spec.namespace {
            let object = json!({
                "apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": namespace, "labels": {"test.polder.dev/widget": name, "app.kubernetes.io/managed-by": "polder-test"}},
            });
            let consent = ("test.polder.dev/widget".to_owned(), name.clone());
            let ownership = Ownership::Retained { consent };
            children.push(Child::new(NAMESPACES, 0, &object).with_ownership(ownership));
        }
        for object in &spec.objects {
            let mut object = object.clone();
            object["metadata"]["namespace"] = json!(root.namespace());
            let kind = object["kind"].as_str().unwrap_or_default();
            let resource = VARIETY.iter().copied().find(|r| r.kind == kind).unwrap();
            children.push(Child::new(resource, 0, &object));
        }
        if spec.stateful {
            children.push(Child::new(STATEFUL_SETS, 0, &stateful_set(&meta(""), &name)));
        }
        Plan { children, hold_after: spec.hold.then_some(0), ..Plan::default() }
    }

    fn status(&self, root: &Widget, resolved: &Seen, report: &Report) -> WidgetStatus {
        let had_secret = root.status.as_ref().is_some_and(|status| status.secret);
        WidgetStatus {
            observed_generation: root.metadata.generation.unwrap_or_default(),
            conditions: conditions(root.metadata.generation, report),
            secret: root.spec.secret && (had_secret || !report.generated.is_empty()),
            friend_size: resolved.friend.flatten(),
            replicas: resolved.replicas,
            held: report.held,
        }
    }
}

fn stateful_set(meta: &Value, name: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta,
        "spec": {
            "serviceName": name, "replicas": 1, "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{
                    "name": "main", "image": "example.com/none:1", "args": [],
                    "ports": [{"containerPort": 80, "protocol": "TCP"}],
                    "resources": {"requests": {"cpu": "0.5", "memory": "1024Mi"}},
                    "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],
                }], "volumes": [{"name": "scratch", "emptyDir": {}}]},
            },
            "volumeClaimTemplates": [{
                "metadata": {"name": "data"},
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"}}},
            }],
        },
    })
}

/// Ready, and Stalled where somebody has to act.
fn conditions(generation: Option<i64>, report: &Report) -> Vec<Condition> {
    let ready = ready(generation, report);
    let needs_person = ["Wrong", "Conflict", "Rejected"].contains(&ready.reason.as_str());
    let stalled = needs_person.then(|| Condition {
        type_: "Stalled".to_owned(),
        status: "True".to_owned(),
        ..ready.clone()
    });
    [Some(ready), stalled].into_iter().flatten().collect()
}

fn ready(generation: Option<i64>, report: &Report) -> Condition {
    let first = |faults: &[polder::engine::Fault]| faults.first().map(|f| f.message.clone());
    let (reason, message) = if let Some(problem) = report.problems.first() {
        (problem.reason, format!("{} {}", problem.field, problem.message))
    } else if let Some(message) = first(&report.conflicts) {
        ("Conflict", message)
    } else if let Some(message) = first(&report.rejected) {
        ("Rejected", message)
    } else if let Some(message) = first(&report.failed) {
        ("Failed", message)
    } else if report.held {
        ("Held", first(&report.waiting).unwrap_or_default())
    } else {
        ("Ok", String::new())
    };
    Condition {
        type_: "Ready".to_owned(),
        status: if reason == "Ok" { "True" } else { "False" }.to_owned(),
        reason: reason.to_owned(),
        message,
        observed_generation: generation,
        last_transition_time: k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(
            k8s_openapi::jiff::Timestamp::UNIX_EPOCH,
        ),
    }
}

pub struct GadgetKind;

impl Kind for GadgetKind {
    type Root = Gadget;
    type Resolved = bool;
    type Status = WidgetStatus;

    const NAME: &'static str = "gadget";
    const FINALIZER: Option<&'static str> = Some("test.polder.dev/gadget");

    fn resolve(&self, root: &Gadget, view: &View<'_>) -> bool {
        view.object(&gadget_map(root)).is_some()
    }

    fn validate(&self, _root: &Gadget, _resolved: &bool) -> Vec<Problem> {
        Vec::new()
    }

    fn plan(&self, root: &Gadget, _resolved: &bool) -> Plan {
        let key = gadget_map(root);
        let object = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": key.name, "namespace": key.namespace},
            "data": {"value": "1"},
        });
        let consent = ("gadget".to_owned(), root.name_any());
        let child =
            Child::new(CONFIG_MAPS, 0, &object).with_ownership(Ownership::Retained { consent });
        Plan { children: vec![child], ..Plan::default() }
    }

    fn status(&self, root: &Gadget, _resolved: &bool, report: &Report) -> WidgetStatus {
        WidgetStatus {
            observed_generation: root.metadata.generation.unwrap_or_default(),
            conditions: vec![ready(root.metadata.generation, report)],
            ..WidgetStatus::default()
        }
    }

    fn finalize(&self, root: &Gadget, there: &bool) -> Finalize {
        if *there { Finalize::Wait { delete: vec![gadget_map(root)] } } else { Finalize::Done }
    }
}

fn gadget_map(root: &Gadget) -> ObjectKey {
    ObjectKey::namespaced(CONFIG_MAPS, &root.spec.namespace, format!("{}-gadget", root.name_any()))
}
