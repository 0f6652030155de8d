//! The driver, its configuration and its name in DNS.

use k8s_openapi::{
    api::{
        apps::v1::{StatefulSet, StatefulSetSpec, StatefulSetUpdateStrategy},
        core::v1::{
            ConfigMap, ContainerPort, HTTPGetAction, PodTemplateSpec, Probe, Service, ServicePort,
            ServiceSpec, TCPSocketAction,
        },
    },
    apimachinery::pkg::{apis::meta::v1::ObjectMeta, util::intstr::IntOrString},
};

use super::{COMPONENT, CONNECT_PORT, THRIFT_PORT, config_name, plan::Context, room, service_name};
use crate::{
    api::common::OnSecretChange,
    build::{
        labels::{Map, ROOM},
        pods,
        spark::{
            Conf,
            catalogs::SecretProperty,
            conf::{conf, render},
            driver::{self, Driver},
            executors::{self, Count, TEMPLATE_KEY},
            logs,
            rotation::Watched,
            runtime,
        },
    },
    kinds::common::{cluster, ownership},
};

const THRIFT_CLASS: &str = "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2";
const CONNECT_CLASS: &str = "org.apache.spark.sql.connect.service.SparkConnectServer";
const CONNECT_PLUGIN: &str = "org.apache.spark.sql.connect.SparkConnectPlugin";
/// How long an idle executor stays, where the user does not say.
const IDLE_SECONDS: i64 = 60;

pub(super) fn config_map(context: &Context<'_>) -> ConfigMap {
    let identity = context.identity;
    let mut data = vec![
        ("spark.conf", render(&spark_conf(context))),
        (
            "launch.sh",
            driver::launch(&context.resolved.runtime, &secrets(context), &watched(context)),
        ),
        (logs::LOG4J2_KEY, logs::log4j2(&context.resolved.runtime.logs, identity)),
    ];
    if let Some(spec) = &context.root.spec.executors {
        let domain = context.resolved.domain.domain.as_deref();
        let pool =
            domain.and_then(|domain| runtime::node_pool(domain, spec.pods.node_pool.as_deref()));
        let priority_class = spec.pods.priority_class.as_deref();
        let template =
            executors::pod_template(identity, &context.resolved.runtime, pool, priority_class);
        data.push((TEMPLATE_KEY, template));
    }
    ConfigMap {
        metadata: identity.meta(&config_name(context.endpoint), "config"),
        data: Some(data.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ..Default::default()
    }
}

/// All properties; what Polder computes goes over what users set.
fn spark_conf(context: &Context<'_>) -> Conf {
    let spec = &context.root.spec;
    let mut all = context.resolved.runtime.conf.clone();
    all.extend(conf([
        ("spark.app.name", context.endpoint.to_owned()),
        ("spark.scheduler.mode", "FAIR".to_owned()),
    ]));
    all.extend(driver::driver_conf(&spec.driver.resources, true));
    if spec.serves_connect() {
        all.extend(conf([
            ("spark.connect.grpc.binding.address", "0.0.0.0".to_owned()),
            ("spark.connect.grpc.binding.port", CONNECT_PORT.to_string()),
        ]));
        if spec.serves_thrift() {
            all.insert("spark.plugins".to_owned(), CONNECT_PLUGIN.to_owned());
        }
    }
    if let Some(executors) = &spec.executors {
        let idle = executors.idle_timeout.as_ref();
        let count = Count::Dynamic {
            min: executors.min,
            max: executors.max,
            idle_seconds: idle.map_or(IDLE_SECONDS, crate::api::batch_job::Duration::seconds),
        };
        all.extend(executors::pod_conf(
            context.identity,
            &context.resolved.runtime,
            &executors.pods,
            count,
            true,
        ));
    }
    if let (Some(reference), Some(cluster)) = (&spec.cluster_ref, context.resolved.spark_cluster())
    {
        all.extend(cluster::conf(cluster, reference));
    }
    all
}

pub(super) fn stateful_set(context: &Context<'_>, annotations: Map) -> StatefulSet {
    let spec = &context.root.spec;
    let name = service_name(context.endpoint);
    let domain = context.resolved.domain.domain.as_deref();
    let driver = Driver {
        runtime: &context.resolved.runtime,
        config_map: config_name(context.endpoint),
        resources: &spec.driver.resources,
        pool: domain
            .and_then(|domain| runtime::node_pool(domain, spec.driver.node_pool.as_deref())),
        priority_class: spec.driver.priority_class.as_deref(),
        makes_pods: spec.executors.is_some(),
        secrets: secrets(context),
        watched: watched(context),
        submit: submit(context),
        scratch: Some(pods::empty_dir("scratch")),
    };
    let mut labels = context.identity.lasting_labels(COMPONENT);
    labels.extend(driver.labels());
    let mut pod = driver.pod();
    for container in &mut pod.containers {
        container.ports.get_or_insert_default().extend(ports(context).into_iter().map(
            |(name, port)| ContainerPort {
                name: Some(name.to_owned()),
                container_port: port,
                protocol: Some("TCP".to_owned()),
                ..Default::default()
            },
        ));
        container.startup_probe = Some(port_probe(context, 2, 150));
        container.readiness_probe = Some(port_probe(context, 5, 3));
        container.liveness_probe = Some(liveness());
    }
    let mut metadata = context.identity.meta(&name, COMPONENT);
    metadata.annotations = room::wake(context.root, context.resolved)
        .filter(|_| !context.resolved.suspended(context.root))
        .map(|found| [(ROOM.to_owned(), found)].into());
    let set = StatefulSet {
        metadata,
        spec: Some(StatefulSetSpec {
            replicas: Some(i32::from(!context.resolved.suspended(context.root))),
            service_name: Some(name),
            selector: context.identity.label_selector(COMPONENT),
            update_strategy: Some(StatefulSetUpdateStrategy {
                type_: Some("RollingUpdate".to_owned()),
                ..Default::default()
            }),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: Some(labels),
                    annotations: Some(annotations),
                    ..Default::default()
                }),
                spec: Some(pod),
            },
            ..Default::default()
        }),
        ..Default::default()
    };
    ownership::own(set, context.identity.owner, context.resolved.template.as_ref())
}

