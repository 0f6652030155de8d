//! The leader lease: who may write.
//!
//! The algorithm is that of client-go: whether another holder is alive is judged by our own clock
//! from when we last saw its lease change, never by comparing clocks; every write carries the
//! resourceVersion that was read; and the fence closes before anybody else can take over.
//!
//! With shards there is a lease for each. Who has two more than another is asked for one by an
//! annotation and hands it over; see [`Holdings`].

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
    holdings::{Holder, Holdings},
    http::{Http, Want},
    resource::ResourceType,
    target::Target,
};
use crate::telemetry::Metrics;

/// Past the end of a lease.
const SOON: Duration = Duration::from_millis(20);
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

/// On a lease: how many shards there are for its holder. Without it there is one.
const SHARDS: &str = "polder.dev/shards";
/// On a lease: who asks for it.
const ASKED_BY: &str = "polder.dev/asked-by";

/// Competes for a lease and keeps it.
pub(crate) struct Leader {
    options: LeaseOptions,
    shard: usize,
    holdings: Holdings,
    http: Http,
    fence: Fence,
    metrics: Metrics,
    /// The lease as last read or written, and when it was first seen renewed so.
    seen: Option<(Lease, Instant)>,
    /// Who asked for it.
    asked_by: Option<String>,
    /// The leases of holders that count otherwise, and since when they have not changed.
    others: Option<(Vec<String>, Instant)>,
}

/// Why a lease is ours no more, or is not to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Somebody else may have it.
    Lost,
    /// It is still ours, and somebody with less to do asks for it.
    Asked(String),
}

/// Whether the lease is ours.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    Ours,
    Theirs,
}

impl Leader {
    /// `http` must have a short timeout and an open fence of its own.
    pub(crate) fn new(
        mut options: LeaseOptions,
        (shard, holdings): (usize, Holdings),
        http: Http,
        fence: Fence,
        metrics: Metrics,
    ) -> Self {
        if shard > 0 {
            options.name = format!("{}-{shard}", options.name);
        }
        metrics.leader(&options.name, false);
        Self {
            options,
            shard,
            holdings,
            http,
            fence,
            metrics,
            seen: None,
            asked_by: None,
            others: None,
        }
    }

    /// Waits until the lease is ours.
    pub(crate) async fn acquire(&mut self) {
        let mut told = String::new();
        loop {
            let started = Instant::now();
            match self.attempt().await {
                Ok(Turn::Ours) => {
                    self.renewed(started);
                    let (identity, lease) = (&self.options.identity, &self.options.name);
                    tracing::info!(identity, lease, "leading");
                    return;
                }
                Ok(Turn::Theirs) => {
                    let holder = self.holder().to_owned();
                    if holder != told {
                        tracing::info!(holder, lease = self.options.name, "standing by");
                        told = holder;
                    }
                    self.ask().await;
                }
                Err(error) => tracing::warn!(%error, "the lease could not be had; trying again"),
            }
            sleep(self.pause()).await;
        }
    }

    /// Often enough to see a renewal soon, and the moment at which the lease runs out.
    fn pause(&self) -> Duration {
        let pause = about(self.options.duration / 15);
        let rest = self.until().map(|until| until.saturating_duration_since(Instant::now()));
        rest.filter(|rest| !rest.is_zero()).map_or(pause, |rest| pause.min(rest + SOON))
    }

    /// Asks the holder for the lease, if it has more than its share.
    async fn ask(&mut self) {
        if !self.holdings.asks(self.shard) {
            return;
        }
        let Some((mut lease, _)) = self.seen.clone() else { return };
        let annotations = lease.metadata.annotations.get_or_insert_default();
        annotations.insert(ASKED_BY.to_owned(), self.options.identity.clone());
        lease.metadata.managed_fields = None;
        match self.replace(&lease).await {
            Ok(lease) => {
                self.see(lease);
            }
            Err(error) => tracing::debug!(%error, "the lease could not be asked for"),
        }
    }

