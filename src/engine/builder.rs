//! Putting an engine together: what is watched, and which kinds there are.

use std::{sync::Arc, time::Duration};

use http::{HeaderValue, header::USER_AGENT};
use kube::{Client, Config};

use super::{
    context::{Context, Controller, Parts, manager},
    decode::Decoder,
    driver::{Driver, Registered},
    events::Events,
    fence::Fence,
    holdings::Holdings,
    http::Http,
    kind::Kind,
    leader::{Leader, LeaseOptions},
    queue::Queue,
    resource::ResourceType,
    run::Engine,
    shards::Shards,
    world::{TypeEntry, World},
};
use crate::telemetry::{Health, Metrics};

/// How the API server's audit log knows us, unless the configuration says otherwise.
const AGENT: &str = concat!("polder/", env!("CARGO_PKG_VERSION"));

/// How an engine runs.
#[derive(Clone)]
pub struct Options {
    /// Where it counts.
    pub metrics: Metrics,
    /// Where it says that its stores are filled.
    pub health: Health,
    /// Only the holder of this lease writes; `None`: this process is the only one.
    pub leader_election: Option<LeaseOptions>,
    /// How many shards the domains are divided into, with a lease each, so that several operators
    /// can work at once. Default 1. Without a lease there is always one.
    pub shards: usize,
    /// Reconciles at once per kind. Default 32: most of one is waiting for answers, and one tenant
    /// whose requests hang must not keep the others from their turn.
    pub concurrency: usize,
    /// Writes at once in the whole process. Default 16: more only add latency.
    pub writes_in_flight: usize,
    /// Longest wait for an answer of the API server. Default 30 s.
    pub request_timeout: Duration,
    /// Every root is looked at again after about this time, at no write. Default 10 min.
    pub resync: Duration,
    /// Longest wait for reconciles in hand at shutdown. Default 20 s.
    pub shutdown_timeout: Duration,
}

impl Options {
    /// The defaults, without leader election.
    pub fn new(metrics: Metrics, health: Health) -> Self {
        Self {
            metrics,
            health,
            leader_election: None,
            shards: 1,
            concurrency: 32,
            writes_in_flight: 16,
            request_timeout: Duration::from_secs(30),
            resync: Duration::from_mins(10),
            shutdown_timeout: Duration::from_secs(20),
        }
    }
}

/// A type to be watched.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    /// The type.
    pub resource: ResourceType,
    /// Labels its objects must have, such as `app.kubernetes.io/managed-by=polder`. Children that
    /// lack them get them.
    pub selector: Option<&'static str>,
    /// Parts to keep, as JSON pointers (`/status`, `/spec/replicas`). None: metadata is all that is
    /// asked for.
    pub keep: &'static [&'static str],
}

