//! `polder diff`: what applying manifests would change in a cluster, and which pods would restart.
//!
//! Both sides are planned by the operator's own code from what the cluster holds: once as it is, and
//! once with the manifests in it. So what the API server adds is in neither, and a change of a Domain
//! shows in all its workloads, also in those that are not among the files.

mod live;
mod text;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    process::ExitCode,
};

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use kube::Config;
use serde::Serialize;
use serde_json::{Value, json};

use self::live::Live;
use super::{
    lint::told,
    manifests::{self, Manifests},
    operator,
};
use crate::{
    engine::{Child, ObjectKey, Problem, Refused, client},
    offline::{
        cel,
        changes::{Change, Effect, changes, effect},
        manifest, plan,
        schema::Schemas,
        world::{self, World},
    },
};

/// What to compare, and how to show it.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    manifests: Manifests,
    /// How to show differences.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// How differences are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

/// Why nothing could be compared.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The manifests cannot be taken in.
    #[error(transparent)]
    Manifests(#[from] manifests::Error),
    /// A bug.
    #[error(transparent)]
    World(#[from] world::Error),
    /// A bug.
    #[error(transparent)]
    Rules(#[from] cel::Twice),
    /// There are mistakes in the manifests.
    #[error("the manifests are not right; mend them first:\n{0}")]
    Wrong(String),
    /// No cluster is known.
    #[error("cannot find the API server: {0}; set KUBECONFIG")]
    Config(#[from] kube::config::InferConfigError),
    /// No client.
    #[error(transparent)]
    Client(#[from] crate::engine::EngineError),
    /// No threads.
    #[error(transparent)]
    Threads(#[from] operator::Error),
    /// Polder is not installed there.
    #[error(
        "the cluster does not know Polder's kinds; install its chart first, or use polder plan"
    )]
    NoKinds,
    /// The user may not read.
    #[error(
        "you may not read what has to be compared: {0}; ask for a role in the domain (spec.members)"
    )]
    Forbidden(String),
    /// The API server cannot be asked.
    #[error(
        "cannot ask the API server: {0}; check the kubeconfig and that the server can be reached"
    )]
    Request(#[source] Box<kube::Error>),
    /// The output cannot be written.
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
}

/// What becomes of one root.
#[derive(Debug, Serialize)]
struct Difference {
    /// `Kind namespace/name`.
    root: String,
    /// Its children that differ.
    children: Vec<ChildDifference>,
    /// What that does to pods.
    effects: Vec<Effect>,
    /// What is wrong with it then, so that nothing of it would be done.
    problems: Vec<String>,
}

/// What becomes of one child.
#[derive(Debug, Serialize)]
struct ChildDifference {
    /// `Kind namespace/name`.
    child: String,
    /// `create`, `change` or `delete`.
    action: &'static str,
    /// Its fields that change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<Change>,
}