    /// Renews the lease until it is lost or asked for.
    pub(crate) async fn keep(&mut self) -> End {
        let mut renewed = Instant::now();
        loop {
            sleep(about(self.options.duration / 3).min(self.options.duration / 3)).await;
            loop {
                let started = Instant::now();
                match self.attempt().await {
                    Ok(Turn::Ours) => {
                        renewed = started;
                        self.renewed(started);
                        if let Some(name) = self.asked_by.take()
                            && self.holdings.gives_to(&name)
                        {
                            return End::Asked(name);
                        }
                        break;
                    }
                    Ok(Turn::Theirs) => {
                        tracing::error!(holder = self.holder(), "the lease was taken");
                        self.lost();
                        return End::Lost;
                    }
                    Err(error) => tracing::warn!(%error, "the lease could not be renewed"),
                }
                if renewed.elapsed() > self.grace() {
                    tracing::error!("the lease could not be renewed in time");
                    self.lost();
                    return End::Lost;
                }
                sleep(about(self.options.duration / 15)).await;
            }
        }
    }

    /// Whether it was ours when last seen.
    pub(crate) fn is_ours(&self) -> bool {
        self.holder() == self.options.identity
    }

    /// Hands the lease back, so that another need not wait for it to run out.
    pub(crate) async fn release(&mut self) {
        self.pass_on("", 1).await;
    }

    /// Hands the lease to another. It has as long as usual to take it up.
    pub(crate) async fn hand_over(&mut self, to: &str) {
        let seconds = i32::try_from(self.options.duration.as_secs()).unwrap_or(i32::MAX);
        self.pass_on(to, seconds).await;
    }

    async fn pass_on(&mut self, to: &str, seconds: i32) {
        self.lost();
        let mut result = self.write_over(to, seconds).await;
        // A renewal that was cut short may have been written, as may a wish of somebody else's: what
        // we know of the lease is out of date then, and still it is ours.
        if matches!(&result, Err(error) if error.class() == Class::Conflict) {
            result = self.look().await;
            if result.is_ok() && self.is_ours() {
                result = self.write_over(to, seconds).await;
            }
        }
        match result {
            Ok(()) => tracing::info!(to, lease = self.options.name, "the lease is released"),
            Err(error) => tracing::warn!(%error, "the lease could not be released"),
        }
    }

    async fn write_over(&mut self, to: &str, seconds: i32) -> Result<(), RequestError> {
        let Some((lease, _)) = &self.seen else { return Ok(()) };
        let mut lease = lease.clone();
        let spec = lease.spec.get_or_insert_default();
        spec.holder_identity = Some(to.to_owned());
        spec.lease_duration_seconds = Some(seconds);
        spec.renew_time = Some(MicroTime(Timestamp::now()));
        lease.metadata.managed_fields = None;
        let lease = self.replace(&lease).await?;
        self.see(lease);
        Ok(())
    }

    async fn look(&mut self) -> Result<(), RequestError> {
        let lease = parse(&self.http.get(self.target(), Want::Object).await?)?;
        self.see(lease);
        Ok(())
    }

    fn lost(&self) {
        self.fence.close();
        self.metrics.leader(&self.options.name, false);
    }

    fn renewed(&self, at: Instant) {
        self.fence.extend(at + self.grace());
        self.metrics.leader(&self.options.name, true);
    }

    /// The longest that a request may last.
    fn request(&self) -> Duration {
        self.options.duration / 5
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
        if self.is_ours()
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
                if !self.holdings.may_take(self.shard, self.request()) {
                    return Ok(Turn::Theirs);
                }
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
        if !self.is_free() || !self.may_take().await? {
            return Ok(Turn::Theirs);
        }
        let wanted = self.claim(current);
        Ok(self.see(self.replace(&wanted).await?))
    }

