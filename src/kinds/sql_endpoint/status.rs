//! What a SqlEndpoint says of itself.

use super::{COMPONENT, CONNECT_PORT, Resolved, THRIFT_PORT, room, service_name};
use crate::{
    api::{SqlEndpoint, SqlEndpointStatus},
    build::{
        labels,
        spark::{driver, executors},
    },
    engine::{Record, Report},
    kinds::common::{
        Readiness,
        pods::{self, Trouble},
        quota::Shortfall,
        triple,
    },
};

pub(super) fn status(
    root: &SqlEndpoint,
    resolved: &Resolved,
    report: &Report,
) -> SqlEndpointStatus {
    let generation = root.metadata.generation;
    let name = root.metadata.name.as_deref().unwrap_or_default();
    let host = format!("{}.{}.svc", service_name(name), resolved.domain.namespace);
    let running = |pod: &&std::sync::Arc<Record>| {
        is(pod, executors::COMPONENT) && pods::status(pod).phase.as_deref() == Some("Running")
    };
    let executors = resolved.pods.iter().filter(running).count();
    SqlEndpointStatus {
        observed_generation: generation,
        image: (!resolved.runtime.image.is_empty()).then(|| resolved.runtime.image.clone()),
        jdbc_url: root.spec.serves_thrift().then(|| format!("jdbc:hive2://{host}:{THRIFT_PORT}")),
        connect_url: root.spec.serves_connect().then(|| format!("sc://{host}:{CONNECT_PORT}")),
        ui_url: Some(format!("http://{host}:{}", driver::UI_PORT)),
        executors: root.spec.executors.as_ref().and(i32::try_from(executors).ok()),
        conditions: triple(report, generation, readiness(root, resolved)),
    }
}

fn readiness(root: &SqlEndpoint, resolved: &Resolved) -> Readiness {
    let drivers: Vec<_> = resolved.pods.iter().filter(|pod| is(pod, COMPONENT)).collect();
    if resolved.suspended(root) {
        return if resolved.pods.iter().any(|pod| pods::is_active(pod)) {
            Readiness::progressing("Suspending", "the driver still stops")
        } else {
            Readiness::suspended("suspended; nobody can connect")
        };
    }
    let set = resolved.set.clone().unwrap_or_default();
    let rolling = set.update_revision != set.current_revision
        && set.updated_replicas.unwrap_or(0) < set.replicas;
    if set.ready_replicas.unwrap_or(0) > 0 && !rolling {
        return Readiness::ready(answers(root, resolved));
    }
    let executor_trouble = resolved
        .pods
        .iter()
        .filter(|pod| is(pod, executors::COMPONENT))
        .filter_map(|pod| pods::trouble(pod))
        .find(|trouble| trouble.needs_person);
    let driver_trouble =
        drivers.iter().filter(|pod| !pod.deleting).find_map(|pod| pods::trouble(pod));
    if let Some(Trouble { reason, message, needs_person: true }) =
        executor_trouble.or_else(|| driver_trouble.clone())
    {
        return Readiness::failing(reason, message);
    }
    if let Some(Shortfall { message, hopeless }) = room::driver(root, resolved) {
        let message = format!("the driver does not fit into the quota of the domain: {message}");
        return if hopeless {
            Readiness::failing(
                "QuotaExceeded",
                format!("{message}; ask for less, or for more quota"),
            )
        } else {
            Readiness::progressing("QuotaExceeded", message)
        };
    }
    match driver_trouble {
        Some(trouble) => Readiness::progressing(trouble.reason, trouble.message),
        None => Readiness::progressing("Starting", "the driver starts"),
    }
}

/// The endpoint answers, perhaps with fewer executors than it should have.
fn answers(root: &SqlEndpoint, resolved: &Resolved) -> String {
    let lacks = room::executors(root, resolved).map(|short| {
        format!("; its executors do not fit into the quota of the domain: {}", short.message)
    });
    format!("the endpoint answers{}", lacks.unwrap_or_default())
}

fn is(pod: &Record, component: &str) -> bool {
    pod.labels.get(labels::COMPONENT).is_some_and(|label| label == component)
}
