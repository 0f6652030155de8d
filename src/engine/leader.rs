//! The leader lease: who may write.
//!
//! The algorithm is that of client-go: whether another holder is alive is judged by our own clock
//! from when we last saw its lease change, never by comparing clocks; every write carries the
//! resourceVersion that was read; and the fence closes before anybody else can take over.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use tokio::time::sleep;

use super::{
    backoff::about,
    error::{Class, RequestError},
    fence::Fence,
    http::{Http, Want},
    resource::ResourceType,
    target::Target,
};
use crate::telemetry::Metrics;

const LEASES: ResourceType = ResourceType::namespaced::<Lease>();

/// The lease to compete for.
#[derive(Clone, Debug)]
pub struct LeaseOptions {
    /// Namespace of the Lease.
    pub namespace: String,
    /// Name of the Lease.
    pub name: String,
    /// This process; the pod's name.
    pub identity: String,
    /// How long a silent holder is believed to live. Default 15 s. Renewed every third of it;
    /// given up after two thirds without success.
    pub duration: Duration,
}

impl LeaseOptions {
    /// A lease of 15 s.
    pub fn new(
        namespace: impl Into<String>,
        name: impl Into<String>,
        identity: impl Into<String>,
    ) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
            identity: identity.into(),
            duration: Duration::from_secs(15),
        }
    }
}

/// Competes for a lease and keeps it.
pub(crate) struct Leader {
    options: LeaseOptions,
    http: Http,
    fence: Fence,
    metrics: Metrics,
    /// The lease as last read or written, and when it was first seen so.
    seen: Option<(Lease, Instant)>,
}

/// Whether the lease is ours.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    Ours,
    Theirs,
}

impl Leader {
    /// `http` must have a short timeout and an open fence of its own.
    pub(crate) fn new(options: LeaseOptions, http: Http, fence: Fence, metrics: Metrics) -> Self {
        metrics.leader(&options.name, false);
        Self { options, http, fence, metrics, seen: None }
    }

    /// Waits until the lease is ours.
    pub(crate) async fn acquire(&mut self) {
        let mut told = String::new();
        loop {
            let started = Instant::now();
            match self.attempt().await {
                Ok(Turn::Ours) => {
                    self.renewed(started);
                    tracing::info!(identity = self.options.identity, "leading");
                    return;
                }
                Ok(Turn::Theirs) => {
                    let holder = self.holder().to_owned();
                    if holder != told {
                        tracing::info!(holder, "standing by");
                        told = holder;
                    }
                }
                Err(error) => tracing::warn!(%error, "the lease could not be had; trying again"),
            }
            sleep(about(self.options.duration / 8)).await;
        }
    }

    /// Renews the lease until it is lost.
    pub(crate) async fn keep(&mut self) {
        let mut renewed = Instant::now();
        loop {
            sleep(about(self.options.duration / 3).min(self.options.duration / 3)).await;
            loop {
                let started = Instant::now();
                match self.attempt().await {
                    Ok(Turn::Ours) => {
                        renewed = started;
                        self.renewed(started);
                        break;
                    }
                    Ok(Turn::Theirs) => {
                        tracing::error!(holder = self.holder(), "the lease was taken");
                        return self.lost();
                    }
                    Err(error) => tracing::warn!(%error, "the lease could not be renewed"),
                }
                if renewed.elapsed() > self.grace() {
                    tracing::error!("the lease could not be renewed in time");
                    return self.lost();
                }
                sleep(about(self.options.duration / 15)).await;
            }
        }
    }

    /// Hands the lease back, so that another need not wait for it to run out.
    pub(crate) async fn release(&mut self) {
        self.lost();
        let Some((lease, _)) = &self.seen else { return };
        let mut lease = lease.clone();
        let spec = lease.spec.get_or_insert_default();
        spec.holder_identity = Some(String::new());
        spec.lease_duration_seconds = Some(1);
        spec.renew_time = Some(MicroTime(Timestamp::now()));
        match self.replace(&lease).await {
            Ok(_) => tracing::info!("the lease is released"),
            Err(error) => tracing::warn!(%error, "the lease could not be released"),
        }
    }

    fn lost(&self) {
        self.fence.close();
        self.metrics.leader(&self.options.name, false);
    }

