//! What was found, from the condition down, and what to do about it.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStateTerminated, Event};
use serde::Serialize;

use super::{
    super::{
        advice,
        cluster::{Object, RootKind},
        show::age,
        status::State,
    },
    suspect::Suspect,
};
use crate::api::conditions;

/// Events that are shown.
const EVENTS: usize = 4;

/// What the cluster was asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Gathered {
    pub(super) suspect: Option<Suspect>,
    pub(super) events: Vec<Happened>,
    /// The lines of the log that explain it.
    pub(super) log: Vec<String>,
    /// What may not be read.
    pub(super) unread: Vec<String>,
}

/// A warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Happened {
    pub(super) object: String,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) at: Option<Timestamp>,
    pub(super) count: i32,
}

impl From<&Event> for Happened {
    fn from(event: &Event) -> Self {
        let object = &event.involved_object;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let series = event.series.as_ref();
        let at = series
            .and_then(|series| series.last_observed_time.as_ref().map(|time| time.0))
            .or(event.last_timestamp.as_ref().map(|time| time.0))
            .or(event.event_time.as_ref().map(|time| time.0));
        Self {
            object: format!("{} {}", text(&object.kind), text(&object.name)),
            reason: text(&event.reason),
            message: text(&event.message),
            at,
            count: series.and_then(|series| series.count).or(event.count).unwrap_or(1),
        }
    }
}

/// The answer.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Evidence {
    pub(super) object: String,
    #[serde(skip)]
    pub(super) is_well: bool,
    pub(super) state: State,
    /// In words.
    pub(super) says: String,
    /// From the condition down.
    pub(super) steps: Vec<Step>,
    /// What to do, the most likely first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) todo: Vec<String>,
    /// What may not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) unread: Vec<String>,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Step {
    /// `condition`, `pod`, `container`, `event` or `log`.
    pub(super) what: &'static str,
    /// Of which object.
    pub(super) of: String,
    /// In words.
    pub(super) says: String,
}

/// Puts together what was found.
pub(super) fn conclude(
    kind: RootKind,
    root: &Object,
    gathered: &Gathered,
    now: Timestamp,
) -> Evidence {
    let state = State::of(root);
    let ready = root.condition(conditions::READY);
    let object = format!("{} {}", kind.resource().kind, root.name());
    let is_well = matches!(state, State::Ready | State::Suspended);
    let says = match &ready {
        _ if state == State::Unseen => {
            "the operator has not looked at it since it was changed last".to_owned()
        }
        None => "it has no conditions yet".to_owned(),
        Some(ready) => {
            let since = age(now.duration_since(ready.last_transition_time.0).as_secs());
            format!("{} for {since}: {}", ready.reason, ready.message)
        }
    };
    let mut steps: Vec<Step> = Vec::new();
    if !is_well {
        steps.extend(conditions_below(root, ready.as_ref().map_or("", |ready| &ready.message)));
        steps.extend(gathered.suspect.iter().flat_map(|suspect| of_pod(suspect, &says, now)));
        steps.extend(of_events(&gathered.events, &says, now));
        let of = gathered.suspect.as_ref().map(|suspect| suspect.pod.clone()).unwrap_or_default();
        steps.extend(gathered.log.iter().map(|line| Step {
            what: "log",
            of: of.clone(),
            says: line.clone(),
        }));
    }
    let todo = if is_well && state != State::Suspended {
        Vec::new()
    } else {
        todo(state, ready.as_ref().map_or("", |ready| &ready.reason), gathered)
    };
    Evidence { object, is_well, state, says, steps, todo, unread: gathered.unread.clone() }
}

/// Other conditions that are not true and say something else than Ready does.
fn conditions_below(root: &Object, said: &str) -> Vec<Step> {
    let is_of_kstatus = |type_: &str| {
        [conditions::READY, conditions::RECONCILING, conditions::STALLED, "Running"]
            .contains(&type_)
    };
    root.conditions()
        .into_iter()
        .filter(|it| it.status != "True" && !is_of_kstatus(&it.type_) && it.message != said)
        .map(|it| Step {
            what: "condition",
            of: it.type_,
            says: format!("{}: {}", it.reason, it.message),
        })
        .collect()
}

