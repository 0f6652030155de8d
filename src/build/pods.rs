//! Pieces of pods that all kinds make alike: security, resources, environment, mounts, placement.

use k8s_openapi::{
    api::core::v1::{
        Affinity, CSIVolumeSource, Capabilities, ConfigMapKeySelector, ConfigMapVolumeSource,
        EmptyDirVolumeSource, EnvVar, EnvVarSource, NodeAffinity, NodeSelector,
        NodeSelectorRequirement, NodeSelectorTerm, ObjectFieldSelector,
        PersistentVolumeClaimVolumeSource, PodSecurityContext, ResourceRequirements,
        SeccompProfile, SecretKeySelector, SecretVolumeSource, SecurityContext, Toleration,
        TopologySpreadConstraint, Volume, VolumeMount,
    },
    apimachinery::pkg::{api::resource::Quantity as KubeQuantity, apis::meta::v1::LabelSelector},
};

use crate::api::{
    Domain,
    common::{self, Mount, NodePool, Resources},
};

/// User and group that Spark images run as.
/// Source: <https://github.com/apache/spark-docker>
pub const SPARK_UID: i64 = 185;

/// Security of a pod that meets the restricted Pod Security level. `user` is set for images whose
/// own user is a name or unknown; volumes are made writable for its group.
pub fn security(user: Option<i64>) -> PodSecurityContext {
    PodSecurityContext {
        run_as_non_root: Some(true),
        run_as_user: user,
        run_as_group: user,
        fs_group: user,
        fs_group_change_policy: user.map(|_| "OnRootMismatch".to_owned()),
        seccomp_profile: Some(SeccompProfile {
            type_: "RuntimeDefault".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Security of a container that meets the restricted Pod Security level.
pub fn container_security(read_only_root: bool) -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        capabilities: Some(Capabilities {
            drop: Some(vec!["ALL".to_owned()]),
            ..Default::default()
        }),
        read_only_root_filesystem: Some(read_only_root),
        ..Default::default()
    }
}

/// Requests and limits of a container.
pub fn requirements(resources: &Resources) -> ResourceRequirements {
    let cpu_limit = resources.cpu_limit.as_ref().unwrap_or(&resources.cpu);
    let amounts = |cpu: KubeQuantity| {
        [("cpu".to_owned(), cpu), ("memory".to_owned(), (&resources.memory).into())].into()
    };
    ResourceRequirements {
        requests: Some(amounts((&resources.cpu).into())),
        limits: Some(amounts(cpu_limit.into())),
        ..Default::default()
    }
}

/// A variable with a plain value.
pub fn env(name: &str, value: impl Into<String>) -> EnvVar {
    EnvVar { name: name.to_owned(), value: Some(value.into()), ..Default::default() }
}

/// A variable with a field of the pod, such as `status.podIP`.
pub fn field_env(name: &str, path: &str) -> EnvVar {
    let field = ObjectFieldSelector { field_path: path.to_owned(), ..Default::default() };
    EnvVar {
        name: name.to_owned(),
        value_from: Some(EnvVarSource { field_ref: Some(field), ..Default::default() }),
        ..Default::default()
    }
}

/// A variable with a key of a Secret.
pub fn secret_env(name: &str, secret: &str, key: &str) -> EnvVar {
    let selector =
        SecretKeySelector { name: secret.to_owned(), key: key.to_owned(), ..Default::default() };
    EnvVar {
        name: name.to_owned(),
        value_from: Some(EnvVarSource { secret_key_ref: Some(selector), ..Default::default() }),
        ..Default::default()
    }
}

/// The variables of a user.
pub fn user_env(variables: &[common::EnvVar]) -> Vec<EnvVar> {
    variables
        .iter()
        .map(|variable| match (&variable.secret, &variable.config_map) {
            (Some(secret), _) => secret_env(&variable.name, &secret.name, &secret.key),
            (None, Some(map)) => EnvVar {
                name: variable.name.clone(),
                value_from: Some(EnvVarSource {
                    config_map_key_ref: Some(ConfigMapKeySelector {
                        name: map.name.clone(),
                        key: map.key.clone(),
                        ..Default::default()
                    }),
                    ..Default::default()
                }),
                ..Default::default()
            },
            (None, None) => env(&variable.name, variable.value.clone().unwrap_or_default()),
        })
        .collect()
}

/// Our variables, then the user's; of one name (`HOME`, say) the user's alone, as names are unique
/// in a container.
pub fn merge_env(ours: Vec<EnvVar>, users: &[EnvVar]) -> Vec<EnvVar> {
    let is_free = |variable: &EnvVar| users.iter().all(|user| user.name != variable.name);
    ours.into_iter().filter(is_free).chain(users.iter().cloned()).collect()
}

/// Whether a name is that of a secret that the domain brings as files, by the Secrets Store CSI
/// driver: there is no Secret of that name.
pub fn comes_as_files(domain: Option<&Domain>, secret: &str) -> bool {
    let secrets = domain.into_iter().flat_map(|domain| &domain.spec.secrets);
    secrets.into_iter().any(|known| known.name == secret && known.vault.is_some())
}

/// Source: <https://secrets-store-csi-driver.sigs.k8s.io/getting-started/usage>
fn csi_source(secret: &str) -> CSIVolumeSource {
    CSIVolumeSource {
        driver: "secrets-store.csi.k8s.io".to_owned(),
        read_only: Some(true),
        volume_attributes: Some(
            [("secretProviderClass".to_owned(), secret.to_owned())].into_iter().collect(),
        ),
        ..Default::default()
    }
}

/// The mounts of a user, as volumes `mount-<n>` and where they appear.
pub fn user_mounts(mounts: &[Mount], domain: Option<&Domain>) -> Vec<(Volume, VolumeMount)> {
    mounts
        .iter()
        .enumerate()
        .map(|(index, mount)| {
            let name = format!("mount-{index}");
            let (files, secret) = match &mount.secret {
                Some(secret) if comes_as_files(domain, secret) => (Some(secret), None),
                secret => (None, secret.as_ref()),
            };
            let volume = Volume {
                name: name.clone(),
                csi: files.map(|secret| csi_source(secret)),
                secret: secret.map(|secret| SecretVolumeSource {
                    secret_name: Some(secret.clone()),
                    ..Default::default()
                }),
                config_map: mount
                    .config_map
                    .clone()
                    .map(|map| ConfigMapVolumeSource { name: map, ..Default::default() }),
                persistent_volume_claim: mount.claim.clone().map(claim_source),
                ..Default::default()
            };
            let read_only = mount.claim.is_none().then_some(true);
            (volume, VolumeMount { read_only, ..mount_at(&name, &mount.path) })
        })
        .collect()
}

/// A claim as the source of a volume.
pub fn claim_source(claim_name: String) -> PersistentVolumeClaimVolumeSource {
    PersistentVolumeClaimVolumeSource { claim_name, ..Default::default() }
}

/// An empty folder on the node's disk.
pub fn empty_dir(name: &str) -> Volume {
    Volume {
        name: name.to_owned(),
        empty_dir: Some(EmptyDirVolumeSource::default()),
        ..Default::default()
    }
}

/// An empty folder in memory, for what must not touch a disk.
pub fn memory_dir(name: &str, limit: &str) -> Volume {
    Volume {
        name: name.to_owned(),
        empty_dir: Some(EmptyDirVolumeSource {
            medium: Some("Memory".to_owned()),
            size_limit: Some(KubeQuantity(limit.to_owned())),
        }),
        ..Default::default()
    }
}

/// A ConfigMap as a volume.
pub fn config_map_volume(name: &str, config_map: &str) -> Volume {
    Volume {
        name: name.to_owned(),
        config_map: Some(ConfigMapVolumeSource {
            name: config_map.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Where a volume appears.
pub fn mount_at(volume: &str, path: &str) -> VolumeMount {
    VolumeMount { name: volume.to_owned(), mount_path: path.to_owned(), ..Default::default() }
}

/// Where pods may run.
#[derive(Clone, Debug, Default)]
pub struct Placement {
    /// Nodes of the pool.
    pub affinity: Option<Affinity>,
    /// Tolerations of the pool.
    pub tolerations: Vec<Toleration>,
}

/// Placement on a node pool; anywhere without one.
pub fn placement(pool: Option<&NodePool>) -> Placement {
    let Some(pool) = pool else { return Placement::default() };
    let expressions: Vec<NodeSelectorRequirement> = pool
        .selector
        .iter()
        .map(|(key, value)| NodeSelectorRequirement {
            key: key.clone(),
            operator: "In".to_owned(),
            values: Some(vec![value.clone()]),
        })
        .collect();
    let affinity = (!expressions.is_empty()).then(|| Affinity {
        node_affinity: Some(NodeAffinity {
            required_during_scheduling_ignored_during_execution: Some(NodeSelector {
                node_selector_terms: vec![NodeSelectorTerm {
                    match_expressions: Some(expressions),
                    ..Default::default()
                }],
            }),
            ..Default::default()
        }),
        ..Default::default()
    });
    Placement { affinity, tolerations: pool.tolerations.clone() }
}

/// Spreads pods over nodes, as far as there are nodes.
pub fn spread(selector: LabelSelector) -> Vec<TopologySpreadConstraint> {
    vec![TopologySpreadConstraint {
        max_skew: 1,
        topology_key: "kubernetes.io/hostname".to_owned(),
        when_unsatisfiable: "ScheduleAnyway".to_owned(),
        label_selector: Some(selector),
        ..Default::default()
    }]
}