    fn renewed(&self, at: Instant) {
        self.fence.extend(at + self.grace());
        self.metrics.leader(&self.options.name, true);
    }

    /// How long a renewal lets us write.
    fn grace(&self) -> Duration {
        self.options.duration * 2 / 3
    }

    fn holder(&self) -> &str {
        self.seen
            .as_ref()
            .and_then(|(lease, _)| lease.spec.as_ref()?.holder_identity.as_deref())
            .unwrap_or_default()
    }

    /// One try to get or renew the lease.
    async fn attempt(&mut self) -> Result<Turn, RequestError> {
        // What we wrote last is most likely still there: one request instead of two.
        if self.holder() == self.options.identity
            && let Some((lease, _)) = &self.seen
        {
            let wanted = self.claim(lease.clone());
            match self.replace(&wanted).await {
                Ok(lease) => return Ok(self.see(lease)),
                Err(error) if matches!(error.class(), Class::Conflict | Class::Gone) => {}
                Err(error) => return Err(error),
            }
        }
        let current = match self.http.get(self.target(), Want::Object).await {
            Ok(text) => parse(&text)?,
            Err(error) if error.class() == Class::Gone => {
                let lease = self.claim(Lease {
                    metadata: ObjectMeta {
                        name: Some(self.options.name.clone()),
                        namespace: Some(self.options.namespace.clone()),
                        ..ObjectMeta::default()
                    },
                    spec: None,
                });
                return Ok(self.see(self.create(&lease).await?));
            }
            Err(error) => return Err(error),
        };
        self.see(current.clone());
        if !self.is_free() {
            return Ok(Turn::Theirs);
        }
        let wanted = self.claim(current);
        Ok(self.see(self.replace(&wanted).await?))
    }

    /// Remembers the lease; the time only if it differs from before.
    fn see(&mut self, lease: Lease) -> Turn {
        let version = |lease: &Lease| lease.metadata.resource_version.clone();
        let since = match &self.seen {
            Some((old, since)) if version(old) == version(&lease) => *since,
            _ => Instant::now(),
        };
        self.seen = Some((lease, since));
        if self.holder() == self.options.identity { Turn::Ours } else { Turn::Theirs }
    }

    fn is_free(&self) -> bool {
        let Some((lease, since)) = &self.seen else { return true };
        let holder = self.holder();
        let seconds = lease.spec.as_ref().and_then(|s| s.lease_duration_seconds).unwrap_or(0);
        let duration = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        holder.is_empty() || holder == self.options.identity || since.elapsed() > duration
    }

    /// The lease as ours, from now.
    fn claim(&self, mut lease: Lease) -> Lease {
        let now = MicroTime(Timestamp::now());
        let old = lease.spec.take().unwrap_or_default();
        let mine = old.holder_identity.as_deref() == Some(self.options.identity.as_str());
        let transitions = old.lease_transitions.unwrap_or(0);
        lease.metadata.managed_fields = None;
        lease.spec = Some(LeaseSpec {
            acquire_time: if mine { old.acquire_time } else { Some(now.clone()) },
            holder_identity: Some(self.options.identity.clone()),
            lease_duration_seconds: i32::try_from(self.options.duration.as_secs()).ok(),
            lease_transitions: Some(if mine { transitions } else { transitions + 1 }),
            renew_time: Some(now),
            ..old
        });
        lease
    }

    fn target(&self) -> Target<'_> {
        Target {
            resource: &LEASES,
            namespace: Some(&self.options.namespace),
            name: &self.options.name,
        }
    }

    async fn replace(&self, lease: &Lease) -> Result<Lease, RequestError> {
        parse(&self.http.replace(self.target(), body(lease)?).await?)
    }

    async fn create(&self, lease: &Lease) -> Result<Lease, RequestError> {
        let namespace = Some(self.options.namespace.as_str());
        let body = body(lease)?;
        parse(&self.http.create(&LEASES, namespace, "polder", body, Want::Object).await?)
    }
}

fn parse(text: &str) -> Result<Lease, RequestError> {
    serde_json::from_str(text).map_err(|error| RequestError::Answer(error.to_string()))
}

fn body(lease: &Lease) -> Result<Vec<u8>, RequestError> {
    serde_json::to_vec(lease).map_err(|error| RequestError::Answer(error.to_string()))
}
