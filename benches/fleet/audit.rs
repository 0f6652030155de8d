//! The API server's audit log: who asked for what, and when. Written before the client has its
//! answer.

use std::{
    cell::Cell,
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader, Seek, SeekFrom},
    path::PathBuf,
};

use jiff::Timestamp;
use serde::Deserialize;

use crate::error::Result;

/// The operator, as the API server knows it.
pub const OPERATOR: &str = "system:serviceaccount:polder-system:polder";

/// The log, from a mark on.
pub struct Audit {
    path: PathBuf,
    mark: Cell<u64>,
}

/// A request of anybody.
#[derive(Clone, Debug)]
pub struct Request {
    pub user: String,
    pub agent: String,
    pub verb: String,
    /// Plural, with the subresource after a slash.
    pub resource: String,
    pub namespace: String,
    pub name: String,
    pub code: u64,
    /// Seconds of the epoch at which it arrived.
    pub arrived: f64,
    /// Seconds of the epoch at which it was answered.
    pub answered: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    verb: String,
    user: User,
    #[serde(default)]
    user_agent: String,
    #[serde(default)]
    object_ref: ObjectRef,
    #[serde(default)]
    response_status: Status,
    request_received_timestamp: Timestamp,
    stage_timestamp: Timestamp,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    username: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ObjectRef {
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    code: u64,
}

impl Audit {
    pub fn new(path: PathBuf) -> Self {
        Self { path, mark: Cell::new(0) }
    }

    /// What is read next begins here.
    pub fn mark(&self) -> Result<()> {
        self.mark.set(std::fs::metadata(&self.path)?.len());
        Ok(())
    }

    /// All requests since the mark.
    pub fn requests(&self) -> Result<Vec<Request>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.mark.get()))?;
        let mut requests = Vec::new();
        for line in BufReader::new(file).lines() {
            // The last line may be half written.
            if let Ok(event) = serde_json::from_str::<Event>(&line?) {
                requests.push(event.into());
            }
        }
        Ok(requests)
    }

    /// The operator's requests since the mark.
    pub fn of_operator(&self) -> Result<Counts> {
        Ok(Counts::of(self.requests()?.iter().filter(|request| request.user == OPERATOR)))
    }
}

impl From<Event> for Request {
    fn from(event: Event) -> Self {
        let object = event.object_ref;
        let resource = if object.subresource.is_empty() {
            object.resource
        } else {
            format!("{}/{}", object.resource, object.subresource)
        };
        Self {
            user: event.user.username,
            agent: event.user_agent,
            verb: event.verb,
            resource,
            namespace: object.namespace,
            name: object.name,
            code: event.response_status.code,
            arrived: seconds(event.request_received_timestamp),
            answered: seconds(event.stage_timestamp),
        }
    }
}

impl Request {
    pub fn is_write(&self) -> bool {
        !matches!(self.verb.as_str(), "get" | "list" | "watch")
    }

    /// What comes and goes whatever the fleet does.
    fn is_lease(&self) -> bool {
        self.resource == "leases"
    }
}

#[expect(clippy::cast_precision_loss, reason = "microseconds are kept")]
pub fn seconds(time: Timestamp) -> f64 {
    time.as_microsecond() as f64 / 1e6
}

/// Requests by what they ask for.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Leases aside.
    pub reads: usize,
    pub lists: usize,
    pub watches: usize,
    /// Leases and events aside.
    pub writes: usize,
    pub events: usize,
    pub refused: usize,
    /// By verb and resource.
    pub by_request: BTreeMap<String, usize>,
}

impl Counts {
    pub fn of<'a>(requests: impl Iterator<Item = &'a Request>) -> Self {
        let mut counts = Self::default();
        for request in requests.filter(|request| !request.is_lease()) {
            *counts
                .by_request
                .entry(format!("{} {}", request.verb, request.resource))
                .or_default() += 1;
            counts.refused += usize::from(request.code >= 400);
            let count = match request.verb.as_str() {
                "list" => &mut counts.lists,
                "watch" => &mut counts.watches,
                "get" => &mut counts.reads,
                _ if request.resource == "events" => &mut counts.events,
                _ => &mut counts.writes,
            };
            *count += 1;
        }
        counts
    }
}
