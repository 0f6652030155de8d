//! Driver pods: properties from a ConfigMap and Secrets, joined at start, never on a command line.

use k8s_openapi::api::core::v1::{
    Container, ContainerPort, KeyToPath, PodSpec, ProjectedVolumeSource, SecretProjection, Volume,
    VolumeMount, VolumeProjection,
};

use super::{
    Conf, Runtime,
    catalogs::SecretProperty,
    conf::conf,
    executors::{ACCOUNT, CONFIG_DIR, DRIVER_ACCOUNT, WORK_DIR},
    memory,
    rotation::{self, Watched},
};
use crate::{
    api::common::{NodePool, Resources},
    build::{labels::Map, pods},
};

/// Label of pods that talk to the API server; a NetworkPolicy of the domain lets them.
pub const NEEDS_API_SERVER: &str = "polder.dev/needs-apiserver";
/// Port of the driver's RPC.
const DRIVER_PORT: i32 = 7078;
/// Port of the driver's block manager.
const BLOCK_PORT: i32 = 7079;
/// Port of the driver's web pages.
pub const UI_PORT: i32 = 4040;
/// Properties file, made at start in memory.
const PROPERTIES: &str = "/run/polder/spark.conf";

/// Where properties with values from Secrets appear, each a file named after its property.
const SECRETS_DIR: &str = "/etc/polder/secrets";

/// Waits for properties from Secrets, for longer than the kubelet takes to bring one that was just
/// made, and says which one is not there. Their volume is optional: a pod that waits for its volumes
/// cannot say why.
const NEED: &str = r#"need() {
  until [ -e "/etc/polder/secrets/$1" ]; do
    if [ "$SECONDS" -ge 150 ]; then
      echo "SecretMissing: Secret $2 with key $3 is not there; $1 needs it" | tee /dev/termination-log >&2
      exit 78
    fi
    sleep 1
  done
}
"#;

