//! What pods say of themselves: whether they run, and why not.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{ContainerStatus, PodStatus};

use crate::{
    build::spark::log_line::readable,
    engine::{ObjectKey, Record},
};

/// Reasons of waiting containers that need a person.
/// Source: <https://kubernetes.io/docs/concepts/containers/images/#imagepullbackoff>
const STUCK: &[&str] = &[
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "CrashLoopBackOff",
];

/// What a container says that ended because a Secret of it was rotated.
const SECRET_CHANGED: &str = "SecretChanged";

/// Why a pod does not do what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// CamelCase, as Kubernetes gives it: `ImagePullBackOff`, `OOMKilled`, `Unschedulable`.
    pub reason: String,
    /// In words, with the pod's name.
    pub message: String,
    /// A person has to act.
    pub needs_person: bool,
}

/// The status of a pod's record.
pub fn status(record: &Record) -> PodStatus {
    record.part("/status").unwrap_or_default()
}

/// Whether a pod is not finished.
pub fn is_active(record: &Record) -> bool {
    !matches!(status(record).phase.as_deref(), Some("Succeeded" | "Failed"))
}

/// What is wrong with a pod that should run.
pub fn trouble(record: &Record) -> Option<Trouble> {
    let status = status(record);
    let name = &record.key.name;
    if status.phase.as_deref() == Some("Failed") {
        return Some(failure(name, &status));
    }
    let containers = containers(&status);
    containers.iter().find_map(|container| waiting(name, container)).or_else(|| {
        let condition =
            status.conditions.iter().flatten().find(|condition| {
                condition.type_ == "PodScheduled" && condition.status == "False"
            })?;
        let reason = condition.reason.clone().unwrap_or_else(|| "Unschedulable".to_owned());
        let message = condition.message.clone().unwrap_or_default();
        Some(Trouble {
            reason,
            message: format!("pod {name} has no node yet: {message}"),
            needs_person: false,
        })
    })
}

/// Pods of a stateful set that cannot start from an old template although there is a newer one:
/// the set waits for them for ever. `update` is the set's newest revision.
/// Source: <https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback>
pub fn stuck(pods: &[Arc<Record>], update: Option<&str>) -> Vec<ObjectKey> {
    let Some((update, set)) = update.and_then(|update| Some((update, update.rsplit_once('-')?.0)))
    else {
        return Vec::new();
    };
    let is_outdated = |pod: &Record| {
        pod.labels.get("controller-revision-hash").is_some_and(|revision| {
            revision != update && revision.rsplit_once('-').is_some_and(|(name, _)| name == set)
        })
    };
    pods.iter()
        .filter(|pod| !pod.deleting && is_outdated(pod) && trouble(pod).is_some())
        .map(|pod| pod.key.clone())
        .collect()
}

/// Why a failed pod failed.
pub fn failure(name: &str, status: &PodStatus) -> Trouble {
    let terminated = containers(status)
        .into_iter()
        .filter_map(|container| container.state.as_ref()?.terminated.clone())
        .find(|terminated| terminated.exit_code != 0);
    if let Some(terminated) = terminated {
        let reason = own_reason(terminated.message.as_deref())
            .or(terminated.reason)
            .unwrap_or_else(|| "Error".to_owned());
        let last_words = last_words(terminated.message.as_deref());
        return Trouble {
            message: format!(
                "pod {name}: {reason}, exit code {}{last_words}",
                terminated.exit_code
            ),
            reason,
            needs_person: true,
        };
    }
    let reason = status.reason.clone().unwrap_or_else(|| "Failed".to_owned());
    let message = status.message.clone().unwrap_or_default();
    Trouble { message: format!("pod {name}: {reason} {message}"), reason, needs_person: true }
}

fn containers(status: &PodStatus) -> Vec<&ContainerStatus> {
    let init = status.init_container_statuses.iter().flatten();
    init.chain(status.container_statuses.iter().flatten()).collect()
}

