//! The API server's audit log: who asked for what. It is written before the client has its answer.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
};

use serde_json::Value;

use crate::install::USER;

/// A moment in the log.
#[derive(Clone, Copy, Debug)]
pub struct Mark(u64);

impl Mark {
    pub fn now() -> Self {
        Self(file().metadata().unwrap().len())
    }

    /// The operator's requests from here on, in the order of their ends, without those for leases
    /// and events.
    pub fn requests(self) -> Vec<Request> {
        let lines = self.lines();
        let ours = lines.iter().filter(|line| line.contains(USER));
        ours.filter_map(|line| Request::read(&serde_json::from_str(line).unwrap())).collect()
    }

    /// All that was written to the log from here on, as it stands there.
    pub fn all(self) -> Vec<Value> {
        self.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn lines(self) -> Vec<String> {
        let mut file = file();
        file.seek(SeekFrom::Start(self.0)).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        lines.map(str::to_owned).collect()
    }

    /// The operator's writes from here on.
    pub fn writes(self) -> Vec<Request> {
        self.requests().into_iter().filter(Request::is_write).collect()
    }

    /// The operator's writes in a namespace, and of the namespace and Domain of that name.
    pub fn writes_of(self, domain: &str) -> Vec<Request> {
        self.writes().into_iter().filter(|request| request.is_of(domain)).collect()
    }
}

/// A request of the operator.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// When the answer went out, as text that sorts by time.
    pub at: String,
    pub verb: String,
    /// The client's name for itself, which has the operator's in it.
    pub agent: String,
    /// Plural, with the subresource after a slash.
    pub resource: String,
    pub namespace: String,
    pub name: String,
    pub code: u64,
}

impl Request {
    fn read(event: &Value) -> Option<Self> {
        if event["user"]["username"] != USER {
            return None;
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let object = &event["objectRef"];
        let mut resource = text(&object["resource"]);
        if let Some(subresource) = object["subresource"].as_str() {
            resource = format!("{resource}/{subresource}");
        }
        (!matches!(resource.as_str(), "" | "leases" | "events")).then(|| Self {
            at: text(&event["stageTimestamp"]),
            verb: text(&event["verb"]),
            agent: text(&event["userAgent"]),
            resource,
            namespace: text(&object["namespace"]),
            name: text(&object["name"]),
            code: event["responseStatus"]["code"].as_u64().unwrap_or_default(),
        })
    }

    pub fn is_write(&self) -> bool {
        !matches!(self.verb.as_str(), "get" | "list" | "watch")
    }

    /// It made an object.
    pub fn is_creation(&self) -> bool {
        self.is_write() && self.code == 201
    }

    pub fn is_of(&self, domain: &str) -> bool {
        self.namespace == domain
            || (matches!(self.resource.split('/').next(), Some("domains" | "namespaces"))
                && self.name == domain)
    }
}

fn file() -> File {
    let path = std::env::var("POLDER_AUDIT_LOG").expect(
        "POLDER_AUDIT_LOG is not set: run these tests through `dev/test apiserver`, or \
         `eval \"$(dev/cluster env NAME)\"` first",
    );
    File::open(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}
