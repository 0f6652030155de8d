//! Tests of the pure functions, on specs as users write them.

mod finalize;
mod gitops;
mod monitoring;
mod plan;
mod secrets;
mod status;
mod validate;

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{ApiServer, OperatorIdentity, Prometheus, Resolved, quotas, scope::Scope};
use crate::{
    api::Domain,
    build::{labels, quantity, spark::SparkImages},
    engine::{ObjectKey, Record},
    kinds::common::Policy,
};

fn operator() -> OperatorIdentity {
    OperatorIdentity {
        namespace: "polder-system".to_owned(),
        service_account: "polder".to_owned(),
        release_name: "polder".to_owned(),
        api_server: ApiServer::default(),
        account_namespaces: vec!["ci".to_owned()],
        argocd_namespace: "argocd".to_owned(),
        prometheus: Prometheus {
            namespace: "monitoring".to_owned(),
            labels: [("release".to_owned(), "prometheus".to_owned())].into(),
        },
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
        kept: kept.into(),
    })
}

/// The namespace exists and carries this domain's label.
fn with_namespace(domain: &Domain, label: Option<&str>) -> Resolved {
    let key = Scope::of(domain).namespace_key();
    Resolved { namespace: Some(record(key, label, Value::Null)), ..Resolved::default() }
}

/// A quota of the domain as the API server has it.
fn quota_record(domain: &Domain, index: usize, kept: Value) -> (String, Arc<Record>) {
    let key = quotas::wanted(&Scope::of(domain))[index].key.clone();
    (key.name.clone(), record(key, Some("sales"), kept))
}

/// Everything of the domain is in place, and every quota half used.
fn in_place(domain: &Domain) -> Resolved {
    let scope = Scope::of(domain);
    let half = |bound: &str| {
        let half = quantity::milli(bound).unwrap() / 2;
        quantity::display_milli(half, bound.ends_with('i'))
    };
    let quotas = quotas::wanted(&scope).into_iter().enumerate().map(|(index, quota)| {
        let used: BTreeMap<&String, String> =
            quota.hard.iter().map(|(key, bound)| (key, half(&bound.0))).collect();
        let kept =
            json!({"spec": {"hard": quota.hard}, "status": {"hard": quota.hard, "used": used}});
        quota_record(domain, index, kept)
    });
    Resolved {
        policy: Policy::of(domain, &SparkImages::default()),
        quotas: quotas.collect(),
        secrets: domain
            .spec
            .secrets
            .iter()
            .map(|secret| {
                let ready = json!([{"type": "Ready", "status": "True", "reason": "SecretSynced",
                    "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}]);
                let kept = json!({"status": {"conditions": ready}});
                (secret.name.clone(), record(scope.secret_key(secret), Some("sales"), kept))
            })
            .collect(),
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
quota:
  hard: {requests.cpu: 40, requests.memory: 160Gi, pods: "200"}
  storage: [{class: fast, size: 2Ti, claims: 100}, {class: standard, claims: 10}]
  objects: {batchJobs: 200, sparkClusters: 6, sqlEndpoints: 4}
  perPriority: [{priorityClass: batch-low, hard: {pods: 50, limits.memory: 40Gi}}]
limits: {default: {cpu: "1", memory: 2Gi}, defaultRequest: {cpu: 250m}, max: {cpu: "16", memory: 64Gi}}
compute:
  nodePools: [{name: io, selector: {disk: nvme}, tolerations: [{key: io, operator: Exists}]}]
  sparkConf: {spark.sql.adaptive.enabled: "true"}
catalogs:
- name: lake
  iceberg: {jdbc: {uri: "jdbc:postgresql://pg:5432/lake", warehouse: "file:///warehouse", userSecret: {name: pg, key: user}, passwordSecret: {name: pg, key: password}}}
- name: legacy
  hive: {uri: "thrift://metastore:9083"}
- name: crm
  class: org.example.Catalog
  properties: {url: "jdbc:postgresql://crm/x"}
  secretProperties: [{property: password, secret: {name: s3, key: password}}]
secrets:
- name: s3
  external: {store: {name: vault}, keys: {id: "data/s3#id", password: plain}, refresh: 15m}
- name: files
  vault: {address: "https://vault:8200", role: sales, authPath: k8s, vaultNamespace: team, audience: vault, keys: {password: "secret/data/pg#password"}}
volumes:
- {name: warehouse, size: 10Gi, class: standard, path: /warehouse}
- {name: scratch, size: 1Gi, path: /scratch, accessMode: ReadWriteOnce}
monitoring: {enabled: true}
logs: {level: WARN, maxFileSize: 100Mi, maxFiles: 5, retention: 14d}
network:
  allowFrom: [{namespace: bi}, {cidr: 10.1.0.0/16, ports: [10000]}]
  allowTo: [{cidr: 10.20.0.0/16, ports: [5432, 9083]}]
"#;
