//! What the Spark processes of one workload share, with the domain's part in it.

use k8s_openapi::api::core::v1::{EnvVar, Volume, VolumeMount};

use super::{
    Conf,
    catalogs::{SecretProperty, catalog_conf, catalog_secrets},
    conf::conf,
    metrics::metrics_conf,
};
use crate::{
    api::{
        Domain,
        catalog::Catalog,
        common::{NodePool, SparkRuntime},
        logs::LogsSpec,
    },
    build::pods,
};

/// Image, properties, environment and volumes of a workload's Spark processes.
#[derive(Clone, Debug, Default)]
pub struct Runtime {
    /// Image.
    pub image: String,
    /// Properties: the domain's, the catalogs' and the workload's own.
    pub conf: Conf,
    /// Properties with values from Secrets.
    pub secrets: Vec<SecretProperty>,
    /// Environment.
    pub env: Vec<EnvVar>,
    /// Volumes of the user and the domain, and where they appear.
    pub volumes: Vec<(Volume, VolumeMount)>,
    /// What its processes log.
    pub logs: LogsSpec,
}

impl Runtime {
    /// Puts together what domain and workload say.
    pub fn new(domain: &Domain, spec: &SparkRuntime, image: String) -> Self {
        let catalogs: Vec<Catalog> = offered(domain, spec).cloned().collect();
        let compute = domain.spec.compute.as_ref();
        let mut all = base();
        all.extend(compute.into_iter().flat_map(|compute| compute.spark_conf.0.clone()));
        all.extend(spec.spark_conf.0.clone());
        if domain.spec.is_monitored() {
            all.extend(metrics_conf());
        }
        let extensions = all.remove("spark.sql.extensions");
        all.extend(catalog_conf(&catalogs));
        if let Some(extensions) = extensions {
            all.entry("spark.sql.extensions".to_owned())
                .and_modify(|ours| *ours = format!("{ours},{extensions}"))
                .or_insert(extensions);
        }
        let secrets = catalog_secrets(&catalogs);
        all.insert(REDACTION.to_owned(), redaction(&secrets, all.get(REDACTION)));
        let mut volumes = pods::user_mounts(&spec.mounts, Some(domain));
        volumes.extend(shared_volumes(domain));
        let (env, logs) = (pods::user_env(&spec.env), domain.spec.logs.clone().unwrap_or_default());
        Self { image, conf: all, secrets, env, volumes, logs }
    }

    /// The volumes alone.
    pub fn pod_volumes(&self) -> impl Iterator<Item = Volume> + '_ {
        self.volumes.iter().map(|(volume, _)| volume.clone())
    }

    /// The mounts alone.
    pub fn mounts(&self) -> impl Iterator<Item = VolumeMount> + '_ {
        self.volumes.iter().map(|(_, mount)| mount.clone())
    }
}

/// The catalogs that a workload is offered: all of the domain's, or those it names.
fn offered<'a>(
    domain: &'a Domain,
    spec: &'a SparkRuntime,
) -> impl Iterator<Item = &'a Catalog> + 'a {
    domain
        .spec
        .catalogs
        .iter()
        .filter(|catalog| spec.catalogs.as_ref().is_none_or(|names| names.contains(&catalog.name)))
}

/// Name of the claim of a domain's shared volume.
pub fn shared_claim(domain: &str, volume: &str) -> String {
    format!("{domain}-{volume}")
}

fn shared_volumes(domain: &Domain) -> Vec<(Volume, VolumeMount)> {
    let domain_name = domain.metadata.name.as_deref().unwrap_or_default();
    domain
        .spec
        .volumes
        .iter()
        .map(|shared| {
            let name = format!("shared-{}", shared.name);
            let volume = Volume {
                name: name.clone(),
                persistent_volume_claim: Some(pods::claim_source(shared_claim(
                    domain_name,
                    &shared.name,
                ))),
                ..Default::default()
            };
            (volume, pods::mount_at(&name, &shared.path))
        })
        .collect()
}

/// A node pool of the domain by name.
pub fn node_pool<'a>(domain: &'a Domain, name: Option<&str>) -> Option<&'a NodePool> {
    let pools = &domain.spec.compute.as_ref()?.node_pools;
    pools.iter().find(|pool| Some(pool.name.as_str()) == name)
}

/// Properties that every Spark process gets unless somebody sets them otherwise.
fn base() -> Conf {
    conf([
        ("spark.jars.ivy", "/tmp/.ivy2".to_owned()),
        ("spark.ui.showConsoleProgress", "false".to_owned()),
        ("spark.sql.catalogImplementation", "in-memory".to_owned()),
        ("spark.sql.warehouse.dir", "/tmp/spark-warehouse".to_owned()),
        ("spark.decommission.enabled", "true".to_owned()),
        ("spark.storage.decommission.enabled", "true".to_owned()),
    ])
}

/// Property that tells Spark what not to show in pages, event logs and plans.
const REDACTION: &str = "spark.redaction.regex";

/// What is not shown: keys like those of credentials, all that comes from Secrets, and what users
/// add to that.
fn redaction(secrets: &[SecretProperty], users: Option<&String>) -> String {
    let known = "(?i)secret|password|token|access[.-]?key|credential|jdbc[.]user".to_owned();
    let secrets = secrets.iter().map(|secret| secret.property.replace('.', "[.]"));
    [known].into_iter().chain(secrets).chain(users.cloned()).collect::<Vec<_>>().join("|")
}
