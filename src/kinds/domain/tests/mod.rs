//! Tests of the pure functions, on specs as users write them.

mod finalize;
mod plan;
mod status;
mod validate;

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{ApiServer, OperatorIdentity, Resolved, scope::Scope};
use crate::{
    api::Domain,
    build::labels,
    engine::{ObjectKey, Record},
};

fn operator() -> OperatorIdentity {
    OperatorIdentity {
        namespace: "polder-system".to_owned(),
        service_account: "polder".to_owned(),
        release_name: "polder".to_owned(),
        api_server: ApiServer::default(),
    }
}

/// Domain `sales` with this spec, in YAML.
fn domain(spec: &str) -> Domain {
    let spec: Value = serde_yaml::from_str(spec).unwrap();
    let spec = if spec.is_null() { json!({}) } else { spec };
    serde_json::from_value(json!({
        "apiVersion": "polder.dev/v1alpha1",
        "kind": "Domain",
        "metadata": {"name": "sales", "uid": "uid-sales", "generation": 3},
        "spec": spec,
    }))
    .unwrap()
}

fn deleting(mut domain: Domain) -> Domain {
    domain.metadata.deletion_timestamp =
        Some(serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap());
    domain
}

fn record(key: ObjectKey, domain: Option<&str>, kept: Value) -> Arc<Record> {
    let labels: BTreeMap<String, String> =
        domain.iter().map(|domain| (labels::DOMAIN.to_owned(), (*domain).to_owned())).collect();
    Arc::new(Record {
        key,
        uid: "uid".to_owned(),
        labels: Arc::new(labels),
        deleting: false,
        created: Timestamp::UNIX_EPOCH,
        controller: None,
        kept,
    })
}

/// The namespace exists and carries this domain's label.
fn with_namespace(domain: &Domain, label: Option<&str>) -> Resolved {
    let key = Scope::of(domain).namespace_key();
    Resolved { namespace: Some(record(key, label, Value::Null)), ..Resolved::default() }
}

/// Everything of the domain is in place.
fn in_place(domain: &Domain) -> Resolved {
    let scope = Scope::of(domain);
    let hard = domain.spec.quota.as_ref().map(|quota| &quota.hard);
    let quota = json!({"status": {"hard": hard, "used": {"pods": "3"}}});
    Resolved {
        quota: hard.map(|_| record(scope.quota_key(), Some("sales"), quota)),
        present: scope.policy_keys().into_iter().chain(scope.access_keys()).collect(),
        ..with_namespace(domain, Some("sales"))
    }
}

/// A Domain with everything that the schema knows.
const FULL: &str = r#"
displayName: Sales analytics
owner: {team: sales-data, email: sales-data@example.com, costCenter: "Sales, 4711"}
namespace: {labels: {example.com/tier: gold}, annotations: {example.com/wiki: "https://wiki/sales"}, podSecurity: baseline}
members:
- role: Admin
  subjects: [{kind: Group, name: sales-leads}, {kind: ServiceAccount, name: deployer, namespace: ci}]
- role: Analyst
  subjects: [{kind: User, name: ana@example.com, apiGroup: rbac.authorization.k8s.io}]
quota: {hard: {requests.cpu: 40, requests.memory: 160Gi, pods: "200", fast.storageclass.storage.k8s.io/requests.storage: 2Ti}}
limits: {default: {cpu: "1", memory: 2Gi}, defaultRequest: {cpu: 250m}, max: {cpu: "16", memory: 64Gi}}
compute:
  nodePools: [{name: io, selector: {disk: nvme}, tolerations: [{key: io, operator: Exists}]}]
  sparkConf: {spark.sql.adaptive.enabled: "true"}
catalogs:
- name: lake
  iceberg: {jdbc: {uri: "jdbc:postgresql://pg:5432/lake", warehouse: "file:///warehouse", userSecret: {name: pg, key: user}, passwordSecret: {name: pg, key: password}}}
- name: legacy
  hive: {uri: "thrift://metastore:9083"}
volumes:
- {name: warehouse, size: 10Gi, class: standard, path: /warehouse}
- {name: scratch, size: 1Gi, path: /scratch, accessMode: ReadWriteOnce}
network:
  allowFrom: [{namespace: bi}, {cidr: 10.1.0.0/16, ports: [10000]}]
  allowTo: [{cidr: 10.20.0.0/16, ports: [5432, 9083]}]
"#;