/// Properties from Secrets that the driver alone has.
fn secrets(context: &Context<'_>) -> Vec<SecretProperty> {
    context.resolved.spark_cluster().map(cluster::secret).into_iter().collect()
}

/// What the driver watches.
fn watched(context: &Context<'_>) -> Watched {
    match context.root.spec.on_secret_change.unwrap_or_default() {
        OnSecretChange::Restart => driver::watched(&context.resolved.runtime, &secrets(context)),
        OnSecretChange::Ignore => Watched::default(),
    }
}

/// The server to start. Both protocols share one driver: Connect comes as a plugin then.
fn submit(context: &Context<'_>) -> Vec<String> {
    let class = if context.root.spec.serves_thrift() { THRIFT_CLASS } else { CONNECT_CLASS };
    let mut arguments: Vec<String> = ["--class", class, "spark-internal"].map(str::to_owned).into();
    if context.root.spec.serves_thrift() {
        for setting in [
            format!("hive.server2.thrift.port={THRIFT_PORT}"),
            "hive.server2.thrift.bind.host=0.0.0.0".to_owned(),
        ] {
            arguments.extend(["--hiveconf".to_owned(), setting]);
        }
    }
    arguments
}

fn ports(context: &Context<'_>) -> Vec<(&'static str, i32)> {
    let spec = &context.root.spec;
    let mut ports = Vec::new();
    if spec.serves_thrift() {
        ports.push(("thrift", THRIFT_PORT));
    }
    if spec.serves_connect() {
        ports.push(("connect", CONNECT_PORT));
    }
    ports
}

/// The port that opens last: Thrift's opens seconds after Connect's and the web pages'.
fn port_probe(context: &Context<'_>, period: i32, failures: i32) -> Probe {
    let port = if context.root.spec.serves_thrift() { THRIFT_PORT } else { CONNECT_PORT };
    Probe {
        tcp_socket: Some(TCPSocketAction { port: IntOrString::Int(port), ..Default::default() }),
        period_seconds: Some(period),
        failure_threshold: Some(failures),
        timeout_seconds: Some(5),
        ..Default::default()
    }
}

fn liveness() -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some("/api/v1/version".to_owned()),
            port: IntOrString::Int(driver::UI_PORT),
            ..Default::default()
        }),
        period_seconds: Some(10),
        failure_threshold: Some(6),
        timeout_seconds: Some(10),
        ..Default::default()
    }
}

pub(super) fn service(context: &Context<'_>) -> Service {
    let mut list = ports(context);
    list.push(("ui", driver::UI_PORT));
    Service {
        metadata: context.identity.meta(&service_name(context.endpoint), COMPONENT),
        spec: Some(ServiceSpec {
            type_: Some("ClusterIP".to_owned()),
            selector: Some(context.identity.selector(COMPONENT)),
            ports: Some(
                list.into_iter()
                    .map(|(name, port)| ServicePort {
                        name: Some(name.to_owned()),
                        port,
                        protocol: Some("TCP".to_owned()),
                        target_port: Some(IntOrString::Int(port)),
                        ..Default::default()
                    })
                    .collect(),
            ),
            ..Default::default()
        }),
        ..Default::default()
    }
}
