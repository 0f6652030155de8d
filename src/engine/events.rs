//! Kubernetes events: one when readiness or its reason changes, at a bounded rate.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use tokio::time::{Instant, timeout};

use super::{
    context::lock,
    series::{Saying, Series},
};
use crate::telemetry::Metrics;

/// Warnings that may be sent at once, and per second after that.
const WARNINGS: Rate = Rate { burst: 100.0, per_second: 10.0 };
/// The same for good news: a fleet that comes up must not spend a request each on it.
const NEWS: Rate = Rate { burst: 25.0, per_second: 5.0 };
/// An event is not worth a longer wait.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest note that the API accepts, in bytes.
const NOTE: usize = 1024;

/// Sends events without making anybody wait.
#[derive(Clone)]
pub(crate) struct Events {
    series: Arc<Series>,
    metrics: Metrics,
    buckets: Arc<Mutex<Buckets>>,
}

/// How much it matters that an event is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// All is well, which the status says too: a fleet that comes up may drop it.
    News,
    /// Told once, and nowhere else if the object goes: it shares the bounds of warnings.
    Word,
    /// Somebody has to act.
    Warning,
}

/// One each, so that good news never keeps a warning from being sent.
struct Buckets {
    warnings: Bucket,
    news: Bucket,
}

impl Buckets {
    fn full() -> Self {
        Self { warnings: Bucket::full(WARNINGS), news: Bucket::full(NEWS) }
    }

    fn take(&mut self, weight: Weight) -> bool {
        match weight {
            Weight::News => self.news.take(),
            Weight::Word | Weight::Warning => self.warnings.take(),
        }
    }
}

#[derive(Clone, Copy)]
struct Rate {
    burst: f64,
    per_second: f64,
}

struct Bucket {
    rate: Rate,
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    fn full(rate: Rate) -> Self {
        Self { rate, tokens: rate.burst, filled: Instant::now() }
    }

    fn take(&mut self) -> bool {
        let now = Instant::now();
        let earned = (now - self.filled).as_secs_f64() * self.rate.per_second;
        self.tokens = (self.tokens + earned).min(self.rate.burst);
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
        Self {
            series: Arc::new(Series::new(client, identity)),
            metrics,
            buckets: Arc::new(Mutex::new(Buckets::full())),
        }
    }

    /// Tells of what came over an object, unless there was too much of its weight to tell.
    pub(crate) fn send(&self, object: ObjectReference, weight: Weight, reason: &str, note: &str) {
        if !lock(&self.buckets).take(weight) {
            self.metrics.event("dropped");
            return;
        }
        let saying = Saying {
            regarding: object,
            type_: match weight {
                Weight::News | Weight::Word => "Normal",
                Weight::Warning => "Warning",
            },
            reason: reason.to_owned(),
            note: shorten(note).to_owned(),
        };
        let this = self.clone();
        tokio::spawn(async move {
            let begin = Instant::now();
            let result = timeout(PATIENCE, this.series.tell(&saying)).await;
            let code = match &result {
                Ok(Ok(())) => "201".to_owned(),
                Ok(Err(kube::Error::Api(status))) => status.code.to_string(),
                Ok(Err(_)) => "error".to_owned(),
                Err(_) => "timeout".to_owned(),
            };
            this.metrics.request("event", "Event", &code, begin.elapsed());
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
        let mut bucket = Bucket::full(WARNINGS);
        let sent = (0..500).filter(|_| bucket.take()).count();
        assert!((100..=110).contains(&sent));
    }

    #[test]
    fn a_fleet_that_comes_up_drops_news_and_nothing_else() {
        let mut buckets = Buckets::full();
        assert!((0..500).any(|_| !buckets.take(Weight::News)));
        assert!(buckets.take(Weight::Word));
        assert!(buckets.take(Weight::Warning));
    }
}
