//! When each root became Ready, seen through a watch of the bench's own.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures::StreamExt;
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, GroupVersionKind},
    runtime::watcher,
};
use serde_json::Value;
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::{error::Result, operator::Operator, statistics::Sample};

/// Longest time in which nothing becomes Ready before something is wrong.
const PATIENCE: Duration = Duration::from_mins(3);

/// What is known of the roots of a kind.
pub struct Sight {
    kind: &'static str,
    seen: Arc<Mutex<HashMap<String, Seen>>>,
    watch: JoinHandle<()>,
}

/// What is known of a root.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The newest generation that it was Ready at.
    pub generation: i64,
    /// Since then.
    pub at: Instant,
}

impl Sight {
    /// Starts to watch a kind; returns when the first list is in.
    pub async fn of(client: Client, kind: &'static str, plural: &'static str) -> Result<Self> {
        let gvk = GroupVersionKind::gvk("polder.dev", "v1alpha1", kind);
        let api: Api<DynamicObject> =
            Api::all_with(client, &ApiResource::from_gvk_with_plural(&gvk, plural));
        let seen: Arc<Mutex<HashMap<String, Seen>>> = Arc::default();
        let (filled, mut is_filled) = tokio::sync::mpsc::channel::<()>(1);
        let store = Arc::clone(&seen);
        let watch = tokio::spawn(async move {
            let mut events = std::pin::pin!(watcher(api, watcher::Config::default()));
            while let Some(event) = events.next().await {
                match event {
                    Ok(watcher::Event::Apply(object) | watcher::Event::InitApply(object)) => {
                        note(&store, &object);
                    }
                    Ok(watcher::Event::InitDone) => {
                        let _ = filled.try_send(());
                    }
                    _ => {}
                }
            }
        });
        let first = timeout(Duration::from_mins(1), is_filled.recv()).await;
        first.map_err(|_| format!("{plural} could not be listed"))?;
        Ok(Self { kind, seen, watch })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many of those asked for are Ready at this generation or a newer one.
    pub fn ready(&self, names: &[String], generation: i64) -> usize {
        let seen = self.lock();
        names
            .iter()
            .filter(|name| seen.get(*name).is_some_and(|s| s.generation >= generation))
            .count()
    }

    /// Waits until all are Ready at this generation; the moment when the last one was.
    pub async fn until(
        &self,
        names: &[String],
        generation: i64,
        operator: &mut Operator,
    ) -> Result<Instant> {
        let mut best = (0, Instant::now());
        loop {
            let ready = self.ready(names, generation);
            if ready == names.len() {
                let seen = self.lock();
                return names
                    .iter()
                    .filter_map(|name| seen.get(name).map(|seen| seen.at))
                    .max()
                    .ok_or_else(|| "no names were given".into());
            }
            operator.check()?;
            if ready > best.0 {
                best = (ready, Instant::now());
            } else if best.1.elapsed() > PATIENCE {
                return Err(format!(
                    "only {ready} of {} objects of kind {} are Ready, and no more follow",
                    names.len(),
                    self.kind
                )
                .into());
            }
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// Seconds from given moments until the roots were Ready.
    pub fn latencies(&self, since: &HashMap<String, Instant>) -> Sample {
        let seen = self.lock();
        let latency = |(name, since): (&String, &Instant)| {
            seen.get(name).map(|seen| seen.at.saturating_duration_since(*since).as_secs_f64())
        };
        Sample::new(since.iter().filter_map(latency).collect())
    }
}

impl Drop for Sight {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

fn note(store: &Mutex<HashMap<String, Seen>>, object: &DynamicObject) {
    let (Some(name), Some(generation)) = (&object.metadata.name, object.metadata.generation) else {
        return;
    };
    let status = &object.data["status"];
    let is_ready = status["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Ready" && is_true(condition));
    if !is_ready || status["observedGeneration"] != generation {
        return;
    }
    let key = match &object.metadata.namespace {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.clone(),
    };
    let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
    let known = store.get(&key).is_some_and(|seen| seen.generation >= generation);
    if !known {
        store.insert(key, Seen { generation, at: Instant::now() });
    }
}

fn is_true(condition: &Value) -> bool {
    condition["status"] == "True"
}
