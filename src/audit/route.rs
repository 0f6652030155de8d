//! Which domain an event belongs to.
//!
//! The label `polder.dev/domain` of a Namespace decides, as it does for the operator: only the
//! operator and administrators set it. Requests for a Domain object belong to that domain.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use super::event::{Head, ObjectRef};

/// How long it is remembered what a namespace or Domain that is gone was: longer than the API
/// server holds an event back.
const MEMORY: SignedDuration = SignedDuration::from_hours(1);
/// Requests may come in before a deletion is seen here, by this much on a slow day.
const SLACK: SignedDuration = SignedDuration::from_secs(5);
/// How long an object that was asked for and not found counts as such.
pub const ABSENCE: Duration = Duration::from_secs(10);
/// Group and plural of Domains.
const DOMAINS: (&str, &str) = ("polder.dev", "domains");

/// The name of a domain. It is safe as the name of a folder.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DomainName(String);

impl DomainName {
    /// `None` if no Domain can have this name.
    pub fn parse(text: &str) -> Option<Self> {
        let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_name = text.len() <= 63
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.chars().all(is_inner)
            && !text.ends_with('-');
        is_name.then(|| Self(text.to_owned()))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where events are kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stream {
    /// Everything that belongs to no domain.
    Cluster,
    /// A domain's.
    Domain(DomainName),
}

/// What has to be asked for before an event can be placed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Unknown {
    /// A Namespace of this name.
    Namespace(String),
    /// A Domain of this name.
    Domain(DomainName),
}

/// Where an event goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// Here.
    To(Stream),
    /// It depends on something that is not known yet.
    Ask(Unknown),
}

/// A namespace's domain, and until when it was that.
#[derive(Debug)]
struct Gone {
    was: DomainName,
    at: Timestamp,
}

/// What is known of namespaces and Domains.
#[derive(Debug, Default)]
pub struct Known {
    /// All namespaces; those of a domain with its name.
    namespaces: HashMap<String, Option<DomainName>>,
    /// All Domains.
    domains: HashSet<DomainName>,
    gone_namespaces: HashMap<String, Gone>,
    gone_domains: HashMap<DomainName, Timestamp>,
}

impl Known {
    /// A namespace exists, with this value of the label.
    pub fn namespace(&mut self, name: &str, domain: Option<&str>, now: Timestamp) {
        let domain = domain.and_then(DomainName::parse);
        let before = self.namespaces.insert(name.to_owned(), domain.clone()).flatten();
        if let Some(was) = before
            && Some(&was) != domain.as_ref()
        {
            self.gone_namespaces.insert(name.to_owned(), Gone { was, at: now });
        }
    }

    /// A namespace is gone.
    pub fn namespace_gone(&mut self, name: &str, now: Timestamp) {
        if let Some(was) = self.namespaces.remove(name).flatten() {
            self.gone_namespaces.insert(name.to_owned(), Gone { was, at: now });
        }
        self.forget(now);
    }

    /// A Domain exists.
    pub fn domain(&mut self, name: &str) {
        if let Some(name) = DomainName::parse(name) {
            self.domains.insert(name);
        }
    }

    /// A Domain is gone.
    pub fn domain_gone(&mut self, name: &str, now: Timestamp) {
        if let Some(was) = DomainName::parse(name).and_then(|name| self.domains.take(&name)) {
            self.gone_domains.insert(was, now);
        }
        self.forget(now);
    }

    /// Names of all namespaces.
    pub fn namespace_names(&self) -> Vec<String> {
        self.namespaces.keys().cloned().collect()
    }

    /// Names of all Domains.
    pub fn domain_names(&self) -> Vec<String> {
        self.domains.iter().map(|name| name.0.clone()).collect()
    }

    /// Where an event goes.
    pub fn route(&self, head: &Head) -> Route {
        let Some(object) = &head.object_ref else { return Route::To(Stream::Cluster) };
        if (object.api_group.as_str(), object.resource.as_str()) == DOMAINS {
            return self.of_domain(object, head);
        }
        let namespace = match (object.namespace.as_str(), object.resource.as_str()) {
            ("", "namespaces") if object.api_group.is_empty() => object.name.as_str(),
            (namespace, _) => namespace,
        };
        if namespace.is_empty() {
            Route::To(Stream::Cluster)
        } else {
            self.of_namespace(namespace, head)
        }
    }

    fn of_domain(&self, object: &ObjectRef, head: &Head) -> Route {
        let Some(name) = DomainName::parse(&object.name) else { return Route::To(Stream::Cluster) };
        let is_remembered = self.gone_domains.get(&name).is_some_and(|at| was_then(*at, head));
        if self.domains.contains(&name) || is_remembered {
            return Route::To(Stream::Domain(name));
        }
        if is_success(head) {
            Route::Ask(Unknown::Domain(name))
        } else {
            Route::To(Stream::Cluster)
        }
    }

    fn of_namespace(&self, namespace: &str, head: &Head) -> Route {
        let remembered = self
            .gone_namespaces
            .get(namespace)
            .filter(|gone| was_then(gone.at, head))
            .map(|gone| gone.was.clone());
        match (remembered, self.namespaces.get(namespace)) {
            (Some(domain), _) => Route::To(Stream::Domain(domain)),
            (None, Some(Some(domain))) => Route::To(Stream::Domain(domain.clone())),
            (None, None) if is_success(head) => {
                Route::Ask(Unknown::Namespace(namespace.to_owned()))
            }
            // Anybody can ask for what does not exist; that is not worth asking again.
            (None, Some(None) | None) => Route::To(Stream::Cluster),
        }
    }

