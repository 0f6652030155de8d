//! What is left behind where a Domain went and its namespace stayed.

use crate::{
    api::Domain,
    build::types,
    engine::{Child, Farewell},
};

use super::{
    super::{Resolved, plan::rank, scope::Scope, status::named},
    namespace::namespace,
};

/// Label of a namespace that outlived its Domain; the annotation of that name says what was kept.
pub const RETAINED: &str = "polder.dev/retained";

/// The namespace with word of what was kept.
pub fn farewell(domain: &Domain, scope: &Scope<'_>, resolved: &Resolved) -> Farewell {
    let note = note(domain, scope, resolved);
    // Its policy stays: it holds until somebody takes the namespace up again.
    let mut left = namespace(scope, resolved.policy.annotations());
    let labels = left.metadata.labels.get_or_insert_default();
    labels.insert(RETAINED.to_owned(), "true".to_owned());
    let annotations = left.metadata.annotations.get_or_insert_default();
    annotations.insert(RETAINED.to_owned(), note.clone());
    Farewell {
        child: Child::new(types::NAMESPACE, rank::NAMESPACE, &left)
            .with_ownership(scope.retained()),
        namespace: scope.namespace.clone(),
        reason: "Retained",
        note,
    }
}

fn note(domain: &Domain, scope: &Scope<'_>, resolved: &Resolved) -> String {
    let (name, namespace) = (scope.name, &scope.namespace);
    let at = domain.metadata.deletion_timestamp.as_ref().map(|time| format!(" at {}", time.0));
    let volumes = match resolved.kept.len() {
        0 => "no volumes".to_owned(),
        count => format!("{count} volume claims ({})", named(&resolved.kept)),
    };
    let counts = resolved.workloads.counts();
    format!(
        "Domain {name} was deleted{}. Its workloads are stopped. Kept: {volumes}, {} SparkClusters, \
         {} SqlEndpoints, {} BatchJobs, and what else the namespace holds. The same Domain made again \
         takes it up; to remove it all: kubectl delete namespace {namespace}",
        at.unwrap_or_default(),
        counts.spark_clusters,
        counts.sql_endpoints,
        counts.batch_jobs,
    )
}