pub(super) fn execute(arguments: &Arguments) -> Result<ExitCode, Error> {
    let manifests = &arguments.manifests;
    let set = manifests.set()?;
    if !set.findings.is_empty() {
        return Err(Error::Wrong(told(&set.findings)));
    }
    let homes: BTreeSet<&str> = set.manifests.iter().filter_map(|it| it.home()).collect();
    let homes: Vec<String> = homes.into_iter().map(str::to_owned).collect();
    let live = operator::threads()?.block_on(async {
        let client = client(Config::infer().await?)?;
        Live::read(&client, &homes).await
    })?;
    for unread in &live.unread {
        eprintln!("you may not list {unread}: what depends on it may be told wrong");
    }
    let wanted: Vec<Value> = set.manifests.iter().map(manifest::Manifest::value).collect();
    let all = differences(manifests, &live, &wanted)?;
    let shown = match arguments.output {
        Output::Text => text::text(&all),
        Output::Json => format!("{:#}\n", json!({"differences": all})),
    };
    io::stdout().lock().write_all(shown.as_bytes())?;
    Ok(if all.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn differences(
    manifests: &Manifests,
    live: &Live,
    wanted: &[Value],
) -> Result<Vec<Difference>, Error> {
    let mut after: BTreeMap<String, Value> =
        live.roots.iter().map(|it| (key(it), it.clone())).collect();
    let before = after.clone();
    let (schemas, mut refused) = (Schemas::new()?, Vec::new());
    for root in wanted {
        let (name, kind) = (key(root), root.get("kind").and_then(Value::as_str));
        let problems = match (before.get(&name), kind) {
            (Some(live), Some(kind)) => schemas.forbidden(kind, live, root),
            _ => Vec::new(),
        };
        // The API server would leave it as it is.
        if problems.is_empty() {
            let merged = merged(before.get(&name), root);
            after.insert(name, merged);
        } else {
            refused.push(Difference::refused(name, problems.iter().map(line).collect()));
        }
    }
    let roots: Vec<&Value> = before.values().chain(after.values()).collect();
    let world = |roots: &BTreeMap<String, Value>, all: &[&Value]| -> Result<World, Error> {
        let installation = world::with_some_images(manifests.installation(), all.iter().copied());
        // Whether pods restart hangs on the whole of them, image included.
        let installation = world::with_images_of(installation, live.roots.iter());
        let mut world = World::new(installation)?;
        for object in live.objects.iter().chain(roots.values()) {
            // What others wrote may be of any shape; what cannot be read is not there.
            let _ = if object.get("status").is_some() || !roots.contains_key(&key(object)) {
                world.put(object)
            } else {
                world.apply(object)
            };
        }
        Ok(world)
    };
    let (old, new) = (world(&before, &roots)?, world(&after, &roots)?);
    let now = Timestamp::now();
    let differences = after.iter().filter_map(|(name, root)| {
        let was = before.get(name).map(|root| old.plan_at(root, now));
        difference(name, was, new.plan_at(root, now))
    });
    Ok(refused.into_iter().chain(differences).collect())
}

impl Difference {
    /// Of a root that stays as it is.
    fn refused(root: String, problems: Vec<String>) -> Self {
        Self { root, children: Vec::new(), effects: Vec::new(), problems }
    }
}

type Planned = Result<crate::engine::Plan, Refused>;

fn difference(name: &str, was: Option<Planned>, will_be: Planned) -> Option<Difference> {
    let (before, is_known) = match was {
        Some(Ok(plan)) => (children(&plan.children), true),
        Some(Err(_)) => (BTreeMap::new(), false),
        None => (BTreeMap::new(), true),
    };
    let (after, keep, problems) = match will_be {
        Ok(plan) => (children(&plan.children), plan.keep, Vec::new()),
        // What was wrong before, and is not touched, is no difference.
        Err(_) if !is_known => return None,
        Err(Refused::Problems(all)) => (before.clone(), Vec::new(), all.iter().map(line).collect()),
        Err(Refused::Unreadable(error)) => (before.clone(), Vec::new(), vec![error.to_string()]),
    };
    let keys: BTreeSet<&ObjectKey> = before.keys().chain(after.keys()).collect();
    let keys = keys.into_iter().filter(|key| after.contains_key(key) || !keep.contains(key));
    let (mut all, mut effects) = (Vec::new(), Vec::new());
    let pairs: Vec<_> =
        keys.map(|key| (key, before.get(key), after.get(key))).filter(|(_, b, a)| b != a).collect();
    let others: Vec<Change> = pairs
        .iter()
        .filter(|(key, ..)| key.resource.kind == "ConfigMap")
        .filter_map(|(_, before, after)| Some(changes((*before)?, (*after)?)))
        .flatten()
        .collect();
    for (key, before, after) in pairs {
        effects.extend(effect(before, after, &others));
        let (action, changes) = match (before, after) {
            (None, _) => ("create", Vec::new()),
            (_, None) => ("delete", Vec::new()),
            (Some(before), Some(after)) => ("change", changes(before, after)),
        };
        all.push(ChildDifference { child: key.to_string(), action, changes });
    }
    let is_none = all.is_empty() && problems.is_empty();
    (!is_none).then(|| Difference { root: name.to_owned(), children: all, effects, problems })
}

fn line(problem: &Problem) -> String {
    format!("{}: {} [{}]", problem.field, problem.message, problem.reason)
}

fn children(children: &[Child]) -> BTreeMap<ObjectKey, Value> {
    children.iter().map(|child| (child.key(), plan::shown(child))).collect()
}

/// The manifest as it would stand in the cluster.
fn merged(live: Option<&Value>, wanted: &Value) -> Value {
    let Some(live) = live else { return wanted.clone() };
    let mut object = wanted.clone();
    for field in ["uid", "generation", "creationTimestamp", "deletionTimestamp", "finalizers"] {
        if let (Some(Value::Object(metadata)), Some(value)) =
            (object.get_mut("metadata"), live.get("metadata").and_then(|it| it.get(field)))
        {
            metadata.insert(field.to_owned(), value.clone());
        }
    }
    if let (Value::Object(fields), Some(status)) = (&mut object, live.get("status")) {
        fields.insert("status".to_owned(), status.clone());
    }
    object
}

/// `Kind namespace/name`.
fn key(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (kind, namespace, name) =
        (text("/kind"), text("/metadata/namespace"), text("/metadata/name"));
    if namespace.is_empty() {
        format!("{kind} {name}")
    } else {
        format!("{kind} {namespace}/{name}")
    }
}
