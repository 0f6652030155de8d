//! `polder tree`: what one of ours consists of, and how each part stands.

use std::{collections::BTreeMap, process::ExitCode};

use clap::Args;
use kube::api::ListParams;
use serde::Serialize;

use super::{
    cluster::{Any, Child, Children, Named, Object, RootKind, Scope, children, waiting},
    error::Error,
    show::{Output, Style, Tone},
    state::{self, Shown},
    status::State,
};
use crate::{api::conditions, build::labels, engine::ResourceType};

/// Which object.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    object: Named<Any>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    scope: Scope,
}

/// An object and what it made.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    kind: &'static str,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    state: String,
    #[serde(skip)]
    tone: Tone,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    children: Vec<Node>,
}

/// The whole answer.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Tree {
    #[serde(flatten)]
    root: Node,
    /// Types that may not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unread: Vec<String>,
}

pub(super) async fn execute(arguments: &Arguments) -> Result<ExitCode, Error> {
    let cluster = arguments.scope.connect().await?;
    let (kind, root, workloads, children) = waiting("reading the objects", async {
        let (kind, root) = arguments.object.find(&cluster).await?;
        let children = children(&cluster, kind, &root).await?;
        let mut workloads = Vec::new();
        if kind == RootKind::Domain {
            let namespace = root.status_text("/namespace").unwrap_or_else(|| root.name());
            for kind in RootKind::WORKLOADS {
                let all = ListParams::default();
                let list = cluster.list::<Object>(kind.resource(), Some(namespace), all).await?;
                workloads.extend(list.into_iter().map(|object| (kind, object)));
            }
        }
        Ok::<_, Error>((kind, root, workloads, children))
    })
    .await?;
    let tree = grow(kind, &root, workloads, children);
    arguments.output.print(&tree, |style| text(&tree, style))?;
    Ok(ExitCode::SUCCESS)
}

/// An object on its way into the tree.
struct Part {
    resource: ResourceType,
    object: Object,
    shown: Shown,
    parent: String,
}

/// Each under its owner; what has none that is shown, under the workload that its labels name.
fn grow(
    kind: RootKind,
    root: &Object,
    workloads: Vec<(RootKind, Object)>,
    children: Children,
) -> Tree {
    let top = uid(root).to_owned();
    let mut by_label = BTreeMap::new();
    let mut known: Vec<String> = vec![top.clone()];
    for (kind, object) in &workloads {
        by_label
            .insert((kind.label().to_owned(), object.name().to_owned()), uid(object).to_owned());
    }
    known.extend(workloads.iter().map(|(_, object)| uid(object).to_owned()));
    known.extend(children.found.iter().map(|child| uid(&child.object).to_owned()));
    let parent = |child: &Child| {
        let owners = child.object.metadata.owner_references.iter().flatten();
        let mut owners = owners.map(|owner| &owner.uid).filter(|uid| known.contains(uid));
        let labelled = || {
            let name = child.label(labels::NAME)?.to_owned();
            by_label.get(&(name, child.label(labels::INSTANCE)?.to_owned())).cloned()
        };
        owners.next().cloned().or_else(labelled).unwrap_or_else(|| top.clone())
    };
    let mut parts: Vec<Part> = workloads
        .into_iter()
        .map(|(kind, object)| Part {
            resource: kind.resource(),
            shown: of_root(&object),
            parent: top.clone(),
            object,
        })
        .collect();
    parts.extend(children.found.iter().map(|child| Part {
        resource: child.resource,
        object: child.object.clone(),
        shown: state::of(child),
        parent: parent(child),
    }));
    let mut by_parent: BTreeMap<String, Vec<Part>> = BTreeMap::new();
    for part in parts {
        by_parent.entry(part.parent.clone()).or_default().push(part);
    }
    let shown = of_root(root);
    let root = node(kind.resource().kind, root, shown, &mut by_parent);
    Tree { root, unread: children.unread }
}

fn node(
    kind: &'static str,
    object: &Object,
    shown: Shown,
    by_parent: &mut BTreeMap<String, Vec<Part>>,
) -> Node {
    let parts = by_parent.remove(uid(object)).unwrap_or_default();
    let mut children: Vec<Node> = parts
        .into_iter()
        .map(|part| node(part.resource.kind, &part.object, part.shown, by_parent))
        .collect();
    // What runs first, then what only lies there.
    children.sort_by_key(|child| (child.state.is_empty(), child.kind, child.name.clone()));
    Node { kind, name: object.name().to_owned(), state: shown.text, tone: shown.tone, children }
}

fn uid(object: &Object) -> &str {
    object.metadata.uid.as_deref().unwrap_or_default()
}

fn of_root(object: &Object) -> Shown {
    let state = State::of(object);
    let ready = object.condition(conditions::READY);
    let text = match ready.map(|ready| ready.reason).filter(|reason| !reason.is_empty()) {
        Some(reason) if reason != format!("{state:?}") => format!("{state:?} {reason}"),
        _ => format!("{state:?}"),
    };
    Shown { text, tone: state.tone() }
}

fn text(tree: &Tree, style: &Style) -> String {
    let mut text = String::new();
    write(&tree.root, "", "", style, &mut text);
    if !tree.unread.is_empty() {
        let note = format!("not shown, as you may not list them: {}\n", tree.unread.join(", "));
        text += &style.paint(&note, Tone::Dim);
    }
    text
}

fn write(node: &Node, first: &str, rest: &str, style: &Style, text: &mut String) {
    *text += first;
    *text += &style.paint(node.kind, Tone::Dim);
    *text += " ";
    *text += &node.name;
    if !node.state.is_empty() {
        *text += "  ";
        *text += &style.paint(&node.state, node.tone);
    }
    *text += "\n";
    let last = node.children.len().saturating_sub(1);
    for (index, child) in node.children.iter().enumerate() {
        let (branch, below) = if index == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        write(child, &format!("{rest}{branch}"), &format!("{rest}{below}"), style, text);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::build::types::{CLAIM, JOB, POD, SECRET};

    fn object(name: &str, owner: &str, instance: &str, status: &Value) -> Object {
        serde_json::from_value(json!({
            "metadata": {
                "name": name, "uid": name, "namespace": "sales",
                "labels": {"app.kubernetes.io/name": "batch-job", "app.kubernetes.io/instance": instance},
                "ownerReferences": [{"apiVersion": "v1", "kind": "X", "name": owner, "uid": owner}],
            },
            "status": status,
        }))
        .unwrap()
    }

    #[test]
    fn each_part_stands_under_its_owner_or_the_workload_of_its_labels() {
        let child = |resource, name, owner, status: Value| Child {
            resource,
            object: object(name, owner, "load", &status),
        };
        let failed = json!({"phase": "Failed", "containerStatuses": [{
            "name": "main", "ready": false, "restartCount": 0, "image": "", "imageID": "",
            "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]});
        let children = Children {
            found: vec![
                child(JOB, "load-1", "load", json!({"active": 1})),
                child(POD, "load-1-driver", "load-1", failed),
                child(POD, "load-1-executor", "load-1-driver", json!({"phase": "Pending"})),
                child(CLAIM, "load-1-disk", "nobody", json!({"phase": "Bound"})),
                child(SECRET, "load-secret", "load", Value::Null),
            ],
            unread: vec!["rolebindings".to_owned()],
        };
        let job = object("load", "none", "", &json!({}));
        let domain = object("sales", "none", "", &json!({"namespace": "sales"}));
        let tree = grow(RootKind::Domain, &domain, vec![(RootKind::BatchJob, job)], children);
        insta::assert_snapshot!(text(&tree, &Style::default()));
    }
}
