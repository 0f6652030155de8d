//! Which pod explains best why a workload does not do what it should.

use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, PodStatus};

use super::super::{cluster::Child, state};

/// A pod in trouble, and its container.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Suspect {
    pub(super) namespace: String,
    pub(super) pod: String,
    /// How the pod stands.
    pub(super) state: String,
    /// Why no node takes it.
    pub(super) unscheduled: Option<String>,
    /// The container whose log tells.
    pub(super) container: Option<String>,
    /// Its log is that of its last life, not of this one.
    pub(super) is_previous: bool,
    /// Why it waits: reason and message.
    pub(super) waiting: Option<(String, String)>,
    /// How it ended last.
    pub(super) ended: Option<ContainerStateTerminated>,
}

impl Suspect {
    /// The pod that is worst off; `None` if none is.
    pub(super) fn worst(pods: &[Child]) -> Option<Self> {
        let ranked = pods.iter().filter_map(|pod| Some((rank(&pod.pod_status())?, pod)));
        let created = |pod: &Child| pod.object.metadata.creation_timestamp.clone();
        let (_, pod) = ranked.max_by_key(|(rank, pod)| (*rank, created(pod)))?;
        Some(Self::of(pod))
    }

    fn of(pod: &Child) -> Self {
        let status = pod.pod_status();
        let containers = state::containers(&status);
        let worst = containers.iter().copied().max_by_key(|container| trouble(container));
        let worst = worst.filter(|container| trouble(container) > 0);
        let unscheduled = status
            .conditions
            .iter()
            .flatten()
            .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
        let now = worst.and_then(|container| container.state.as_ref());
        let waiting = now.and_then(|state| state.waiting.as_ref());
        let last = worst.and_then(|container| container.last_state.as_ref()?.terminated.clone());
        let ended = now.and_then(|state| state.terminated.clone());
        Self {
            namespace: pod.object.namespace().to_owned(),
            pod: pod.object.name().to_owned(),
            state: state::of_pod(&status).text,
            unscheduled: unscheduled.and_then(|condition| condition.message.clone()),
            container: worst.map(|container| container.name.clone()),
            is_previous: ended.is_none() && last.is_some(),
            waiting: waiting.map(|waiting| {
                let text = |text: &Option<String>| text.clone().unwrap_or_default();
                (text(&waiting.reason), text(&waiting.message))
            }),
            ended: ended.or(last),
        }
    }
}

/// How bad a pod is off; `None` if it is well.
fn rank(status: &PodStatus) -> Option<u8> {
    let worst = state::containers(status).into_iter().map(trouble).max().unwrap_or(0);
    let is_ready = status
        .conditions
        .iter()
        .flatten()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True");
    match status.phase.as_deref() {
        Some("Succeeded") => None,
        Some("Failed") => Some(9),
        _ if is_ready => None,
        _ => Some(worst.max(1)),
    }
}

/// How bad a container is off.
fn trouble(container: &ContainerStatus) -> u8 {
    let state = container.state.as_ref();
    let ended = state.and_then(|state| state.terminated.as_ref());
    let waiting = state.and_then(|state| state.waiting.as_ref());
    let last = container.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    let is_starting = |reason: &str| matches!(reason, "ContainerCreating" | "PodInitializing");
    match (ended, waiting) {
        (Some(ended), _) if ended.exit_code != 0 => 8,
        (Some(_), _) => 0,
        (None, Some(waiting)) if !waiting.reason.as_deref().is_some_and(is_starting) => 7,
        _ if last.is_some_and(|last| last.exit_code != 0) => 6,
        (None, Some(_)) => 3,
        _ if !container.ready => 4,
        _ => 0,
    }
}