fn waiting(pod: &str, container: &ContainerStatus) -> Option<Trouble> {
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.as_deref()?;
    if !STUCK.contains(&reason) {
        return None;
    }
    let mut message = waiting.message.clone().unwrap_or_default();
    if let Some(last) = container.last_state.as_ref().and_then(|state| state.terminated.as_ref()) {
        let words = last_words(last.message.as_deref());
        message = format!("last exit code {}{words}", last.exit_code);
    }
    let image = match reason {
        "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull" => {
            format!(" of image {}", container.image)
        }
        _ => String::new(),
    };
    let last = container.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    let own = last.and_then(|last| own_reason(last.message.as_deref()));
    Some(Trouble {
        // It starts again by itself, if it was told to often in a short time a little later.
        needs_person: own.as_deref() != Some(SECRET_CHANGED),
        reason: own.unwrap_or_else(|| reason.to_owned()),
        message: format!("pod {pod}: {reason}{image}: {message}"),
    })
}

/// What the scripts that containers start with say of their own end.
fn own_reason(message: Option<&str>) -> Option<String> {
    let (reason, _) = message?.split_once(": ")?;
    ["SecretMissing", SECRET_CHANGED].contains(&reason).then(|| reason.to_owned())
}

/// The end of what a container printed, short enough for a condition and without what says
/// nothing of a failure: log lines of progress, and the frames of Java's stack traces.
fn last_words(message: Option<&str>) -> String {
    const MOST: usize = 600;
    let message = readable(message.unwrap_or_default());
    let is_noise = |line: &str| {
        let line = line.trim_start();
        line.is_empty()
            || line.starts_with("INFO ")
            || line.contains(" INFO ")
            || line.starts_with("at ")
            || line.starts_with("WARNING: Using incubator modules")
            || (line.starts_with("... ") && line.ends_with(" more"))
    };
    let lines: Vec<&str> =
        message.lines().map(str::trim_end).filter(|line| !is_noise(line)).collect();
    let text = lines.join("\n");
    if text.is_empty() {
        return String::new();
    }
    let skip = text.chars().count().saturating_sub(MOST);
    let tail: String = text.chars().skip(skip).collect();
    // Begin with a whole line, unless there is only one.
    let whole = if skip > 0 { tail.split_once('\n').map(|(_, rest)| rest) } else { None };
    format!("; it ended with: {}", whole.unwrap_or(&tail))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use rstest::rstest;
    use serde_json::json;

    use super::{last_words, trouble};
    use crate::{
        build::types::POD,
        engine::{ObjectKey, Record},
    };

    #[rstest]
    #[case("SecretMissing: Secret lake with key password is not there", "SecretMissing", true)]
    #[case("SecretChanged: a Secret of this pod has changed", "SecretChanged", false)]
    #[case("Exception: something else", "CrashLoopBackOff", true)]
    fn a_container_may_say_why_it_ended(
        #[case] said: &str,
        #[case] reason: &str,
        #[case] needs_person: bool,
    ) {
        let status = json!({"containerStatuses": [{
            "name": "driver", "image": "i", "imageID": "", "ready": false, "restartCount": 1,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 78, "reason": "Error", "message": said}},
        }]});
        let pod = Record {
            key: ObjectKey::namespaced(POD, "n", "p"),
            uid: String::new(),
            labels: std::sync::Arc::default(),
            deleting: false,
            created: Timestamp::UNIX_EPOCH,
            controller: None,
            kept: crate::engine::Kept::new(&json!({"status": status})),
        };
        let trouble = trouble(&pod).unwrap();
        assert_eq!((trouble.reason.as_str(), trouble.needs_person), (reason, needs_person));
        assert!(trouble.message.contains(said), "{}", trouble.message);
    }

    #[test]
    fn the_reason_of_a_failure_stays_and_noise_goes() {
        let printed = "\
Traceback (most recent call last):
py4j.protocol.Py4JJavaError: An error occurred
: java.io.IOException: No space left on device
\tat java.base/java.io.FileOutputStream.write(FileOutputStream.java:1)
\t... 33 more
2026-11-23T13:11:42.312Z INFO  BlockManager: BlockManager stopped
";
        assert_eq!(
            last_words(Some(printed)),
            "; it ended with: Traceback (most recent call last):\n\
             py4j.protocol.Py4JJavaError: An error occurred\n\
             : java.io.IOException: No space left on device"
        );
        assert_eq!(last_words(Some("  \n")), "");
    }

    #[test]
    fn long_words_are_cut_at_their_beginning() {
        let printed = format!("{}the end", "x".repeat(5_000));
        let words = last_words(Some(&printed));
        assert!(words.len() < 700 && words.ends_with("the end"), "{words}");
    }
}
