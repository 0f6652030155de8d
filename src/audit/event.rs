//! What is read of audit events.
//!
//! An event is written as the API server sent it, byte for byte: nothing is lost that a later
//! version of Kubernetes adds, and an event that is sent again is recognised.
//! Source: <https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/>

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Why a request is no list of events.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not JSON, or not of this shape.
    #[error("the body is not an audit EventList in JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Something else.
    #[error(
        "the body is {kind} of {version}; send EventList of audit.k8s.io/v1 \
         (the API server's --audit-webhook-version must be audit.k8s.io/v1, its default)"
    )]
    Kind {
        /// What it says it is.
        kind: String,
        /// Its version.
        version: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    #[serde(borrow, default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    api_version: Cow<'a, str>,
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

/// One event.
#[derive(Debug)]
pub struct Event<'a> {
    /// Its text on one line.
    pub line: Cow<'a, str>,
    /// What decides where it goes.
    pub head: Head,
}

/// What decides where an event goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    /// When the request came in.
    #[serde(default)]
    pub request_received_timestamp: Option<Timestamp>,
    /// What the request was about; none for requests such as `/healthz`.
    #[serde(default)]
    pub object_ref: Option<ObjectRef>,
    /// What it was answered.
    #[serde(default)]
    pub response_status: Option<ResponseStatus>,
}

/// What a request was about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRef {
    /// Plural of the resource.
    #[serde(default)]
    pub resource: String,
    /// Namespace of the object; that of a Namespace is its own name.
    #[serde(default)]
    pub namespace: String,
    /// Name of the object.
    #[serde(default)]
    pub name: String,
    /// API group of the resource.
    #[serde(default)]
    pub api_group: String,
}

/// What a request was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ResponseStatus {
    /// HTTP status.
    #[serde(default)]
    pub code: u16,
}

/// The events of a request's body.
///
/// # Errors
/// See [`enum@Error`].
pub fn events(body: &[u8]) -> Result<Vec<Event<'_>>, Error> {
    let list: List<'_> = serde_json::from_slice(body)?;
    if list.kind != "EventList" || list.api_version != "audit.k8s.io/v1" {
        let (kind, version) = (list.kind.into_owned(), list.api_version.into_owned());
        return Err(Error::Kind { kind, version });
    }
    list.items
        .unwrap_or_default()
        .into_iter()
        .map(|raw| Ok(Event { line: one_line(raw)?, head: serde_json::from_str(raw.get())? }))
        .collect()
}

/// The API server sends compact JSON, with line breaks inside texts escaped; others may not.
fn one_line(raw: &RawValue) -> Result<Cow<'_, str>, serde_json::Error> {
    let text = raw.get();
    if !text.contains(['\n', '\r']) {
        return Ok(Cow::Borrowed(text));
    }
    let value: serde_json::Value = serde_json::from_str(text)?;
    Ok(Cow::Owned(value.to_string()))
}

#[cfg(test)]
mod tests {
    use super::events;

    #[test]
    fn the_text_is_kept_as_it_came() {
        let body = br#"{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[{"b":1,"a":"x\ny","objectRef":{"namespace":"sales","resource":"pods"}}]}"#;
        let events = events(body).unwrap();
        assert_eq!(
            events[0].line,
            r#"{"b":1,"a":"x\ny","objectRef":{"namespace":"sales","resource":"pods"}}"#
        );
        assert_eq!(events[0].head.object_ref.as_ref().unwrap().namespace, "sales");
    }

    #[test]
    fn an_event_is_one_line_whoever_sends_it() {
        let body = b"{\"kind\":\"EventList\",\"apiVersion\":\"audit.k8s.io/v1\",\"items\":[{\n \"a\": 1\r\n}]}";
        assert_eq!(events(body).unwrap()[0].line, r#"{"a":1}"#);
    }

    #[test]
    fn what_is_no_list_of_events_is_refused_in_words() {
        let said = |body: &str| events(body.as_bytes()).unwrap_err().to_string();
        assert!(said("[").contains("not an audit EventList in JSON"));
        assert!(
            said(r#"{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[7]}"#)
                .contains("EventList")
        );
        assert!(
            said(r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1beta1"}"#)
                .starts_with("the body is Event of audit.k8s.io/v1beta1; send EventList")
        );
        assert!(
            events(br#"{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":null}"#)
                .unwrap()
                .is_empty()
        );
    }
}
