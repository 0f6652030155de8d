//! `polder why`: from the condition of one of ours down to the event, the pod and the line of its
//! log that explain it.

mod evidence;
mod log_line;
mod suspect;
#[cfg(test)]
mod tests;
mod text;

use std::process::ExitCode;

use clap::Args;
use futures::future::join_all;
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::{ListParams, LogParams};

use super::{
    cluster::{
        Any, Child, Cluster, Named, Object, RootKind, Scope, children_with_state, of_newest_run,
        waiting,
    },
    error::Error,
    show::Output,
};
use crate::{
    build::types::{CLAIM, JOB, POD, STATEFUL_SET},
    engine::ResourceType,
};
use evidence::{Evidence, Gathered, Happened, conclude};
use suspect::Suspect;

/// Lines of a log in which the explanation is looked for.
const LINES: i64 = 400;
const EVENTS: ResourceType = ResourceType::namespaced::<Event>();
/// Where events about objects without a namespace are.
const CLUSTER_EVENTS: &str = "default";

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

/// Explains, and ends with 1 if something is wrong.
pub(super) async fn execute(arguments: &Arguments) -> Result<ExitCode, Error> {
    let cluster = arguments.scope.connect().await?;
    let answer = waiting("looking at conditions, pods, events and logs", async {
        let (kind, root) = arguments.object.find(&cluster).await?;
        explain(&cluster, kind, &root).await
    })
    .await?;
    arguments.output.print(&answer, |style| text::answer(&answer, style))?;
    Ok(if answer.is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn explain(cluster: &Cluster, kind: RootKind, root: &Object) -> Result<Evidence, Error> {
    let mut gathered = Gathered::default();
    if !root.is_ready() && !root.is_suspended() {
        gather(cluster, kind, root, &mut gathered).await?;
    }
    Ok(conclude(kind, root, &gathered, jiff::Timestamp::now()))
}

async fn gather(
    cluster: &Cluster,
    kind: RootKind,
    root: &Object,
    gathered: &mut Gathered,
) -> Result<(), Error> {
    let children = children_with_state(cluster, kind, root).await?;
    gathered.unread.clone_from(&children.unread);
    let pods: Vec<Child> = children.of(POD).cloned().collect();
    let pods = if kind == RootKind::BatchJob { of_newest_run(pods) } else { pods };
    gathered.suspect = Suspect::worst(&pods);
    let mut asked = vec![about(cluster, kind.resource().kind, root)];
    let makers = [STATEFUL_SET, JOB].into_iter().flat_map(|resource| children.of(resource));
    let unbound = children
        .of(CLAIM)
        .filter(|it| it.object.status.get("phase").is_none_or(|phase| phase != "Bound"));
    let pod = gathered
        .suspect
        .as_ref()
        .and_then(|suspect| pods.iter().find(|pod| pod.object.name() == suspect.pod));
    // A few of each: a domain may have hundreds.
    let more = makers.take(5).chain(unbound.take(3)).chain(pod);
    asked.extend(more.map(|child| about(cluster, child.resource.kind, &child.object)));
    for events in join_all(asked).await {
        match events {
            Ok(events) => gathered.events.extend(events),
            Err(Error::Forbidden(_)) => gathered.unread.push("events".to_owned()),
            Err(error) => return Err(error),
        }
    }
    if let Some(suspect) = &gathered.suspect {
        match log(cluster, suspect).await {
            Ok(log) => gathered.log = log_line::explaining(&log),
            Err(kube::Error::Api(status)) if status.code == 403 => {
                gathered.unread.push("logs of pods".to_owned());
            }
            // A container that has not started has none, one that is gone no longer.
            Err(_) => {}
        }
    }
    Ok(())
}

/// Warnings about an object, newest first.
async fn about(cluster: &Cluster, kind: &str, object: &Object) -> Result<Vec<Happened>, Error> {
    let namespace = match object.namespace() {
        "" => CLUSTER_EVENTS,
        namespace => namespace,
    };
    let which =
        format!("type=Warning,involvedObject.kind={kind},involvedObject.name={}", object.name());
    let which = ListParams::default().fields(&which);
    let mut events: Vec<Event> = cluster.list(EVENTS, Some(namespace), which).await?;
    // Of an earlier object with the name.
    events.retain(|event| {
        event.involved_object.uid.is_none() || event.involved_object.uid == object.metadata.uid
    });
    Ok(events.iter().map(Happened::from).collect())
}

async fn log(cluster: &Cluster, suspect: &Suspect) -> kube::Result<String> {
    let Some(container) = &suspect.container else { return Ok(String::new()) };
    let parameters = LogParams {
        container: Some(container.clone()),
        previous: suspect.is_previous,
        tail_lines: Some(LINES),
        ..LogParams::default()
    };
    cluster.api::<Pod>(&suspect.namespace).logs(&suspect.pod, &parameters).await
}
