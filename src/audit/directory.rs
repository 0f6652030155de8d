//! Keeps known which namespace is of which domain.
//!
//! Two watches, metadata only. What an event names and the watches have not shown yet is asked for,
//! so that the first requests in a new domain are not put elsewhere.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Instant,
};

use futures::{Stream as Events, StreamExt};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client, Resource, ResourceExt,
    core::PartialObjectMeta,
    runtime::{
        WatchStreamExt,
        watcher::{self, Config, Event, watcher},
    },
};
use tokio::sync::watch;

use super::{
    event::Head,
    route::{ABSENCE, Known, Route, Stream, Unknown},
};
use crate::{api::Domain, build::labels};

/// Absences that are remembered at most.
const ABSENCES: usize = 10_000;

/// What is known of namespaces and Domains, kept up to date. Cheap to clone.
#[derive(Clone)]
pub struct Directory {
    client: Client,
    known: Arc<RwLock<Known>>,
    absent: Arc<Mutex<HashMap<Unknown, Instant>>>,
    synced: Arc<watch::Sender<(bool, bool)>>,
}

impl Directory {
    /// Knows nothing yet; [`follow`](Self::follow) changes that.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            known: Arc::default(),
            absent: Arc::default(),
            synced: Arc::new(watch::Sender::new((false, false))),
        }
    }

    /// Whether all namespaces and Domains are known.
    pub fn is_synced(&self) -> bool {
        *self.synced.borrow() == (true, true)
    }

    /// Watches for as long as it is polled.
    pub async fn follow(&self) {
        let namespaces: Api<PartialObjectMeta<Namespace>> = Api::all(self.client.clone());
        let domains: Api<PartialObjectMeta<Domain>> = Api::all(self.client.clone());
        tokio::join!(
            self.run("namespaces", watcher(namespaces, Config::default()), &OfNamespaces),
            self.run("domains", watcher(domains, Config::default()), &OfDomains),
        );
    }

    async fn run<K: Resource<DynamicType = ()> + 'static>(
        &self,
        what: &'static str,
        events: impl Events<Item = watcher::Result<Event<PartialObjectMeta<K>>>>,
        handler: &impl Handler,
    ) {
        let mut events = std::pin::pin!(events.default_backoff());
        let mut listed = HashSet::new();
        while let Some(event) = events.next().await {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            let now = Timestamp::now();
            match event {
                Ok(Event::Init) => listed.clear(),
                Ok(Event::Apply(object)) => handler.seen(&mut known, &object, now),
                Ok(Event::InitApply(object)) => {
                    listed.insert(object.name_any());
                    handler.seen(&mut known, &object, now);
                }
                Ok(Event::Delete(object)) => handler.gone(&mut known, &object.name_any(), now),
                Ok(Event::InitDone) => {
                    for name in handler.names(&known) {
                        if !listed.contains(&name) {
                            handler.gone(&mut known, &name, now);
                        }
                    }
                    self.synced.send_modify(|synced| handler.mark(synced));
                    tracing::info!(what, count = listed.len(), "known");
                }
                Err(error) => tracing::warn!(what, %error, "cannot watch; trying again"),
            }
        }
    }

    /// Where an event goes.
    ///
    /// # Errors
    /// If something has to be asked for and the API server does not answer.
    pub async fn place(&self, head: &Head) -> Result<Stream, kube::Error> {
        let first = self.known.read().unwrap_or_else(PoisonError::into_inner).route(head);
        match first {
            Route::To(stream) => Ok(stream),
            Route::Ask(unknown) if self.is_absent(&unknown) => Ok(Stream::Cluster),
            Route::Ask(unknown) => {
                if !self.ask(&unknown).await? {
                    self.note_absence(unknown);
                    return Ok(Stream::Cluster);
                }
                let again = self.known.read().unwrap_or_else(PoisonError::into_inner).route(head);
                Ok(match again {
                    Route::To(stream) => stream,
                    Route::Ask(_) => Stream::Cluster,
                })
            }
        }
    }

    /// Asks the API server, and notes what it says; whether the object is there.
    async fn ask(&self, unknown: &Unknown) -> Result<bool, kube::Error> {
        let now = Timestamp::now();
        match unknown {
            Unknown::Namespace(name) => {
                let api: Api<Namespace> = Api::all(self.client.clone());
                let Some(found) = api.get_metadata_opt(name).await? else { return Ok(false) };
                let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
                OfNamespaces.seen(&mut known, &found, now);
            }
            Unknown::Domain(name) => {
                let api: Api<Domain> = Api::all(self.client.clone());
                let Some(found) = api.get_metadata_opt(name.as_str()).await? else {
                    return Ok(false);
                };
                let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
                OfDomains.seen(&mut known, &found, now);
            }
        }
        Ok(true)
    }

    fn is_absent(&self, unknown: &Unknown) -> bool {
        let absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
        absent.get(unknown).is_some_and(|since| since.elapsed() < ABSENCE)
    }

    fn note_absence(&self, unknown: Unknown) {
        let mut absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
        if absent.len() >= ABSENCES {
            absent.retain(|_, since| since.elapsed() < ABSENCE);
        }
        if absent.len() < ABSENCES {
            absent.insert(unknown, Instant::now());
        }
    }
}

/// What the objects of a watch mean.
trait Handler {
    fn seen<K>(&self, known: &mut Known, object: &PartialObjectMeta<K>, now: Timestamp);
    fn gone(&self, known: &mut Known, name: &str, now: Timestamp);
    fn names(&self, known: &Known) -> Vec<String>;
    fn mark(&self, synced: &mut (bool, bool));
}

struct OfNamespaces;
struct OfDomains;

impl Handler for OfNamespaces {
    fn seen<K>(&self, known: &mut Known, object: &PartialObjectMeta<K>, now: Timestamp) {
        let labels = object.metadata.labels.as_ref();
        let domain = labels.and_then(|labels| labels.get(labels::DOMAIN));
        let name = object.metadata.name.as_deref().unwrap_or_default();
        known.namespace(name, domain.map(String::as_str), now);
    }

    fn gone(&self, known: &mut Known, name: &str, now: Timestamp) {
        known.namespace_gone(name, now);
    }

    fn names(&self, known: &Known) -> Vec<String> {
        known.namespace_names()
    }

    fn mark(&self, synced: &mut (bool, bool)) {
        synced.0 = true;
    }
}

impl Handler for OfDomains {
    fn seen<K>(&self, known: &mut Known, object: &PartialObjectMeta<K>, _: Timestamp) {
        known.domain(object.metadata.name.as_deref().unwrap_or_default());
    }

    fn gone(&self, known: &mut Known, name: &str, now: Timestamp) {
        known.domain_gone(name, now);
    }

    fn names(&self, known: &Known) -> Vec<String> {
        known.domain_names()
    }

    fn mark(&self, synced: &mut (bool, bool)) {
        synced.1 = true;
    }
}