    fn forget(&mut self, now: Timestamp) {
        let is_recent = |at: Timestamp| now.duration_since(at) < MEMORY;
        self.gone_namespaces.retain(|_, gone| is_recent(gone.at));
        self.gone_domains.retain(|_, at| is_recent(*at));
    }
}

/// Whether the request came in before something was gone.
fn was_then(gone: Timestamp, head: &Head) -> bool {
    head.request_received_timestamp.is_none_or(|at| at.duration_since(gone) <= SLACK)
}

fn is_success(head: &Head) -> bool {
    head.response_status.as_ref().is_none_or(|status| status.code < 400)
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::{DomainName, Head, Known, Route, Stream, Unknown};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    /// Namespace `sales-ns` of Domain `sales`, and `default`.
    fn known() -> Known {
        let mut known = Known::default();
        known.namespace("sales-ns", Some("sales"), at(0));
        known.namespace("default", None, at(0));
        known.domain("sales");
        known
    }

    fn head(object: &Value, code: u16, second: i64) -> Head {
        serde_json::from_value(json!({
            "requestReceivedTimestamp": at(second).to_string(),
            "objectRef": object,
            "responseStatus": {"code": code},
        }))
        .unwrap()
    }

    fn domain(name: &str) -> Route {
        Route::To(Stream::Domain(DomainName::parse(name).unwrap()))
    }

    const CLUSTER: Route = Route::To(Stream::Cluster);

    #[rstest]
    #[case::pod(json!({"resource": "pods", "namespace": "sales-ns", "name": "p"}), domain("sales"))]
    #[case::its_namespace(json!({"resource": "namespaces", "namespace": "sales-ns", "name": "sales-ns"}), domain("sales"))]
    #[case::its_namespace_as_older_servers_say(json!({"resource": "namespaces", "name": "sales-ns"}), domain("sales"))]
    #[case::its_domain(json!({"apiGroup": "polder.dev", "resource": "domains", "name": "sales"}), domain("sales"))]
    #[case::domains_of_another_group(json!({"apiGroup": "example.com", "resource": "domains", "name": "sales"}), CLUSTER)]
    #[case::a_namespace_named_as_the_domain(json!({"resource": "pods", "namespace": "default", "name": "sales"}), CLUSTER)]
    #[case::all_pods(json!({"resource": "pods"}), CLUSTER)]
    #[case::all_domains(json!({"apiGroup": "polder.dev", "resource": "domains"}), CLUSTER)]
    #[case::a_path_as_name(json!({"apiGroup": "polder.dev", "resource": "domains", "name": "../../etc"}), CLUSTER)]
    #[case::nothing(Value::Null, CLUSTER)]
    fn places(#[case] object: Value, #[case] expected: Route) {
        assert_eq!(known().route(&head(&object, 200, 1)), expected);
    }

    #[test]
    fn what_is_not_known_is_asked_for_unless_it_cannot_be_there() {
        let pod =
            |code| known().route(&head(&json!({"resource": "pods", "namespace": "new"}), code, 1));
        assert_eq!(pod(201), Route::Ask(Unknown::Namespace("new".to_owned())));
        assert_eq!(pod(404), CLUSTER);
        let made = json!({"apiGroup": "polder.dev", "resource": "domains", "name": "new"});
        let asked = Route::Ask(Unknown::Domain(DomainName::parse("new").unwrap()));
        assert_eq!(known().route(&head(&made, 201, 1)), asked);
        assert_eq!(known().route(&head(&made, 403, 1)), CLUSTER);
    }

    #[test]
    fn late_events_of_what_is_gone_find_their_domain() {
        let mut known = known();
        known.namespace_gone("sales-ns", at(100));
        known.domain_gone("sales", at(100));
        let pod = json!({"resource": "pods", "namespace": "sales-ns"});
        let own = json!({"apiGroup": "polder.dev", "resource": "domains", "name": "sales"});
        assert_eq!(known.route(&head(&pod, 200, 99)), domain("sales"));
        assert_eq!(known.route(&head(&own, 200, 99)), domain("sales"));
        // Somebody else's namespace of the same name, later on.
        known.namespace("sales-ns", None, at(200));
        assert_eq!(known.route(&head(&pod, 200, 99)), domain("sales"));
        assert_eq!(known.route(&head(&pod, 200, 201)), CLUSTER);
        let later = at(100) + SignedDuration::from_hours(2);
        known.namespace_gone("default", later);
        assert_eq!(known.route(&head(&pod, 200, 99)), CLUSTER);
    }

    #[test]
    fn a_namespace_that_changes_hands_leaves_its_old_events_where_they_belong() {
        let mut known = known();
        known.namespace("sales-ns", Some("other"), at(100));
        let pod = json!({"resource": "pods", "namespace": "sales-ns"});
        assert_eq!(known.route(&head(&pod, 200, 99)), domain("sales"));
        assert_eq!(known.route(&head(&pod, 200, 200)), domain("other"));
    }
}