/// What a pod says and the condition does not.
fn of_pod(suspect: &Suspect, said: &str, now: Timestamp) -> Vec<Step> {
    let step = |what, of: &str, says| Step { what, of: of.to_owned(), says };
    let mut steps = vec![step("pod", &suspect.pod, suspect.state.clone())];
    if let Some(message) = suspect.unscheduled.as_ref().filter(|it| !said.contains(it.as_str())) {
        steps.push(step("pod", &suspect.pod, format!("no node takes it: {message}")));
    }
    let Some(container) = &suspect.container else { return steps };
    if let Some((reason, message)) = &suspect.waiting {
        let says = format!("waits: {reason} {message}");
        steps.push(step("container", container, says.trim_end().to_owned()));
    }
    if let Some(ended) = &suspect.ended {
        steps.push(step("container", container, how_it_ended(ended, now)));
    }
    steps
}

/// How a container ended, in words.
fn how_it_ended(ended: &ContainerStateTerminated, now: Timestamp) -> String {
    let reason = ended.reason.as_deref().unwrap_or("Error");
    let (start, end) = (ended.started_at.as_ref(), ended.finished_at.as_ref());
    let lasted = start.zip(end).map(|(start, end)| {
        let (lasted, ago) = (end.0.duration_since(start.0), now.duration_since(end.0));
        format!(" after {}, {} ago", age(lasted.as_secs()), age(ago.as_secs()))
    });
    let code = ended.exit_code;
    let means = match code {
        126 => " (the command cannot be executed)",
        127 => " (there is no such command in the image)",
        137 if reason == "OOMKilled" => " (it used more memory than its limit)",
        137 => " (it was killed)",
        143 => " (it was told to stop)",
        _ => "",
    };
    format!("ended with {reason}, exit code {code}{means}{}", lasted.unwrap_or_default())
}

/// The newest of each reason and object that says something new.
fn of_events(events: &[Happened], said: &str, now: Timestamp) -> Vec<Step> {
    let mut newest: Vec<&Happened> = Vec::new();
    let mut all: Vec<&Happened> = events.iter().collect();
    all.sort_by_key(|event| std::cmp::Reverse(event.at));
    for event in all {
        let is_same =
            |other: &&Happened| other.reason == event.reason && other.object == event.object;
        if !newest.iter().any(is_same) && !said.contains(event.message.trim()) {
            newest.push(event);
        }
    }
    newest
        .into_iter()
        .take(EVENTS)
        .map(|event| {
            let ago = event.at.map(|at| age(now.duration_since(at).as_secs()));
            let ago = ago.map(|ago| format!("{ago} ago")).unwrap_or_default();
            let times =
                if event.count > 1 { format!(", {} times", event.count) } else { String::new() };
            let says = format!("{}: {} ({ago}{times})", event.reason, event.message.trim());
            Step { what: "event", of: event.object.clone(), says }
        })
        .collect()
}

/// Advice, from what lies deepest upwards.
fn todo(state: State, reason: &str, gathered: &Gathered) -> Vec<String> {
    let mut reasons: Vec<&str> = Vec::new();
    if let Some(suspect) = &gathered.suspect {
        reasons.extend(suspect.ended.as_ref().and_then(|ended| ended.reason.as_deref()));
        reasons.extend(suspect.waiting.as_ref().map(|(reason, _)| reason.as_str()));
        if suspect.unscheduled.is_some() {
            reasons.push("Unschedulable");
        }
    }
    reasons.extend(gathered.events.iter().map(|event| event.reason.as_str()));
    reasons.push(reason);
    let mut todo: Vec<String> = Vec::new();
    for advice in reasons.into_iter().filter_map(advice::for_reason) {
        if !todo.iter().any(|other| other == advice) {
            todo.push(advice.to_owned());
        }
    }
    if todo.len() > 1 {
        todo.retain(|advice| advice != "wait");
    }
    todo.truncate(3);
    if todo.is_empty() {
        todo.push(match state {
            State::Unseen => "see whether the operator runs: kubectl get pods -A -l app.kubernetes.io/name=polder",
            State::Stalled => "mend what the message names; `polder support-bundle` collects all there is to see",
            _ => "wait; if it lasts, `polder support-bundle` collects all there is to see",
        }.to_owned());
    }
    todo
}
