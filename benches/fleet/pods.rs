//! When the first pod of each Job was there, seen through a watch of metadata. The audit log does not
//! have the names of pods whose names are generated.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::StreamExt;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client, core::PartialObjectMeta, runtime::watcher};
use tokio::{task::JoinHandle, time::timeout};

use crate::{audit::seconds, error::Result};

const JOB_NAME: &str = "batch.kubernetes.io/job-name";

/// Pods of Jobs.
pub struct Pods {
    /// By namespace and name of the Job; seconds of the epoch.
    seen: Arc<Mutex<HashMap<String, f64>>>,
    watch: JoinHandle<()>,
}

impl Pods {
    /// Starts to watch; returns when the first list is in.
    pub async fn of(client: Client) -> Result<Self> {
        let api: Api<PartialObjectMeta<Pod>> = Api::all(client);
        let seen: Arc<Mutex<HashMap<String, f64>>> = Arc::default();
        let (filled, mut is_filled) = tokio::sync::mpsc::channel::<()>(1);
        let store = Arc::clone(&seen);
        let watch = tokio::spawn(async move {
            let config = watcher::Config::default().labels(JOB_NAME);
            let mut events = std::pin::pin!(watcher(api, config));
            while let Some(event) = events.next().await {
                match event {
                    Ok(watcher::Event::Apply(pod) | watcher::Event::InitApply(pod)) => {
                        let labels = pod.metadata.labels.unwrap_or_default();
                        let namespace = pod.metadata.namespace.unwrap_or_default();
                        if let Some(job) = labels.get(JOB_NAME) {
                            let now = seconds(Timestamp::now());
                            lock(&store).entry(format!("{namespace}/{job}")).or_insert(now);
                        }
                    }
                    Ok(watcher::Event::InitDone) => {
                        let _ = filled.try_send(());
                    }
                    _ => {}
                }
            }
        });
        let first = timeout(Duration::from_mins(1), is_filled.recv()).await;
        first.map_err(|_| "pods could not be listed".to_owned())?;
        Ok(Self { seen, watch })
    }

    /// When the first pod of each root was there: `namespace/PREFIX-N` of the Job
    /// `PREFIX-N-whatever`.
    pub fn of_roots(&self, prefix: &str) -> HashMap<String, f64> {
        let mut roots = HashMap::new();
        for (key, at) in lock(&self.seen).iter() {
            let root = key.split_once('/').and_then(|(namespace, job)| {
                Some(format!("{namespace}/{}", root_of(job, prefix)?))
            });
            if let Some(root) = root {
                let first = roots.entry(root).or_insert(*at);
                *first = first.min(*at);
            }
        }
        roots
    }
}

impl Drop for Pods {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

/// `burst-7` of `burst-7-3f2a9c10`.
pub fn root_of(object: &str, prefix: &str) -> Option<String> {
    let rest = object.strip_prefix(prefix)?.strip_prefix('-')?;
    Some(format!("{prefix}-{}", rest.split('-').next()?))
}

fn lock(store: &Mutex<HashMap<String, f64>>) -> MutexGuard<'_, HashMap<String, f64>> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}
