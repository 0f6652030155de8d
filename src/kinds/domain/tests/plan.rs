use rstest::rstest;
use serde_json::{Value, json};

use super::{FULL, domain, in_place, operator, quota_record, record};
use crate::{
    api::Domain,
    engine::{Ownership, Plan, Report},
    kinds::domain::{
        ApiServer, OperatorIdentity, Resolved, plan::plan, scope::Scope, status::status,
    },
};

fn planned(domain: &Domain) -> Plan {
    plan(domain, &in_place(domain), &operator())
}

fn names(plan: &Plan) -> Vec<String> {
    plan.children.iter().map(|child| child.key().to_string()).collect()
}

#[test]
fn a_full_domain() {
    let plan = planned(&domain(FULL));
    let shown: Vec<Value> = plan
        .children
        .iter()
        .map(|child| {
            let ownership = match &child.ownership {
                Ownership::Retained { consent: (key, value) } => format!("retained, {key}={value}"),
                other => format!("{other:?}").to_lowercase(),
            };
            json!({"rank": child.rank, "ownership": ownership, "object": child.object})
        })
        .collect();
    insta::with_settings!({
        snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden"),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, { insta::assert_yaml_snapshot!("domain-full", shown) });
}

#[test]
fn the_least_domain_is_closed_and_unbounded() {
    let plan = planned(&domain(""));
    insta::assert_yaml_snapshot!(names(&plan), @r"
    - Namespace sales
    - RoleBinding sales/polder-operator
    - NetworkPolicy sales/sales-isolation
    - NetworkPolicy sales/sales-apiserver
    - ServiceAccount sales/spark
    - ServiceAccount sales/spark-driver
    - RoleBinding sales/polder-spark-driver
    ");
    assert_eq!(plan.hold_after, None);
}

#[test]
fn the_configuration_is_there_only_if_it_says_something() {
    let is_config = |name: &String| name.starts_with("ConfigMap");
    for (spec, is_there) in [
        ("compute: {maxExecutors: 10}", false),
        ("compute: {sparkConf: {spark.sql.ansi.enabled: 'true'}}", true),
        ("catalogs: [{name: legacy, hive: {uri: 'thrift://metastore:9083'}}]", true),
    ] {
        assert_eq!(names(&planned(&domain(spec))).iter().any(is_config), is_there, "{spec}");
    }
}

#[test]
fn without_isolation_there_are_no_policies() {
    let plan = planned(&domain("network: {isolation: None}"));
    assert!(names(&plan).iter().all(|name| !name.contains("NetworkPolicy")));
}

#[test]
fn the_api_server_can_be_named() {
    let operator = OperatorIdentity {
        api_server: ApiServer { cidrs: vec!["10.0.0.1/32".to_owned()], ports: vec![16443] },
        ..operator()
    };
    let domain = domain("");
    let plan = plan(&domain, &Resolved::default(), &operator);
    let policy = plan.children.iter().find(|child| child.key().name == "sales-apiserver").unwrap();
    assert_eq!(
        policy.object["spec"]["egress"],
        json!([{
            "to": [{"ipBlock": {"cidr": "10.0.0.1/32"}}],
            "ports": [{"protocol": "TCP", "port": 16443}],
        }])
    );
}

#[rstest]
#[case::not_seen_by_the_quota_controller(json!({}), Some(2))]
#[case::an_older_one(json!({"hard": {"requests.cpu": "1", "pods": "5"}}), Some(2))]
#[case::more_than_is_asked_for(json!({"hard": {"requests.cpu": "1500m", "pods": "5", "secrets": "1"}}), Some(2))]
#[case::otherwise_written(json!({"hard": {"requests.cpu": "1.5", "pods": "5"}}), None)]
fn nobody_is_let_in_before_the_quota_holds(#[case] status: Value, #[case] expected: Option<u8>) {
    let domain = domain("quota: {hard: {requests.cpu: '1500m', pods: 5}}");
    let mut resolved = in_place(&domain);
    resolved.quotas.extend([quota_record(&domain, 0, json!({"status": status}))]);
    assert_eq!(plan(&domain, &resolved, &operator()).hold_after, expected);
}

#[test]
fn nobody_is_let_in_before_every_quota_holds() {
    let domain = domain(FULL);
    for missing in in_place(&domain).quotas.keys() {
        let mut resolved = in_place(&domain);
        resolved.quotas.remove(missing);
        assert_eq!(plan(&domain, &resolved, &operator()).hold_after, Some(2), "{missing}");
    }
    assert_eq!(planned(&domain).hold_after, None);
}

/// The API server refuses every object of a kind that the quota controller does not count yet.
#[test]
fn nobody_is_let_in_before_objects_are_counted() {
    let domain = domain("quota: {objects: {batchJobs: 5}}");
    let hard = json!({"count/batchjobs.polder.dev": "5"});
    for (used, expected) in
        [(json!({}), Some(2)), (json!({"count/batchjobs.polder.dev": "0"}), None)]
    {
        let mut resolved = in_place(&domain);
        let status = json!({"status": {"hard": hard, "used": used}});
        resolved.quotas.extend([quota_record(&domain, 0, status)]);
        assert_eq!(plan(&domain, &resolved, &operator()).hold_after, expected, "{used}");
    }
}

#[test]
fn a_quota_for_each_priority_class_and_one_for_the_rest() {
    let plan = planned(&domain(FULL));
    let is_quota = |child: &&crate::engine::Child| child.resource.kind == "ResourceQuota";
    let quotas: Vec<&Value> =
        plan.children.iter().filter(is_quota).map(|child| &child.object["spec"]).collect();
    assert_eq!(quotas.len(), 2);
    assert_eq!(quotas[0]["hard"]["fast.storageclass.storage.k8s.io/requests.storage"], "2Ti");
    assert_eq!(quotas[0]["hard"]["count/sqlendpoints.polder.dev"], "4");
    assert_eq!(quotas[0]["scopeSelector"], Value::Null);
    let scope = &quotas[1]["scopeSelector"]["matchExpressions"][0];
    assert_eq!(
        *scope,
        json!({"scopeName": "PriorityClass", "operator": "In", "values": ["batch-low"]})
    );
    // Only classes with bounds: no quota of everything.
    let plan = planned(&domain("quota: {perPriority: [{priorityClass: a.b, hard: {pods: 1}}]}"));
    assert!(names(&plan).contains(&"ResourceQuota sales/sales-quota-a.b".to_owned()));
    assert!(!names(&plan).contains(&"ResourceQuota sales/sales-quota".to_owned()));
}

#[rstest]
#[case(json!({"phase": "Pending"}), "10Gi", "; claim sales-a grows from 10Gi to 11Gi once a pod has used it")]
#[case(json!({"phase": "Bound"}), "11Gi", "")]
fn claims_grow_once_they_are_bound(#[case] phase: Value, #[case] size: &str, #[case] note: &str) {
    let domain = domain("volumes: [{name: a, size: 11Gi, path: /a}]");
    let key = Scope::of(&domain).claim_key(&domain.spec.volumes[0]);
    let claim = json!({"spec": {"resources": {"requests": {"storage": "10Gi"}}}, "status": phase});
    let mut resolved = in_place(&domain);
    resolved.claims.insert(key.name.clone(), record(key.clone(), Some("sales"), claim));
    let plan = plan(&domain, &resolved, &operator());
    let planned = plan.children.iter().find(|child| child.key() == key).unwrap();
    assert_eq!(planned.object["spec"]["resources"]["requests"]["storage"], size);
    let status = status(&domain, &resolved, &Report::default());
    assert_eq!(
        status.conditions[0].message,
        format!("namespace sales is ready for workloads{note}")
    );
}

#[test]
fn nothing_is_sent_into_a_namespace_that_goes_away() {
    let domain = domain("");
    let mut resolved = in_place(&domain);
    let mut namespace = resolved.namespace.as_deref().unwrap().clone();
    namespace.deleting = true;
    resolved.namespace = Some(namespace.into());
    assert_eq!(plan(&domain, &resolved, &operator()).hold_after, Some(0));
}

#[test]
fn the_plan_holds_nothing_that_apply_would_trip_over() {
    fn check(value: &Value, path: &str) {
        match value {
            Value::Null => panic!("{path} is null"),
            Value::Array(items) => {
                assert!(!items.is_empty(), "{path} is empty");
                for item in items {
                    check(item, path);
                }
            }
            Value::Object(fields) => {
                for (key, value) in fields {
                    check(value, &format!("{path}.{key}"));
                }
            }
            _ => {}
        }
    }
    for child in planned(&domain(FULL)).children {
        check(&child.object, &child.key().to_string());
    }
}
