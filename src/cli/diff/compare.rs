//! What becomes of each root and its children: by the manifests, and without them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{Error, live::Live};
use crate::{
    build::types::{CONFIG_MAP, STATEFUL_SET},
    engine::{Child, ObjectKey, Ownership, Plan, Problem, Refused},
    offline::{
        changes::{Change, Effect, changes, effect},
        plan,
        schema::Schemas,
        world::{self, World},
    },
    operator::Installation,
};

/// All that is told.
#[derive(Debug)]
pub(super) struct Found {
    /// What this version would change without the manifests, as far as it restarts pods.
    pub(super) without_files: Vec<Difference>,
    /// What the manifests change.
    pub(super) by_files: Vec<Difference>,
}

/// What becomes of one root.
#[derive(Debug, Serialize)]
pub(super) struct Difference {
    /// `Kind namespace/name`.
    pub(super) root: String,
    /// Its children that differ.
    pub(super) children: Vec<ChildDifference>,
    /// What that does to pods.
    pub(super) effects: Vec<Effect>,
    /// What is wrong with it then, so that nothing of it would be done.
    pub(super) problems: Vec<String>,
}

/// What becomes of one child.
#[derive(Debug, Serialize)]
pub(super) struct ChildDifference {
    /// `Kind namespace/name`.
    pub(super) child: String,
    /// `create`, `change` or `delete`.
    pub(super) action: &'static str,
    /// Its fields that change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) changes: Vec<Change>,
}

/// Roots by what they are called.
type Roots = BTreeMap<String, Value>;
type Planned = Result<Plan, Refused>;

/// Compares what a cluster holds with what it would hold, were these manifests applied.
pub(super) fn compare(
    installation: Installation,
    live: &Live,
    wanted: &[Value],
) -> Result<Found, Error> {
    let before: Roots = live.roots.iter().map(|it| (key(it), it.clone())).collect();
    let (after, refused) = applied(&before, wanted)?;
    let roots = before.values().chain(after.values());
    let installation = world::with_some_images(installation, roots);
    // Whether pods restart hangs on the whole of them, image included.
    let installation = world::with_images_of(installation, live.roots.iter());
    let (old, new) =
        (world(installation.clone(), live, &before)?, world(installation, live, &after)?);
    let now = Timestamp::now();
    let differences = after.iter().filter_map(|(name, root)| {
        let was = before.get(name).map(|root| old.plan_at(root, now));
        by_files(name, was, new.plan_at(root, now))
    });
    let by_files = refused.into_iter().chain(differences).collect();
    let objects: Roots = live.objects.iter().map(|it| (key(it), it.clone())).collect();
    let without_files = before
        .iter()
        .filter_map(|(name, root)| without_files(name, root, &old, &objects, now))
        .collect();
    Ok(Found { without_files, by_files })
}

/// Roots as they would be, and what the API server would refuse.
fn applied(before: &Roots, wanted: &[Value]) -> Result<(Roots, Vec<Difference>), Error> {
    let (mut after, mut refused) = (before.clone(), Vec::new());
    let schemas = Schemas::new()?;
    for root in wanted {
        let (name, kind) = (key(root), root.get("kind").and_then(Value::as_str));
        let problems = match (before.get(&name), kind) {
            (Some(live), Some(kind)) => schemas.forbidden(kind, live, root),
            _ => Vec::new(),
        };
        if problems.is_empty() {
            let merged = merged(before.get(&name), root);
            after.insert(name, merged);
        } else {
            // The API server would leave it as it is.
            let problems = problems.iter().map(line).collect();
            let (children, effects) = (Vec::new(), Vec::new());
            refused.push(Difference { root: name, children, effects, problems });
        }
    }
    Ok((after, refused))
}

fn world(installation: Installation, live: &Live, roots: &Roots) -> Result<World, Error> {
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
}

/// What the manifests change of a root.
fn by_files(name: &str, was: Option<Planned>, will_be: Planned) -> Option<Difference> {
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
    difference(name, keys.map(|key| (key, before.get(key), after.get(key))).collect(), problems)
}

/// What this version would change of a root that nobody touched, if that restarts pods. A child that
/// carries the digest of what is wanted is as it should be; of others, what was applied is compared.
fn without_files(
    name: &str,
    root: &Value,
    world: &World,
    objects: &Roots,
    now: Timestamp,
) -> Option<Difference> {
    let plan = world.plan_at(root, now).ok()?;
    // What pods are made of; the rest hangs on arguments of the operator that may not be known.
    let is_of_pods = |child: &&Child| {
        [STATEFUL_SET, CONFIG_MAP].contains(&child.resource)
            && child.ownership == Ownership::Controlled
    };
    let outdated = plan.children.iter().filter(is_of_pods).filter_map(|child| {
        let wanted = plan::shown(child);
        let applied = world.outdated(root, child, objects.get(&key(&wanted))?)?;
        Some((child.key(), applied, wanted))
    });
    let outdated: Vec<(ObjectKey, Value, Value)> = outdated.collect();
    let pairs = outdated.iter().map(|(key, applied, wanted)| (key, Some(applied), Some(wanted)));
    difference(name, pairs.collect(), Vec::new()).filter(|it| !it.effects.is_empty())
}

/// A child as it is and as it would be.
type Pair<'a> = (&'a ObjectKey, Option<&'a Value>, Option<&'a Value>);

/// What differs of the children of a root; `None` if nothing does.
fn difference(name: &str, pairs: Vec<Pair<'_>>, problems: Vec<String>) -> Option<Difference> {
    let told = pairs.into_iter().filter_map(|pair| Some((pair, child(&pair)?)));
    let told: Vec<(Pair<'_>, ChildDifference)> = told.collect();
    if told.is_empty() && problems.is_empty() {
        return None;
    }
    let of_configuration = told.iter().filter(|((key, ..), _)| key.resource == CONFIG_MAP);
    let of_configuration: Vec<Change> =
        of_configuration.flat_map(|(_, child)| child.changes.clone()).collect();
    let effects =
        told.iter().flat_map(|((_, was, will_be), _)| effect(*was, *will_be, &of_configuration));
    let effects = effects.collect();
    let children = told.into_iter().map(|(_, child)| child).collect();
    Some(Difference { root: name.to_owned(), children, effects, problems })
}

/// What becomes of a child; `None` if nothing does.
fn child((key, was, will_be): &Pair<'_>) -> Option<ChildDifference> {
    let (action, changes) = match (was, will_be) {
        (None, None) => return None,
        (None, _) => ("create", Vec::new()),
        (_, None) => ("delete", Vec::new()),
        (Some(was), Some(will_be)) => ("change", changes(was, will_be)),
    };
    let is_same = action == "change" && changes.is_empty();
    (!is_same).then(|| ChildDifference { child: key.to_string(), action, changes })
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