/// Why an engine could not be built or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A type was registered twice.
    #[error("BUG: {0} is watched twice: one watch per type")]
    Twice(&'static str),
    /// Somebody else may lead now; this process must end at once.
    #[error("the leader lease was lost: this process ends so that nothing is written by two")]
    LeadershipLost,
    /// A task of the engine ended that never should.
    #[error("BUG: a part of the engine stopped: {0}")]
    Stopped(String),
    /// No client.
    #[error("no client for the API server: {0}")]
    Client(#[source] Box<kube::Error>),
}

/// A client as the engine needs it: requests are counted and timed here and must not be repeated
/// behind our back (kube repeats up to 15 times by default).
///
/// The API server's audit log knows it as `polder/VERSION (NAME)`, unless the configuration says
/// otherwise.
pub fn client_of(name: &str, mut config: Config) -> Result<Client, EngineError> {
    if let Ok(agent) = HeaderValue::from_str(&format!("{AGENT} ({name})"))
        && !config.headers.iter().any(|(name, _)| name == USER_AGENT)
    {
        config.headers.push((USER_AGENT, agent));
    }
    client(config)
}

/// A client as [`client_of`] makes it, without a name.
pub fn client(config: Config) -> Result<Client, EngineError> {
    Client::try_from(configured(config)).map_err(|error| EngineError::Client(Box::new(error)))
}

/// What is the same for all clients: a name for the audit log, and no trust in a silent server.
pub fn configured(mut config: Config) -> Config {
    config.default_retry = false;
    config.connect_timeout = Some(Duration::from_secs(5));
    if !config.headers.iter().any(|(name, _)| name == USER_AGENT) {
        config.headers.push((USER_AGENT, HeaderValue::from_static(AGENT)));
    }
    config
}

/// Collects watches and kinds.
pub struct EngineBuilder {
    client: Client,
    lease_client: Option<Client>,
    options: Options,
    watches: Vec<Watch>,
    optional: Vec<Watch>,
    within: Vec<(ResourceType, String)>,
    drivers: Vec<Arc<dyn Driver>>,
}

impl EngineBuilder {
    pub(crate) fn new(client: Client, options: Options) -> Self {
        Self {
            client,
            lease_client: None,
            options,
            watches: Vec::new(),
            optional: Vec::new(),
            within: Vec::new(),
            drivers: Vec::new(),
        }
    }

    /// A client of its own for the lease, so that renewals wait for nothing else.
    #[must_use]
    pub fn lease_client(mut self, client: Client) -> Self {
        self.lease_client = Some(client);
        self
    }

    /// Watches a type.
    #[must_use]
    pub fn watch(mut self, watch: Watch) -> Self {
        self.watches.push(watch);
        self
    }

    /// Watches a type that the cluster may lack, or that our role may not cover. It is asked for
    /// again when a CustomResourceDefinition changes, which are watched too then; kinds learn of it
    /// through [`View::served`](super::View::served), and must plan no child of a type that is not
    /// served.
    #[must_use]
    pub fn optional_watch(mut self, watch: Watch) -> Self {
        self.optional.push(watch);
        self
    }

    /// Looks for objects of a type in this namespace only: our role covers no other.
    #[must_use]
    pub fn within(mut self, resource: ResourceType, namespace: &str) -> Self {
        self.within.push((resource, namespace.to_owned()));
        self
    }

    /// Reconciles a kind, whose roots are watched in full.
    #[must_use]
    pub fn kind<K: Kind>(self, kind: K) -> Self {
        self.kinds([Registered::new(kind)])
    }

    /// Reconciles several kinds.
    #[must_use]
    pub fn kinds(mut self, kinds: impl IntoIterator<Item = Registered>) -> Self {
        self.drivers.extend(kinds.into_iter().map(|kind| kind.0));
        self
    }

    /// The engine, ready to run.
    pub fn build(self) -> Result<Engine, EngineError> {
        let Self { client, lease_client, options, watches, optional, within, drivers } = self;
        let metrics = &options.metrics;
        let managers: Arc<[&'static str]> =
            drivers.iter().map(|d| &*String::leak(manager(d.name()))).collect();
        let mandatory = drivers.len() + watches.len();
        let definitions = (!optional.is_empty()).then_some(Watch {
            resource: ResourceType::DEFINITION,
            selector: None,
            keep: &[],
        });
        let watches: Vec<Watch> = watches.into_iter().chain(optional).chain(definitions).collect();
        let lease = options.leader_election.clone();
        let count = if lease.is_some() { options.shards.max(1) } else { 1 };
        let (entries, decoders) = types(&drivers, &watches, &managers, count)?;
        let queues: Vec<_> =
            drivers.iter().map(|d| Arc::new(Queue::new(d.name(), metrics.clone()))).collect();
        let fence = if lease.is_some() { Fence::closed } else { Fence::open };
        let shards = Shards::new(count, fence);
        let http = |client: Client, timeout: Duration, fence: Fence| {
            Http::new(client, metrics.clone(), timeout, options.writes_in_flight, fence)
        };
        let leaders = lease.map(|lease| {
            let timeout = (lease.duration / 5).min(options.request_timeout);
            let client = lease_client.unwrap_or_else(|| client.clone());
            let http = http(client, timeout, Fence::open());
            let holdings = Holdings::new(&lease.identity, count);
            let leader = |shard: usize| {
                let fence = shards.fence(shard).clone();
                let place = (shard, holdings.clone());
                Leader::new(lease.clone(), place, http.clone(), fence, metrics.clone())
            };
            (0..count).map(leader).collect::<Vec<_>>()
        });
        let identity =
            options.leader_election.as_ref().map_or("polder", |lease| lease.identity.as_str());
        let context = Context::new(Parts {
            selectors: entries.iter().map(|entry| entry.selector).collect(),
            within: within.into_iter().collect(),
            mandatory,
            controllers: drivers
                .into_iter()
                .enumerate()
                .map(|(index, driver)| Controller::new(driver, index))
                .collect(),
            world: World::new(&entries, queues, metrics.clone()),
            http: http(client.clone(), options.request_timeout, Fence::closed()),
            shards,
            decoders,
            events: Events::new(client, identity, metrics.clone()),
            metrics: metrics.clone(),
            resync: options.resync,
        });
        Ok(Engine::new(context, leaders.unwrap_or_default(), options))
    }
}

type Types = (Vec<TypeEntry>, Vec<Decoder>);

/// Root types first, in the order of their kinds.
fn types(
    drivers: &[Arc<dyn Driver>],
    watches: &[Watch],
    managers: &Arc<[&'static str]>,
    shards: usize,
) -> Result<Types, EngineError> {
    let roots = drivers.iter().enumerate().map(|(position, driver)| {
        let entry = TypeEntry {
            resource: driver.resource(),
            selector: None,
            root: Some((driver.root_type(), position)),
        };
        let decoder = Decoder {
            resource: driver.resource(),
            keep: &[],
            managers: Arc::clone(managers),
            root: Some(driver.decoder()),
            shards,
        };
        (entry, decoder)
    });
    let children = watches.iter().map(|watch| {
        let Watch { resource, selector, keep } = *watch;
        let decoder =
            Decoder { resource, keep, managers: Arc::clone(managers), root: None, shards };
        (TypeEntry { resource, selector, root: None }, decoder)
    });
    let (entries, decoders): Types = roots.chain(children).unzip();
    for (position, entry) in entries.iter().enumerate() {
        let same = |other: &TypeEntry| {
            other.resource.group == entry.resource.group
                && other.resource.plural == entry.resource.plural
        };
        if entries.iter().take(position).any(same) {
            return Err(EngineError::Twice(entry.resource.kind));
        }
    }
    Ok((entries, decoders))
}