    /// Whether the lease, which is free, may be taken. Where the last holder of the first lease
    /// counted otherwise, others that do may still work: not before all of their leases are free, or
    /// have not been renewed for as long as a lease lasts.
    async fn may_take(&mut self) -> Result<bool, RequestError> {
        let count = self.seen.as_ref().map_or(1, |(lease, _)| shards_of(lease));
        if self.shard > 0 || count == self.holdings.shards() {
            return Ok(self.holdings.may_take(self.shard, self.request()));
        }
        let mut others = Vec::new();
        for shard in 1..count {
            let name = format!("{}-{shard}", self.options.name);
            let target = Target { name: &name, ..self.target() };
            match self.http.get(target, Want::Object).await {
                Ok(text) => others.extend(held(&parse(&text)?)),
                Err(error) if error.class() == Class::Gone => {}
                Err(error) => return Err(error),
            }
        }
        let since = match self.others.take() {
            Some((known, since)) if known == others => since,
            _ => Instant::now(),
        };
        let is_over = others.is_empty() || since.elapsed() > self.options.duration;
        self.others = Some((others, since));
        Ok(is_over)
    }

    /// Remembers the lease; the time only if it was renewed since.
    fn see(&mut self, lease: Lease) -> Turn {
        let since = match &self.seen {
            Some((old, since)) if held(old) == held(&lease) => *since,
            _ => Instant::now(),
        };
        let annotation = |key: &str| lease.metadata.annotations.as_ref()?.get(key).cloned();
        self.asked_by = annotation(ASKED_BY).or(self.asked_by.take());
        let shards = shards_of(&lease);
        self.seen = Some((lease, since));
        let name = self.holder().to_owned();
        self.holdings.see(self.shard, Holder { name, shards, until: self.until() });
        if self.is_ours() { Turn::Ours } else { Turn::Theirs }
    }

    /// When the lease runs out, if it is not renewed before.
    fn until(&self) -> Option<Instant> {
        let (lease, since) = self.seen.as_ref()?;
        let seconds = lease.spec.as_ref()?.lease_duration_seconds?;
        since.checked_add(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
    }

    fn is_free(&self) -> bool {
        self.holder().is_empty()
            || self.is_ours()
            || self.until().is_none_or(|until| until < Instant::now())
    }

    /// The lease as ours, from now.
    fn claim(&self, mut lease: Lease) -> Lease {
        let now = MicroTime(Timestamp::now());
        let old = lease.spec.take().unwrap_or_default();
        let mine = old.holder_identity.as_deref() == Some(self.options.identity.as_str());
        let transitions = old.lease_transitions.unwrap_or(0);
        lease.metadata.managed_fields = None;
        let annotations = lease.metadata.annotations.get_or_insert_default();
        annotations.remove(ASKED_BY);
        match self.holdings.shards() {
            1 => annotations.remove(SHARDS),
            count => annotations.insert(SHARDS.to_owned(), count.to_string()),
        };
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

/// How many shards there are for the holder of a lease.
fn shards_of(lease: &Lease) -> usize {
    let annotation = lease.metadata.annotations.as_ref().and_then(|all| all.get(SHARDS));
    annotation.and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// What changes with every renewal; nothing if nobody holds the lease.
fn held(lease: &Lease) -> Option<String> {
    let spec = lease.spec.as_ref()?;
    let holder = spec.holder_identity.as_deref().filter(|holder| !holder.is_empty())?;
    let renewed = spec.renew_time.as_ref().map(|time| time.0.to_string()).unwrap_or_default();
    Some(format!("{holder} {renewed}"))
}

fn parse(text: &str) -> Result<Lease, RequestError> {
    serde_json::from_str(text).map_err(|error| RequestError::Answer(error.to_string()))
}

fn body(lease: &Lease) -> Result<Vec<u8>, RequestError> {
    serde_json::to_vec(lease).map_err(|error| RequestError::Answer(error.to_string()))
}
