//! Every reason that a condition, a run or an event of Polder can have: what it means, and what to
//! do. The command line gives this advice, and the reference is made of it.

mod domain;
mod shared;
mod workloads;

/// What a reason asks of whom it meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it is as it was asked for.
    Nothing,
    /// It goes on by itself.
    Patience,
    /// Somebody has to act.
    Action,
    /// The one or the other, as the message says: it passes by itself if it can.
    Either,
}

impl Need {
    /// In a word, for a table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Patience => "waits",
            Self::Action => "act",
            Self::Either => "waits or act",
        }
    }

    /// Type of an event with such a reason.
    pub const fn event(self) -> &'static str {
        match self {
            Self::Nothing | Self::Patience => "Normal",
            Self::Action => "Warning",
            Self::Either => "Normal, or Warning if somebody has to act",
        }
    }
}

/// A reason.
#[derive(Clone, Copy, Debug)]
pub struct Reason {
    /// As conditions and events have it, in PascalCase.
    pub name: &'static str,
    /// Whether anybody has to act.
    pub need: Need,
    /// What it means.
    pub meaning: &'static str,
    /// What to do; empty where there is nothing to do.
    pub remedy: &'static str,
}

/// Where reasons stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In Ready, Reconciling and Stalled, and so in events.
    Ready,
    /// In one of the kind's other conditions, or in `status.runs`.
    Elsewhere,
    /// In an event alone.
    Event,
}

/// Reasons that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// What of, as a heading.
    pub title: &'static str,
    /// Where they stand, in words.
    pub text: &'static str,
    /// Where they stand.
    pub place: Place,
    /// The reasons, as they are looked for.
    pub reasons: &'static [Reason],
}

/// All of them.
pub const GROUPS: &[Group] = &[
    shared::ALL,
    shared::WORKLOADS,
    shared::PODS,
    domain::READY,
    domain::CONDITIONS,
    domain::FAREWELL,
    workloads::SPARK_CLUSTER,
    workloads::SQL_ENDPOINT,
    workloads::BATCH_JOB,
    workloads::CONDITIONS,
    workloads::RUNS,
];

/// A reason by its name; `None` for those of other programs that Polder passes on.
pub fn find(name: &str) -> Option<&'static Reason> {
    GROUPS.iter().flat_map(|group| group.reasons).find(|reason| reason.name == name)
}

const fn fine(name: &'static str, meaning: &'static str) -> Reason {
    Reason { name, need: Need::Nothing, meaning, remedy: "" }
}

/// As it was asked for; the remedy says how to ask for something else.
const fn asked(name: &'static str, meaning: &'static str, remedy: &'static str) -> Reason {
    Reason { name, need: Need::Nothing, meaning, remedy }
}

const fn wait(name: &'static str, meaning: &'static str, remedy: &'static str) -> Reason {
    Reason { name, need: Need::Patience, meaning, remedy }
}

/// Somebody has to do what the remedy says.
pub(crate) const fn act(name: &'static str, meaning: &'static str, remedy: &'static str) -> Reason {
    Reason { name, need: Need::Action, meaning, remedy }
}

const fn either(name: &'static str, meaning: &'static str, remedy: &'static str) -> Reason {
    Reason { name, need: Need::Either, meaning, remedy }
}
