//! What is wrong with what workloads share, as far as their domain can tell.

use super::{DomainContext, Usage};
use crate::{
    api::{
        SparkConf,
        common::{EnvVar, Resources, SparkRuntime},
        properties::{has_credentials, is_secret},
    },
    build::{
        pods, quantity,
        spark::{SparkImages, runtime},
    },
    engine::Problem,
};

impl DomainContext {
    /// What is wrong with a service (a cluster, an endpoint) apart from its pods; `is_new` if nothing
    /// of it runs yet.
    pub fn service_problems(
        &self,
        usage: &Usage,
        spec: &SparkRuntime,
        images: &SparkImages,
        is_new: bool,
    ) -> Vec<Problem> {
        let frozen = if is_new { self.policy.frozen() } else { None };
        let mut problems: Vec<Problem> = frozen.into_iter().collect();
        problems.extend(self.policy.problems(usage));
        problems.extend(self.runtime_problems("spec", spec, images));
        problems
    }

    /// What is wrong with a pod's node pool and resources, `path` being where it stands in the spec,
    /// and `least_mib` what Spark needs there.
    pub fn pod_problems(
        &self,
        path: &str,
        pool: Option<&str>,
        resources: &Resources,
        least_mib: i64,
    ) -> Vec<Problem> {
        let pool = self.pool_problem(&format!("{path}.nodePool"), pool);
        let resources = self.resource_problems(&format!("{path}.resources"), resources, least_mib);
        pool.into_iter().chain(resources).collect()
    }

    /// What is wrong with the Spark part of a workload, `path` being where it stands in the spec.
    pub fn runtime_problems(
        &self,
        path: &str,
        spec: &SparkRuntime,
        images: &SparkImages,
    ) -> Vec<Problem> {
        let Some(domain) = &self.domain else { return Vec::new() };
        let known: Vec<&str> =
            domain.spec.catalogs.iter().map(|catalog| catalog.name.as_str()).collect();
        let mut problems = Vec::new();
        for (index, name) in spec.catalogs.iter().flatten().enumerate() {
            if !known.contains(&name.as_str()) {
                problems.push(Problem::new(
                    "CatalogNotFound",
                    format!("{path}.catalogs[{index}]"),
                    format!(
                        "Domain {} has no catalog {name}; it has: {}",
                        self.name(),
                        list(&known)
                    ),
                ));
            }
        }
        problems.extend(exposed_conf(&format!("{path}.sparkConf"), &spec.spark_conf));
        for key in spec.spark_conf.0.keys() {
            let of_domain = known.iter().find(|name| {
                key.strip_prefix("spark.sql.catalog.")
                    .and_then(|rest| rest.strip_prefix(**name))
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            });
            if let Some(name) = of_domain {
                problems.push(Problem::new(
                    "ReservedKey",
                    format!("{path}.sparkConf[{key}]"),
                    format!("catalog {name} is the Domain's; choose another name for your own"),
                ));
            }
        }
        for (index, mount) in spec.mounts.iter().enumerate() {
            if let Some(shared) =
                domain.spec.volumes.iter().find(|shared| shared.path == mount.path)
            {
                problems.push(Problem::new(
                    "PathTaken",
                    format!("{path}.mounts[{index}].path"),
                    format!(
                        "volume {} of the Domain is at {}; choose another path",
                        shared.name, shared.path
                    ),
                ));
            }
        }
        problems.extend(self.env_problems(path, &spec.env));
        if let Err(message) = images.image(spec) {
            problems.push(Problem::new("VersionUnknown", format!("{path}.version"), message));
        }
        problems
    }

    /// What is wrong with variables: one from a secret that the domain brings as files.
    pub fn env_problems(&self, path: &str, env: &[EnvVar]) -> Vec<Problem> {
        let domain = self.domain.as_deref();
        let secrets = env.iter().enumerate().filter_map(|(index, variable)| {
            let secret = variable.secret.as_ref()?;
            pods::comes_as_files(domain, &secret.name).then_some((index, secret))
        });
        secrets
            .map(|(index, secret)| {
                Problem::new(
                    "SecretIsFiles",
                    format!("{path}.env[{index}].secret.name"),
                    format!(
                        "Domain {} brings {} from Vault as files, and no variable can be set from \
                         it; name it in mounts, and read the file {} there",
                        self.name(),
                        secret.name,
                        secret.key
                    ),
                )
            })
            .collect()
    }

    /// What is wrong with a node pool that a workload asks for.
    pub fn pool_problem(&self, path: &str, pool: Option<&str>) -> Option<Problem> {
        let (domain, name) = (self.domain.as_ref()?, pool?);
        if runtime::node_pool(domain, Some(name)).is_some() {
            return None;
        }
        let compute = domain.spec.compute.as_ref();
        let known: Vec<&str> = compute
            .map(|compute| compute.node_pools.iter().map(|pool| pool.name.as_str()).collect())
            .unwrap_or_default();
        Some(Problem::new(
            "NodePoolNotFound",
            path,
            format!("Domain {} has no node pool {name}; it has: {}", self.name(), list(&known)),
        ))
    }

    /// What is wrong with the resources of one pod: too little for Spark (`least_mib`), or more
    /// than the domain allows a container.
    fn resource_problems(&self, path: &str, resources: &Resources, least_mib: i64) -> Vec<Problem> {
        let mut problems = Vec::new();
        if quantity::mebibytes(&resources.memory.0).is_some_and(|mib| mib < least_mib) {
            problems.push(Problem::new(
                "TooLittleMemory",
                format!("{path}.memory"),
                format!(
                    "{} is too little; Spark needs at least {least_mib}Mi here",
                    resources.memory
                ),
            ));
        }
        let max = self
            .domain
            .as_ref()
            .and_then(|domain| domain.spec.limits.as_ref())
            .map(|limits| limits.max.clone())
            .unwrap_or_default();
        let cpu_limit = resources.cpu_limit.as_ref().unwrap_or(&resources.cpu);
        let cpu_field = if resources.cpu_limit.is_some() { "cpuLimit" } else { "cpu" };
        for (resource, field, wanted) in
            [("cpu", cpu_field, cpu_limit), ("memory", "memory", &resources.memory)]
        {
            let Some(bound) = max.get(resource) else { continue };
            if quantity::milli(&wanted.0) > quantity::milli(&bound.0) {
                problems.push(Problem::new(
                    "LimitExceeded",
                    format!("{path}.{field}"),
                    format!(
                        "{wanted} is more than the {bound} that Domain {} allows a container",
                        self.name()
                    ),
                ));
            }
        }
        problems
    }
}

/// Credentials in Spark configuration.
pub fn exposed_conf(field: &str, conf: &SparkConf) -> Vec<Problem> {
    conf.0
        .iter()
        .filter(|(key, value)| is_secret(key) || has_credentials(value))
        .map(|(key, _)| {
            let message = format!(
                "{key} holds a credential, which everybody who sees this object could read; give it \
                 with env or mounts from a Secret, or with a catalog of the Domain"
            );
            Problem::new("SecretExposed", format!("{field}[{key}]"), message)
        })
        .collect()
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
