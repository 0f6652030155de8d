//! One list and one watch per type, for the whole process.
//!
//! Objects are decoded one by one: a root of an old schema cannot stop the others. A relist updates
//! the store in place and removes what it no longer shows.

use std::{borrow::Cow, time::Duration};

use futures::AsyncBufReadExt;
use kube::core::Status;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout},
};

use super::{
    backoff::Backoff,
    context::Context,
    decode::Decoder,
    error::{Class, RequestError},
    http::Want,
    resource::Served,
};

/// Objects per page of a list.
const PAGE: u32 = 500;
/// A watch that lived this long had nothing wrong with it.
const HEALTHY: Duration = Duration::from_secs(10);
/// Until an optional type is asked for again that our role does not cover: a change of roles is nothing that
/// we see. The chart starts us anew when it changes them.
const ABSENT: Backoff = Backoff {
    base: if cfg!(test) { Duration::from_millis(20) } else { Duration::from_secs(15) },
    cap: LONG_RECHECK,
};
/// The same for one that is not installed, should its definition have escaped us.
const LONG_RECHECK: Duration = Duration::from_mins(10);
/// For so long after its definition the API server may not serve a type yet.
const SETTLE: Duration = Duration::from_secs(10);
/// How often it is asked for meanwhile.
const SETTLE_PAUSE: Duration =
    if cfg!(test) { Duration::from_millis(20) } else { Duration::from_secs(1) };

#[derive(Deserialize)]
struct List<'a> {
    metadata: ListMetadata,
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListMetadata {
    #[serde(default)]
    resource_version: String,
    #[serde(default)]
    r#continue: Option<String>,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Deserialize)]
struct Bookmark {
    metadata: ListMetadata,
}

/// Why a watch ended.
enum End {
    /// The server closed it, as it does every few minutes.
    Closed,
    /// Too old to resume: list again.
    Expired,
    Failed(RequestError),
}

/// Keeps the store of one type as the cluster is, for ever. Says once when it is filled.
pub(crate) async fn run(context: Context, index: usize, filled: mpsc::Sender<usize>) {
    let Some(decoder) = context.decoders.get(index) else { return };
    let watch = Watcher { context: &context, index, decoder };
    let mut failures = 0;
    let mut absences = 0_u32;
    let mut first = true;
    let mut defined: Option<Instant> = None;
    loop {
        // Before the list, so that nothing is missed after it.
        let definitions = context.world.definitions();
        let mut version = match watch.list().await {
            Ok(version) => {
                absences = 0;
                watch.note(Served::Yes);
                version
            }
            Err(error) => {
                if let Some(absence) = watch.absence(&error) {
                    failures = 0;
                    absences += 1;
                    watch.note(absence);
                    if std::mem::take(&mut first) && filled.send(index).await.is_err() {
                        return;
                    }
                    if defined.is_some_and(|at| at.elapsed() < SETTLE) {
                        sleep(SETTLE_PAUSE).await;
                    } else if until_defined(absence, absences, definitions).await {
                        defined = Some(Instant::now());
                    }
                    continue;
                }
                failures += 1;
                watch.complain("list", &error, failures);
                sleep(Backoff::WATCH.wait(failures)).await;
                continue;
            }
        };
        if std::mem::take(&mut first) && filled.send(index).await.is_err() {
            return;
        }
        loop {
            let started = Instant::now();
            let end = watch.follow(&mut version).await;
            if started.elapsed() > HEALTHY {
                failures = 0;
            }
            match end {
                End::Closed => {
                    watch.count("resumed");
                    // A watch that cannot be read must not spin.
                    if started.elapsed() < Duration::from_secs(1) {
                        sleep(Backoff::WATCH.base).await;
                    }
                }
                End::Expired => {
                    watch.count("expired");
                    break;
                }
                End::Failed(error) if watch.absence(&error).is_some() => break,
                End::Failed(error) => {
                    failures += 1;
                    watch.count("failed");
                    watch.complain("watch", &error, failures);
                    sleep(Backoff::WATCH.wait(failures)).await;
                    // Resuming may be what fails: after a while start over.
                    if failures % 8 == 0 {
                        break;
                    }
                }
            }
        }
    }
}

/// Waits until it makes sense to ask for a type again that was absent so many times in a row. True if some
/// type was defined.
async fn until_defined(absence: Served, absences: u32, news: Option<watch::Receiver<u64>>) -> bool {
    let Some(mut news) = news.filter(|_| absence == Served::NotInstalled) else {
        sleep(ABSENT.ceiling(absences)).await;
        return false;
    };
    timeout(LONG_RECHECK, news.changed()).await.is_ok_and(|changed| changed.is_ok())
}

struct Watcher<'a> {
    context: &'a Context,
    index: usize,
    decoder: &'a Decoder,
}

