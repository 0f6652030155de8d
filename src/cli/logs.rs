//! `polder logs`: what the pods of a workload print.

use std::{collections::BTreeSet, process::ExitCode, time::Duration};

use clap::{Args, ValueEnum};
use futures::{AsyncBufReadExt, StreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;
use tokio::{sync::mpsc, task::JoinSet};

use super::{
    cluster::{Child, Cluster, Named, Object, RootKind, Scope, Workload, pods, waiting},
    error::Error,
    show::{note, print},
    state,
};
use crate::build::types::POD;

/// How often to look for pods that have come.
const LOOK: Duration = Duration::from_secs(1);
/// Lines on their way to the terminal.
const BUFFER: usize = 1024;

/// Which pods, and what of their logs.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    object: Named<Workload>,
    /// Pods of one role. Default: the driver or container, and of a cluster all.
    #[arg(long, value_enum)]
    role: Option<Role>,
    /// Go on with what is printed, and with pods that come.
    #[arg(short, long, conflicts_with = "previous")]
    follow: bool,
    /// What the containers printed before they were started again.
    #[arg(short, long)]
    previous: bool,
    /// Only the last lines of each pod.
    #[arg(long, value_name = "LINES", value_parser = clap::value_parser!(i64).range(0..))]
    tail: Option<i64>,
    /// Only what is not older, such as `10m` or `1h30m`.
    #[arg(long, value_name = "SPAN", value_parser = seconds)]
    since: Option<i64>,
    /// Begin each line with its time.
    #[arg(long)]
    timestamps: bool,
    #[command(flatten)]
    scope: Scope,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Role {
    Driver,
    Executor,
    Master,
    Worker,
    Container,
    All,
}

impl Role {
    fn includes(role: Option<Self>, component: &str) -> bool {
        let is = |kind: &str| component == kind;
        match role {
            None => !is("executor"),
            Some(Self::All) => true,
            Some(Self::Driver) => is("driver"),
            Some(Self::Executor) => is("executor"),
            Some(Self::Master) => is("master"),
            Some(Self::Worker) => is("worker"),
            Some(Self::Container) => is("container"),
        }
    }

    /// More pods of the role may come while the workload runs.
    fn comes_later(role: Option<Self>) -> bool {
        matches!(role, Some(Self::Executor | Self::Worker | Self::All))
    }
}

/// A span of time, in seconds.
pub(super) fn seconds(text: &str) -> Result<i64, String> {
    match crate::api::batch_job::Duration(text.to_owned()).seconds() {
        seconds if seconds > 0 && text.ends_with(['s', 'm', 'h', 'd']) => Ok(seconds),
        _ => Err("must be a span of time such as 30s, 10m or 1h30m".to_owned()),
    }
}

pub(super) async fn execute(arguments: &Arguments) -> Result<ExitCode, Error> {
    let cluster = arguments.scope.connect().await?;
    let (kind, root) = waiting("finding the workload", arguments.object.find(&cluster)).await?;
    let (sender, mut lines) = mpsc::channel(BUFFER);
    let read = read(&cluster, kind, &root, arguments, sender);
    let write = async {
        while let Some(line) = lines.recv().await {
            print(&line)?;
        }
        Ok::<_, Error>(())
    };
    let (code, ()) = tokio::try_join!(read, write)?;
    Ok(code)
}

/// Reads the logs of all pods there are, and if asked of those that come, until all have ended.
async fn read(
    cluster: &Cluster,
    kind: RootKind,
    root: &Object,
    arguments: &Arguments,
    lines: mpsc::Sender<String>,
) -> Result<ExitCode, Error> {
    let mut seen = BTreeSet::new();
    let mut streams = JoinSet::new();
    let mut failed = false;
    loop {
        let all = waiting("looking for pods", pods(cluster, kind, root)).await?;
        let chosen: Vec<&Child> =
            all.iter().filter(|pod| Role::includes(arguments.role, pod.role())).collect();
        let are_many = chosen.len() > 1 || arguments.follow && Role::comes_later(arguments.role);
        for pod in &chosen {
            let is_readable =
                if arguments.previous { has_restarted(pod) } else { has_started(pod) };
            if is_readable && seen.insert(pod.object.metadata.uid.clone()) {
                let name = pod.object.name().to_owned();
                let prefix = if are_many { format!("[{name}] ") } else { String::new() };
                let place = (pod.object.namespace().to_owned(), name);
                let stream =
                    stream(cluster.clone(), place, parameters(arguments), prefix, lines.clone());
                streams.spawn(stream);
            }
        }
        if !arguments.follow {
            nothing_to_read(&chosen, &seen, kind, root, arguments)?;
            break;
        }
        let is_over = !chosen.is_empty() && chosen.iter().all(|pod| has_ended(pod));
        if is_over && streams.is_empty() {
            break;
        }
        tokio::select! {
            Some(result) = streams.join_next(), if !streams.is_empty() => failed |= !ended(result)?,
            () = tokio::time::sleep(LOOK) => {}
        }
        if lines.is_closed() {
            break;
        }
    }
    while let Some(result) = streams.join_next().await {
        failed |= !ended(result)?;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Whether a stream ended well.
fn ended(result: Result<Result<(), Error>, tokio::task::JoinError>) -> Result<bool, Error> {
    match result {
        Ok(Ok(())) => Ok(true),
        Ok(Err(Error::Refused(why))) => {
            note(&format!("polder: {why}"));
            Ok(false)
        }
        Ok(Err(error)) => Err(error),
        Err(error) => Err(Error::Usage(error.to_string())),
    }
}

fn parameters(arguments: &Arguments) -> LogParams {
    LogParams {
        follow: arguments.follow,
        previous: arguments.previous,
        tail_lines: arguments.tail,
        since_seconds: arguments.since,
        timestamps: arguments.timestamps,
        ..LogParams::default()
    }
}

async fn stream(
    cluster: Cluster,
    (namespace, name): (String, String),
    parameters: LogParams,
    prefix: String,
    lines: mpsc::Sender<String>,
) -> Result<(), Error> {
    let stream = cluster.api::<Pod>(&namespace).log_stream(&name, &parameters).await;
    let stream = stream.map_err(|error| cluster.refused(&error, POD))?;
    let mut read = stream.lines();
    while let Some(line) = read.next().await {
        let line =
            line.map_err(|error| Error::Refused(format!("the log of {name} broke off: {error}")))?;
        // Nobody reads any longer.
        if lines.send(format!("{prefix}{line}\n")).await.is_err() {
            break;
        }
    }
    Ok(())
}

fn has_started(pod: &Child) -> bool {
    let status = pod.pod_status();
    state::containers(&status).into_iter().any(|container| {
        let state = container.state.as_ref();
        let runs = state.is_some_and(|it| it.running.is_some() || it.terminated.is_some());
        runs || container.restart_count > 0
    })
}

/// Whether a container of it had a life before this one.
fn has_restarted(pod: &Child) -> bool {
    let status = pod.pod_status();
    state::containers(&status).into_iter().any(|container| container.restart_count > 0)
}

fn has_ended(pod: &Child) -> bool {
    matches!(pod.pod_status().phase.as_deref(), Some("Succeeded" | "Failed"))
}

/// Says why there is nothing to show.
fn nothing_to_read(
    chosen: &[&Child],
    seen: &BTreeSet<Option<String>>,
    kind: RootKind,
    root: &Object,
    arguments: &Arguments,
) -> Result<(), Error> {
    if !seen.is_empty() {
        return Ok(());
    }
    let object = root.called(kind);
    Err(Error::Usage(match (chosen.first(), arguments.role) {
        (Some(_), _) if arguments.previous => {
            format!("no container of {object} has been started again; leave out --previous")
        }
        (Some(pod), _) => format!(
            "pod {} has not started yet ({}); --follow waits for it, `polder why {object}` tells more",
            pod.object.name(),
            state::of(pod).text
        ),
        (None, Some(role)) => format!(
            "{object} has no pod of the role {role:?}; without --role all are shown, --follow waits for one"
        ),
        (None, None) => format!(
            "{object} has no pods: `polder why {object}` tells why, --follow waits for them"
        ),
    }))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(None, "driver", true)]
    #[case(None, "executor", false)]
    #[case(None, "worker", true)]
    #[case(Some(Role::Executor), "executor", true)]
    #[case(Some(Role::Executor), "driver", false)]
    #[case(Some(Role::All), "executor", true)]
    fn pods_are_chosen_by_role(#[case] role: Option<Role>, #[case] pod: &str, #[case] is: bool) {
        assert_eq!(Role::includes(role, pod), is);
    }

    #[test]
    fn spans_are_those_of_the_api() {
        assert_eq!(seconds("1h30m"), Ok(5400));
        assert!(seconds("soon").is_err() && seconds("10").is_err() && seconds("").is_err());
    }
}