/// Joins the properties of the ConfigMap and those from Secrets in memory, then becomes the program
/// it is given.
const JOIN: &str = r#"cp /etc/polder/config/spark.conf /run/polder/spark.conf
for file in /etc/polder/secrets/spark.*; do
  [ -e "$file" ] || continue
  value=$(cat "$file")
  value=${value//\\/\\\\}
  value=${value//$'\n'/\\n}
  value=${value//$'\r'/\\r}
  printf '%s=%s\n' "${file##*/}" "${value/#' '/'\ '}" >> /run/polder/spark.conf
done
exec "$@"
"#;

/// The script that a driver's container starts with. `more` are the driver's own properties from
/// Secrets; one that serves watches its Secrets.
pub fn launch(runtime: &Runtime, more: &[SecretProperty], watched: &Watched) -> String {
    let mut script = "set -euo pipefail\numask 077\n".to_owned();
    let secrets: Vec<&SecretProperty> = runtime.secrets.iter().chain(more).collect();
    if !secrets.is_empty() {
        script.push_str(NEED);
    }
    for SecretProperty { property, secret } in secrets {
        let words = [property, &secret.name, &secret.key].map(|word| rotation::quote(word));
        script.extend(["need ", &words.join(" "), "\n"]);
    }
    if !watched.folders.is_empty() {
        script.push_str(rotation::FUNCTIONS);
        script.push_str(&watched.line());
    }
    script + JOIN
}

/// What a driver that serves watches.
pub fn watched(runtime: &Runtime, more: &[SecretProperty]) -> Watched {
    let mut watched = Watched::of(runtime);
    if !(runtime.secrets.is_empty() && more.is_empty()) {
        watched.folders.push(SECRETS_DIR.to_owned());
    }
    watched
}

/// A driver's pod.
pub struct Driver<'a> {
    /// Image, environment, volumes.
    pub runtime: &'a Runtime,
    /// Name of the ConfigMap with `spark.conf`, `launch.sh` and `log4j2.properties`.
    pub config_map: String,
    /// What the pod gets.
    pub resources: &'a Resources,
    /// Where it runs.
    pub pool: Option<&'a NodePool>,
    /// Its priority class.
    pub priority_class: Option<&'a str>,
    /// Whether Spark makes executor pods, for which it talks to the API server.
    pub makes_pods: bool,
    /// More properties with values from Secrets.
    pub secrets: Vec<SecretProperty>,
    /// What of it is watched, in a driver that serves.
    pub watched: Watched,
    /// Arguments of `spark-submit` after the properties: class, main file, its arguments.
    pub submit: Vec<String>,
    /// The volume `scratch`; `None` where a claim template of the pod's set makes it.
    pub scratch: Option<Volume>,
}

/// Properties of every driver.
pub fn driver_conf(resources: &Resources, with_python: bool) -> Conf {
    let heap_mib = memory::split(resources, with_python).map_or(0, |split| split.heap_mib);
    conf([
        ("spark.submit.deployMode", "client".to_owned()),
        ("spark.driver.memory", format!("{heap_mib}m")),
        ("spark.driver.bindAddress", "0.0.0.0".to_owned()),
        ("spark.driver.port", DRIVER_PORT.to_string()),
        ("spark.driver.blockManager.port", BLOCK_PORT.to_string()),
        ("spark.ui.port", UI_PORT.to_string()),
        ("spark.local.dir", "/data/scratch".to_owned()),
    ])
}

impl Driver<'_> {
    /// Labels that the pod needs beside its identity.
    pub fn labels(&self) -> Map {
        if self.makes_pods {
            [(NEEDS_API_SERVER.to_owned(), "true".to_owned())].into()
        } else {
            Map::new()
        }
    }

    /// The pod, with one container `driver`.
    pub fn pod(&self) -> PodSpec {
        let placement = pods::placement(self.pool);
        PodSpec {
            affinity: placement.affinity,
            tolerations: Some(placement.tolerations),
            priority_class_name: self.priority_class.map(str::to_owned),
            security_context: Some(pods::security(Some(pods::SPARK_UID))),
            service_account_name: Some(
                if self.makes_pods { DRIVER_ACCOUNT } else { ACCOUNT }.to_owned(),
            ),
            automount_service_account_token: Some(self.makes_pods),
            enable_service_links: Some(false),
            termination_grace_period_seconds: Some(60),
            containers: vec![self.container()],
            volumes: Some(self.volumes()),
            ..Default::default()
        }
    }

    fn container(&self) -> Container {
        let port = |name: &str, port: i32| ContainerPort {
            name: Some(name.to_owned()),
            container_port: port,
            protocol: Some("TCP".to_owned()),
            ..Default::default()
        };
        Container {
            name: "driver".to_owned(),
            image: Some(self.runtime.image.clone()),
            image_pull_policy: Some("IfNotPresent".to_owned()),
            command: Some(vec!["/bin/bash".to_owned(), format!("{CONFIG_DIR}/launch.sh")]),
            args: Some(self.arguments()),
            env: Some(self.environment()),
            working_dir: Some(WORK_DIR.to_owned()),
            resources: Some(pods::requirements(self.resources)),
            security_context: Some(pods::container_security(true)),
            termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
            ports: Some(vec![
                port("driver", DRIVER_PORT),
                port("blocks", BLOCK_PORT),
                port("ui", UI_PORT),
            ]),
            volume_mounts: Some(self.mounts()),
            ..Default::default()
        }
    }

    /// The command line. Kubernetes puts the pod's address and name in.
    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![
            "/opt/spark/bin/spark-submit".to_owned(),
            "--properties-file".to_owned(),
            PROPERTIES.to_owned(),
            "--conf".to_owned(),
            "spark.driver.host=$(POD_IP)".to_owned(),
        ];
        if self.makes_pods {
            arguments.push("--conf".to_owned());
            arguments.push("spark.kubernetes.driver.pod.name=$(POD_NAME)".to_owned());
        }
        arguments.extend(self.submit.iter().map(|argument| escape_reference(argument)));
        arguments
    }

    fn environment(&self) -> Vec<k8s_openapi::api::core::v1::EnvVar> {
        let ours = vec![
            pods::field_env("POD_IP", "status.podIP"),
            pods::field_env("POD_NAME", "metadata.name"),
            pods::env("SPARK_CONF_DIR", "/etc/polder/conf"),
            pods::env("HOME", "/tmp"),
        ];
        pods::merge_env(ours, &self.runtime.env)
    }

    fn mounts(&self) -> Vec<VolumeMount> {
        let read_only = |name: &str, path: &str| VolumeMount {
            read_only: Some(true),
            ..pods::mount_at(name, path)
        };
        let mut mounts = vec![
            read_only("config", CONFIG_DIR),
            read_only("spark-conf", "/etc/polder/conf"),
            pods::mount_at("run", "/run/polder"),
            pods::mount_at("tmp", "/tmp"),
            pods::mount_at("work", WORK_DIR),
            pods::mount_at("scratch", "/data/scratch"),
        ];
        if self.has_secrets() {
            mounts.push(read_only("secrets", SECRETS_DIR));
        }
        mounts.extend(self.watched.env.iter().map(|(_, mount)| mount.clone()));
        mounts.extend(self.runtime.mounts());
        mounts
    }

    fn volumes(&self) -> Vec<Volume> {
        let mut volumes = vec![
            pods::config_map_volume("config", &self.config_map),
            self.conf_dir(),
            pods::memory_dir("run", "1Mi"),
            pods::empty_dir("tmp"),
            pods::empty_dir("work"),
        ];
        volumes.extend(self.scratch.clone());
        if self.has_secrets() {
            volumes.push(self.secret_volume());
        }
        volumes.extend(self.watched.env.iter().map(|(volume, _)| volume.clone()));
        volumes.extend(self.runtime.pod_volumes());
        volumes
    }

    /// `SPARK_CONF_DIR` with the log configuration alone: Spark copies all it finds there into a
    /// ConfigMap for executors.
    fn conf_dir(&self) -> Volume {
        let mut volume = pods::config_map_volume("spark-conf", &self.config_map);
        if let Some(source) = volume.config_map.as_mut() {
            source.items = Some(vec![KeyToPath {
                key: "log4j2.properties".to_owned(),
                path: "log4j2.properties".to_owned(),
                mode: None,
            }]);
        }
        volume
    }

    fn has_secrets(&self) -> bool {
        !(self.secrets.is_empty() && self.runtime.secrets.is_empty())
    }

    /// One file for each property with a secret value, named after the property.
    fn secret_volume(&self) -> Volume {
        let sources = self
            .runtime
            .secrets
            .iter()
            .chain(&self.secrets)
            .map(|secret| VolumeProjection {
                secret: Some(SecretProjection {
                    name: secret.secret.name.clone(),
                    items: Some(vec![KeyToPath {
                        key: secret.secret.key.clone(),
                        path: secret.property.clone(),
                        mode: None,
                    }]),
                    optional: Some(true),
                }),
                ..Default::default()
            })
            .collect();
        Volume {
            name: "secrets".to_owned(),
            projected: Some(ProjectedVolumeSource {
                sources: Some(sources),
                default_mode: Some(0o440),
            }),
            ..Default::default()
        }
    }
}

/// Keeps Kubernetes from reading `$(NAME)` in a user's argument as a variable.
/// Source: <https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/>
fn escape_reference(argument: &str) -> String {
    argument.replace("$(", "$$(")
}