impl Watcher<'_> {
    fn want(&self) -> Want {
        if self.decoder.metadata_only() { Want::Metadata } else { Want::Object }
    }

    fn kind(&self) -> &'static str {
        self.decoder.resource.kind
    }

    /// What an error says of an optional type: that it is not served.
    fn absence(&self, error: &RequestError) -> Option<Served> {
        if self.index < self.context.mandatory {
            return None;
        }
        match error {
            RequestError::Api { status, .. } if status.code == 404 => Some(Served::NotInstalled),
            RequestError::Api { status, .. } if status.code == 403 => Some(Served::Forbidden),
            _ => None,
        }
    }

    fn note(&self, served: Served) {
        if self.context.world.set_served(self.index, served) {
            tracing::info!(kind = self.kind(), ?served, "an optional type came or went");
        }
    }

    fn count(&self, reason: &str) {
        self.context.metrics.watch_restarted(self.kind(), reason);
    }

    fn namespace(&self) -> Option<&str> {
        self.context.within.get(&self.decoder.resource).map(String::as_str)
    }

    fn selector(&self) -> String {
        match self.context.selectors.get(self.index).copied().flatten() {
            Some(selector) => format!("&labelSelector={}", encode(selector)),
            None => String::new(),
        }
    }

    /// Lists everything, page by page, and returns the version to watch from.
    async fn list(&self) -> Result<String, RequestError> {
        self.count("listed");
        self.context.world.begin_list(self.index);
        let mut next = String::new();
        loop {
            let query = format!("limit={PAGE}{}{next}", self.selector());
            let resource = &self.decoder.resource;
            let text =
                self.context.http.list(resource, self.namespace(), &query, self.want()).await?;
            let list: List<'_> = serde_json::from_str(&text)
                .map_err(|error| RequestError::Answer(error.to_string()))?;
            let items = list.items.unwrap_or_default();
            self.context.metrics.watch_events(self.kind(), items.len() as u64);
            for item in items {
                match self.decoder.decode(item.get()) {
                    Ok(incoming) => self.context.world.put_listed(self.index, incoming),
                    Err(error) => tracing::error!(%error, "left out of the list"),
                }
            }
            if let Some(token) = list.metadata.r#continue.filter(|token| !token.is_empty()) {
                next = format!("&continue={}", encode(&token));
            } else {
                let version = list.metadata.resource_version;
                self.context.world.end_list(self.index, version.parse().unwrap_or(0));
                return Ok(version);
            }
            tokio::task::yield_now().await;
        }
    }

    /// Follows the changes since `version` and moves it along.
    async fn follow(&self, version: &mut String) -> End {
        let seconds: u64 = rand::random_range(240..=300);
        let query = format!(
            "resourceVersion={version}&allowWatchBookmarks=true&timeoutSeconds={seconds}{}",
            self.selector()
        );
        let (resource, http) = (&self.decoder.resource, &self.context.http);
        let answer = http.watch(resource, self.namespace(), &query, self.want()).await;
        let mut stream = match answer {
            Ok(stream) => std::pin::pin!(stream),
            Err(error) if error.class() == Class::Gone => return End::Expired,
            Err(error) => return End::Failed(error),
        };
        // The server ends the watch in time, unless the connection died silently.
        let patience = Duration::from_secs(seconds + 10);
        let mut line = Vec::new();
        loop {
            line.clear();
            match timeout(patience, stream.read_until(b'\n', &mut line)).await {
                Err(_) | Ok(Ok(0)) => return End::Closed,
                Ok(Err(error)) => {
                    tracing::debug!(kind = self.kind(), %error, "watch broke off");
                    return End::Closed;
                }
                Ok(Ok(_)) => {
                    if let Some(end) = self.take(&line, version) {
                        return end;
                    }
                }
            }
        }
    }

    /// One line of a watch.
    fn take(&self, line: &[u8], version: &mut String) -> Option<End> {
        // A line cut short by the end of the stream comes again when the watch is resumed.
        let Ok(line) = serde_json::from_slice::<Line<'_>>(line) else { return Some(End::Closed) };
        let json = line.object.get();
        match &*line.kind {
            "BOOKMARK" => {
                let bookmark: Bookmark = serde_json::from_str(json).ok()?;
                *version = bookmark.metadata.resource_version;
                if let Ok(version) = version.parse() {
                    self.context.world.bookmark(self.index, version);
                }
                return None;
            }
            "ERROR" => {
                let status: Status = serde_json::from_str(json).unwrap_or_default();
                if status.code == 410 {
                    return Some(End::Expired);
                }
                let status = status.boxed();
                return Some(End::Failed(RequestError::Api { status, retry_after: None }));
            }
            _ => {}
        }
        self.context.metrics.watch_events(self.kind(), 1);
        match self.decoder.decode(json) {
            Err(error) => tracing::error!(%error, "left out of the watch"),
            Ok(incoming) => {
                *version = incoming.version.to_string();
                if line.kind == "DELETED" {
                    self.context.world.remove(self.index, &incoming.path, incoming.version);
                } else {
                    self.context.world.put_watched(self.index, incoming);
                }
            }
        }
        None
    }

    fn complain(&self, what: &str, error: &RequestError, failures: u32) {
        let kind = self.kind();
        let hint = match error.class() {
            Class::Forbidden => "the operator's role must allow get, list and watch on it",
            Class::Policy | Class::Gone => "is its CustomResourceDefinition installed?",
            _ => "trying again",
        };
        if failures > 1 {
            tracing::warn!(kind, failures, %error, "{what} fails: {hint}");
        } else {
            tracing::info!(kind, %error, "{what} failed: {hint}");
        }
    }
}

/// Percent-encodes a query value.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
