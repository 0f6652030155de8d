//! How Kubernetes' own objects stand, in a few words.

use k8s_openapi::api::core::v1::{ContainerStatus, PodStatus};
use serde_json::Value;

use super::{cluster::Child, show::Tone};

/// A few words, and how good they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) text: String,
    pub(super) tone: Tone,
}

fn shown(text: impl Into<String>, tone: Tone) -> Shown {
    Shown { text: text.into(), tone }
}

/// How a child stands; nothing of what only lies there.
pub(super) fn of(child: &Child) -> Shown {
    let status = &child.object.status;
    if child.object.metadata.deletion_timestamp.is_some() {
        return shown("Deleting", Tone::Warn);
    }
    let number = |pointer: &str| status.pointer(pointer).and_then(Value::as_i64).unwrap_or(0);
    match child.resource.kind {
        "Pod" => of_pod(&child.pod_status()),
        "StatefulSet" => {
            let (ready, wanted) = (
                number("/readyReplicas"),
                child.object.spec.get("replicas").and_then(Value::as_i64).unwrap_or(1),
            );
            let tone = if ready >= wanted { Tone::Good } else { Tone::Warn };
            shown(format!("{ready}/{wanted} ready"), tone)
        }
        "Job" => of_job(status),
        "CronJob" => {
            let is_suspended = child.object.spec.get("suspend") == Some(&Value::Bool(true));
            let cron = child.object.spec.get("schedule").and_then(Value::as_str);
            if is_suspended {
                shown("suspended", Tone::Dim)
            } else {
                shown(format!("at {}", cron.unwrap_or_default()), Tone::Plain)
            }
        }
        "PersistentVolumeClaim" => {
            let text = |pointer| status.pointer(pointer).and_then(Value::as_str);
            let phase = text("/phase").unwrap_or("Pending");
            let size = text("/capacity/storage").unwrap_or_default();
            let tone = if phase == "Bound" { Tone::Good } else { Tone::Warn };
            shown(format!("{phase} {size}").trim_end(), tone)
        }
        _ => Shown::default(),
    }
}

fn of_job(status: &Value) -> Shown {
    let conditions = status.get("conditions").and_then(Value::as_array);
    let is_true = |type_: &str| {
        conditions.into_iter().flatten().find(|it| it["type"] == type_ && it["status"] == "True")
    };
    if is_true("Complete").is_some() {
        return shown("Complete", Tone::Good);
    }
    match is_true("Failed") {
        Some(failed) => {
            let reason = failed.get("reason").and_then(Value::as_str).unwrap_or_default();
            shown(format!("Failed {reason}").trim_end(), Tone::Bad)
        }
        None => shown("Running", Tone::Plain),
    }
}

/// How a pod stands: as `kubectl get pods` says it, with restarts.
pub(super) fn of_pod(status: &PodStatus) -> Shown {
    let all = containers(status);
    let reason = all.iter().find_map(|container| {
        let state = container.state.as_ref()?;
        let waiting = state.waiting.as_ref().and_then(|waiting| waiting.reason.clone());
        let ended = state.terminated.as_ref().filter(|ended| ended.exit_code != 0);
        waiting.or_else(|| ended.map(|ended| ended.reason.clone().unwrap_or("Error".to_owned())))
    });
    let phase = status.phase.as_deref().unwrap_or("Pending");
    let is_ready = status
        .conditions
        .iter()
        .flatten()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True");
    let restarts: i32 = all.iter().map(|container| container.restart_count).sum();
    let restarts = if restarts > 0 { format!(", {restarts} restarts") } else { String::new() };
    let (text, tone) = match (phase, reason) {
        ("Succeeded", _) => ("Succeeded".to_owned(), Tone::Dim),
        ("Failed", reason) => (
            format!("Failed {}", reason.or_else(|| status.reason.clone()).unwrap_or_default()),
            Tone::Bad,
        ),
        (_, Some(reason)) if reason == "ContainerCreating" || reason == "PodInitializing" => {
            (reason, Tone::Warn)
        }
        (_, Some(reason)) => (reason, Tone::Bad),
        ("Running", None) if is_ready => ("Running".to_owned(), Tone::Good),
        ("Running", None) => ("Running, not ready".to_owned(), Tone::Warn),
        (phase, None) => (phase.to_owned(), Tone::Warn),
    };
    shown(format!("{}{restarts}", text.trim_end()), tone)
}

/// All containers of a pod, those that prepare it first.
pub(super) fn containers(status: &PodStatus) -> Vec<&ContainerStatus> {
    let init = status.init_container_statuses.iter().flatten();
    init.chain(status.container_statuses.iter().flatten()).collect()
}
