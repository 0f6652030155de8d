//! The resource types of all children.

use k8s_openapi::api::{
    apps::v1::StatefulSet,
    batch::v1::{CronJob, Job},
    core::v1::{
        ConfigMap, LimitRange, Namespace, PersistentVolumeClaim, Pod, ResourceQuota, Secret,
        Service, ServiceAccount,
    },
    networking::v1::NetworkPolicy,
    policy::v1::PodDisruptionBudget,
    rbac::v1::RoleBinding,
};

use crate::engine::ResourceType;

/// Namespaces.
pub const NAMESPACE: ResourceType = ResourceType::cluster::<Namespace>();
/// Resource quotas.
pub const RESOURCE_QUOTA: ResourceType = ResourceType::namespaced::<ResourceQuota>();
/// Limit ranges.
pub const LIMIT_RANGE: ResourceType = ResourceType::namespaced::<LimitRange>();
/// Role bindings.
pub const ROLE_BINDING: ResourceType = ResourceType::namespaced::<RoleBinding>();
/// Network policies.
pub const NETWORK_POLICY: ResourceType = ResourceType::namespaced::<NetworkPolicy>();
/// Service accounts.
pub const SERVICE_ACCOUNT: ResourceType = ResourceType::namespaced::<ServiceAccount>();
/// Config maps.
pub const CONFIG_MAP: ResourceType = ResourceType::namespaced::<ConfigMap>();
/// Secrets: created by us, never read, never watched.
pub const SECRET: ResourceType = ResourceType::namespaced::<Secret>();
/// Services.
pub const SERVICE: ResourceType = ResourceType::namespaced::<Service>();
/// Stateful sets.
pub const STATEFUL_SET: ResourceType = ResourceType::namespaced::<StatefulSet>();
/// Jobs.
pub const JOB: ResourceType = ResourceType::namespaced::<Job>();
/// Cron jobs.
pub const CRON_JOB: ResourceType = ResourceType::namespaced::<CronJob>();
/// Volume claims.
pub const CLAIM: ResourceType = ResourceType::namespaced::<PersistentVolumeClaim>();
/// Secrets that the External Secrets Operator keeps: <https://external-secrets.io>
pub const EXTERNAL_SECRET: ResourceType = ResourceType {
    group: "external-secrets.io",
    version: "v1",
    kind: "ExternalSecret",
    plural: "externalsecrets",
    namespaced: true,
};
/// What the Secrets Store CSI driver mounts: <https://secrets-store-csi-driver.sigs.k8s.io>
pub const SECRET_PROVIDER_CLASS: ResourceType = ResourceType {
    group: "secrets-store.csi.x-k8s.io",
    version: "v1",
    kind: "SecretProviderClass",
    plural: "secretproviderclasses",
    namespaced: true,
};
/// What Argo CD syncs: <https://argo-cd.readthedocs.io>
pub const APPLICATION: ResourceType = argocd("Application", "applications");
/// What Applications may do.
pub const APP_PROJECT: ResourceType = argocd("AppProject", "appprojects");
/// What the Prometheus Operator has scraped: <https://prometheus-operator.dev>
pub const POD_MONITOR: ResourceType = ResourceType {
    group: "monitoring.coreos.com",
    version: "v1",
    kind: "PodMonitor",
    plural: "podmonitors",
    namespaced: true,
};
/// Pods.
pub const POD: ResourceType = ResourceType::namespaced::<Pod>();
/// Disruption budgets.
pub const DISRUPTION_BUDGET: ResourceType = ResourceType::namespaced::<PodDisruptionBudget>();

const fn argocd(kind: &'static str, plural: &'static str) -> ResourceType {
    ResourceType { group: "argoproj.io", version: "v1alpha1", kind, plural, namespaced: true }
}
