//! What the operator watches and which kinds it serves: one line each.

use std::sync::Arc;

use kube::Client;

use crate::{
    build::{spark::SparkImages, types},
    engine::{Engine, EngineBuilder, Options, Registered, Snapshot, Watch},
    kinds::{
        batch_job::BatchJobKind,
        domain::{DomainKind, OperatorIdentity},
        spark_cluster::SparkClusterKind,
        sql_endpoint::SqlEndpointKind,
    },
    telemetry::Metrics,
};

/// Objects that the operator made.
const OURS: Option<&str> = Some("app.kubernetes.io/managed-by=polder");
/// Objects of a domain, whoever made them.
const OF_DOMAINS: Option<&str> = Some("polder.dev/domain");

/// All watches. Where no part is kept, only metadata is ever asked for.
pub const WATCHES: &[Watch] = &[
    Watch { resource: types::NAMESPACE, selector: OF_DOMAINS, keep: &["/status/conditions"] },
    Watch { resource: types::RESOURCE_QUOTA, selector: OURS, keep: &["/spec/hard", "/status"] },
    Watch { resource: types::LIMIT_RANGE, selector: OURS, keep: &[] },
    Watch { resource: types::ROLE_BINDING, selector: OURS, keep: &[] },
    Watch { resource: types::NETWORK_POLICY, selector: OURS, keep: &[] },
    Watch { resource: types::SERVICE_ACCOUNT, selector: OURS, keep: &[] },
    Watch { resource: types::CONFIG_MAP, selector: OURS, keep: &[] },
    Watch { resource: types::SERVICE, selector: OURS, keep: &[] },
    Watch { resource: types::DISRUPTION_BUDGET, selector: OURS, keep: &[] },
    Watch {
        resource: types::CLAIM,
        selector: OF_DOMAINS,
        keep: &["/metadata/finalizers", "/spec", "/status"],
    },
    Watch {
        resource: types::STATEFUL_SET,
        selector: OURS,
        keep: &[
            "/metadata/annotations",
            "/spec/replicas",
            "/spec/template/metadata/labels",
            "/spec/volumeClaimTemplates",
            "/status",
        ],
    },
    Watch { resource: types::JOB, selector: OURS, keep: &["/spec/suspend", "/status"] },
    Watch { resource: types::CRON_JOB, selector: OURS, keep: &["/spec/suspend", "/status"] },
    Watch {
        resource: types::POD,
        selector: OF_DOMAINS,
        keep: &["/metadata/finalizers", "/status"],
    },
];

/// Watches of types that a cluster may lack, and that the chart lets the operator use only if asked
/// to.
pub const OPTIONAL_WATCHES: &[Watch] = &[
    Watch { resource: types::EXTERNAL_SECRET, selector: OURS, keep: &["/status/conditions"] },
    Watch { resource: types::SECRET_PROVIDER_CLASS, selector: OURS, keep: &[] },
    Watch { resource: types::POD_MONITOR, selector: OURS, keep: &[] },
    Watch { resource: types::APP_PROJECT, selector: OURS, keep: &[] },
    Watch {
        resource: types::APPLICATION,
        selector: OURS,
        keep: &[
            "/status/conditions",
            "/status/health/status",
            "/status/operationState/message",
            "/status/operationState/phase",
            "/status/sync/revision",
            "/status/sync/status",
        ],
    },
];

/// What the kinds need to know of the installation.
#[derive(Clone, Debug, Default)]
pub struct Installation {
    /// Who the operator is.
    pub operator: OperatorIdentity,
    /// Which image serves which Spark version.
    pub images: SparkImages,
}

/// All kinds.
pub fn kinds(installation: Installation) -> [Registered; 4] {
    let images = Arc::new(installation.images);
    [
        Registered::new(DomainKind {
            operator: installation.operator,
            images: Arc::clone(&images),
        }),
        Registered::new(SparkClusterKind { images: Arc::clone(&images) }),
        Registered::new(SqlEndpointKind { images: Arc::clone(&images) }),
        Registered::new(BatchJobKind { images }),
    ]
}

/// The engine with all watches and kinds.
pub fn engine(client: Client, options: Options, installation: Installation) -> EngineBuilder {
    let argocd = installation.operator.argocd_namespace.as_str();
    let builder = Engine::builder(client, options)
        .within(types::APP_PROJECT, argocd)
        .within(types::APPLICATION, argocd);
    let builder = WATCHES.iter().fold(builder, |builder, watch| builder.watch(*watch));
    OPTIONAL_WATCHES
        .iter()
        .fold(builder, |builder, watch| builder.optional_watch(*watch))
        .kinds(kinds(installation))
}

/// A world without a cluster, with all watches and kinds.
pub fn snapshot(metrics: Metrics, installation: Installation) -> Snapshot {
    let watches = WATCHES.iter().chain(OPTIONAL_WATCHES);
    watches
        .fold(Snapshot::builder(), |builder, watch| builder.watch(*watch))
        .kinds(kinds(installation))
        .build(metrics)
}
