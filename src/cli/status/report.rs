//! Objects in, an answer out.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::{
    advice,
    cluster::{Object, RootKind},
};
use crate::{
    api::{conditions, quota::QuotaStatus},
    build::quantity,
};

/// How an object stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(in super::super) enum State {
    Ready,
    /// Gets there by itself.
    Progressing,
    /// Somebody has to act.
    Stalled,
    Suspended,
    Deleting,
    /// The operator has not looked at its newest spec.
    Unseen,
}

impl State {
    pub(in super::super) fn of(object: &Object) -> Self {
        let reason = object.condition(conditions::READY).map(|condition| condition.reason);
        if object.metadata.deletion_timestamp.is_some() {
            Self::Deleting
        } else if !object.is_current() {
            Self::Unseen
        } else if object.is_ready() {
            Self::Ready
        } else if object.is_stalled() {
            Self::Stalled
        } else if reason.as_deref().is_some_and(|reason| reason.starts_with("Suspend")) {
            Self::Suspended
        } else {
            Self::Progressing
        }
    }
}

/// One object of ours and its condition Ready.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Workload {
    pub(in super::super) kind: &'static str,
    #[serde(skip)]
    short: &'static str,
    pub(in super::super) namespace: String,
    pub(in super::super) name: String,
    pub(in super::super) state: State,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in super::super) reason: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in super::super) message: String,
    /// What matters for the kind.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in super::super) detail: String,
    #[serde(skip)]
    is_wrong: bool,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Problem {
    /// As other commands take it: `bjob/load`.
    pub(in super::super) object: String,
    pub(in super::super) namespace: String,
    /// Somebody has to act.
    pub(in super::super) needs_person: bool,
    pub(in super::super) reason: String,
    pub(in super::super) message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) todo: Option<&'static str>,
}

/// Use and bound of a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Usage {
    pub(in super::super) resource: String,
    pub(in super::super) used: String,
    pub(in super::super) hard: String,
    /// Of `hard`.
    pub(in super::super) percent: i64,
}

/// A domain.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Report {
    pub(in super::super) domain: String,
    pub(in super::super) namespace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) team: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) email: Option<String>,
    /// `None` if it may not be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) state: Option<State>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in super::super) reason: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in super::super) quota: Vec<Usage>,
    pub(in super::super) workloads: Vec<Workload>,
    pub(in super::super) problems: Vec<Problem>,
}

impl Workload {
    pub(in super::super) fn new(kind: RootKind, object: &Object) -> Self {
        let ready = object.condition(conditions::READY);
        let (reason, message) =
            ready.map(|ready| (ready.reason, ready.message)).unwrap_or_default();
        let state = State::of(object);
        // A job on its way is no problem; one that waits for somebody, or failed, is.
        let is_wrong = match state {
            State::Ready | State::Suspended | State::Unseen | State::Deleting => false,
            State::Stalled => true,
            State::Progressing => !matches!(
                reason.as_str(),
                "Running" | "Starting" | "Pending" | "Rolling" | "Stopping"
            ),
        };
        Self {
            kind: kind.resource().kind,
            short: kind.short(),
            namespace: object.namespace().to_owned(),
            name: object.name().to_owned(),
            state,
            reason,
            message,
            detail: detail(kind, object),
            is_wrong,
        }
    }

    fn problem(&self) -> Option<Problem> {
        self.is_wrong.then(|| Problem {
            object: format!("{}/{}", self.short, self.name),
            namespace: self.namespace.clone(),
            needs_person: self.state == State::Stalled,
            reason: self.reason.clone(),
            message: self.message.clone(),
            todo: advice::for_reason(&self.reason),
        })
    }
}

fn detail(kind: RootKind, object: &Object) -> String {
    let text = |pointer| object.status_text(pointer).unwrap_or_default().to_owned();
    match kind {
        RootKind::Domain => text("/workloads/summary"),
        RootKind::SparkCluster => match text("/workers/summary") {
            summary if summary.is_empty() => summary,
            summary => format!("workers {summary}"),
        },
        RootKind::SqlEndpoint => text("/jdbcUrl"),
        RootKind::BatchJob => {
            let cron = object.spec.pointer("/schedule/cron").and_then(|cron| cron.as_str());
            let last = text("/lastRun/result");
            let schedule = cron.map(|cron| format!("at {cron}")).unwrap_or_default();
            let last = if last.is_empty() { last } else { format!("last run {last}") };
            [schedule, last].into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(", ")
        }
    }
}

impl Report {
    pub(super) fn new(domain: &Object, workloads: Vec<Workload>) -> Self {
        let text = |pointer| domain.status_text(pointer).map(str::to_owned);
        let quota = domain.status.get("quota").cloned().unwrap_or_default();
        let quota: QuotaStatus = serde_json::from_value(quota).unwrap_or_default();
        let own = Workload::new(RootKind::Domain, domain);
        let problems = std::iter::once(&own).chain(&workloads).filter_map(Workload::problem);
        Self {
            domain: domain.name().to_owned(),
            namespace: text("/namespace").unwrap_or_else(|| domain.name().to_owned()),
            team: text("/owner/team"),
            email: text("/owner/email"),
            state: Some(own.state),
            quota: usage(&quota),
            problems: sorted(problems.collect()),
            reason: own.reason,
            workloads,
        }
    }

    /// As members see it, who may not see the Domain.
    pub(super) fn of_member(domain: &str, workloads: Vec<Workload>) -> Self {
        Self {
            domain: domain.to_owned(),
            namespace: domain.to_owned(),
            team: None,
            email: None,
            state: None,
            reason: String::new(),
            quota: Vec::new(),
            problems: sorted(workloads.iter().filter_map(Workload::problem).collect()),
            workloads,
        }
    }

    pub(super) fn ready(&self) -> usize {
        self.workloads.iter().filter(|workload| workload.state == State::Ready).count()
    }
}

/// What needs a person comes first.
fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|problem| !problem.needs_person);
    problems
}

/// All domains, each with its workloads.
pub(super) fn of_all(domains: &[Object], workloads: Vec<Workload>) -> Vec<Report> {
    let mut by_namespace: BTreeMap<String, Vec<Workload>> = BTreeMap::new();
    for workload in workloads {
        by_namespace.entry(workload.namespace.clone()).or_default().push(workload);
    }
    domains
        .iter()
        .map(|domain| {
            let namespace = domain.status_text("/namespace").unwrap_or_else(|| domain.name());
            Report::new(domain, by_namespace.remove(namespace).unwrap_or_default())
        })
        .collect()
}

/// The scarcest first.
fn usage(quota: &QuotaStatus) -> Vec<Usage> {
    let mut all: Vec<Usage> = quota
        .hard
        .iter()
        .filter_map(|(resource, hard)| {
            let used = quota.used.get(resource).map_or("0", String::as_str);
            let bound = quantity::milli(hard)?;
            let used_of = quantity::milli(used)?;
            let of_nothing = if used_of == 0 { 0 } else { 100 };
            let percent = (used_of * 100).checked_div(bound).unwrap_or(of_nothing);
            Some(Usage {
                resource: resource.clone(),
                used: used.to_owned(),
                hard: hard.clone(),
                percent: i64::try_from(percent).unwrap_or(i64::MAX),
            })
        })
        .collect();
    all.sort_by(|one, other| {
        other.percent.cmp(&one.percent).then_with(|| one.resource.cmp(&other.resource))
    });
    all
}
