//! Kubernetes events: one when readiness or its reason changes, at a bounded rate.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Client,
    runtime::events::{Event, EventType, Recorder, Reporter},
};
use tokio::time::{Instant, timeout};

use super::context::lock;
use crate::telemetry::Metrics;

/// Events that may be sent at once, and per second after that.
const BURST: f64 = 100.0;
const RATE: f64 = 10.0;
/// An event is not worth a longer wait.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest note that the API accepts, in bytes.
const NOTE: usize = 1024;

/// Sends events without making anybody wait.
#[derive(Clone)]
pub(crate) struct Events {
    recorder: Recorder,
    metrics: Metrics,
    bucket: Arc<Mutex<Bucket>>,
}

struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    fn take(&mut self) -> bool {
        let now = Instant::now();
        let earned = (now - self.filled).as_secs_f64() * RATE;
        self.tokens = (self.tokens + earned).min(BURST);
        self.filled = now;
        let has = self.tokens >= 1.0;
        if has {
            self.tokens -= 1.0;
        }
        has
    }
}

impl Events {
    pub(crate) fn new(client: Client, identity: &str, metrics: Metrics) -> Self {
        let reporter =
            Reporter { controller: "polder".to_owned(), instance: Some(identity.to_owned()) };
        let bucket = Bucket { tokens: BURST, filled: Instant::now() };
        Self {
            recorder: Recorder::new(client, reporter),
            metrics,
            bucket: Arc::new(Mutex::new(bucket)),
        }
    }

    /// Tells of a root's new readiness.
    pub(crate) fn send(&self, object: ObjectReference, warning: bool, reason: &str, note: &str) {
        if !lock(&self.bucket).take() {
            self.metrics.event("dropped");
            return;
        }
        let event = Event {
            type_: if warning { EventType::Warning } else { EventType::Normal },
            reason: reason.to_owned(),
            note: Some(shorten(note).to_owned()),
            action: "Reconcile".to_owned(),
            secondary: None,
        };
        let this = self.clone();
        tokio::spawn(async move {
            let result = timeout(PATIENCE, this.recorder.publish(&event, &object)).await;
            let code = match &result {
                Ok(Ok(())) => "201".to_owned(),
                Ok(Err(kube::Error::Api(status))) => status.code.to_string(),
                Ok(Err(_)) => "error".to_owned(),
                Err(_) => "timeout".to_owned(),
            };
            this.metrics.request("event", "Event", &code);
            let sent = matches!(result, Ok(Ok(())));
            this.metrics.event(if sent { "sent" } else { "failed" });
        });
    }
}

fn shorten(note: &str) -> &str {
    let mut end = note.len().min(NOTE);
    while !note.is_char_boundary(end) {
        end -= 1;
    }
    note.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_cut_at_a_character() {
        assert_eq!(shorten("short"), "short");
        assert_eq!(shorten(&"é".repeat(600)).len(), 1024);
        assert_eq!(shorten(&format!("x{}", "é".repeat(600))).len(), 1023);
    }

    #[test]
    fn a_burst_passes_and_then_a_trickle() {
        let mut bucket = Bucket { tokens: BURST, filled: Instant::now() };
        let sent = (0..500).filter(|_| bucket.take()).count();
        assert!((100..=110).contains(&sent));
    }
}
