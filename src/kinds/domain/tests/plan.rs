use rstest::rstest;
use serde_json::{Value, json};

use super::{FULL, domain, in_place, operator, record};
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
    - ConfigMap sales/polder-spark
    - RoleBinding sales/polder-spark-driver
    ");
    assert_eq!(plan.hold_after, None);
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

#[test]
fn nobody_is_let_in_before_the_quota_holds() {
    let domain = domain("quota: {hard: {requests.cpu: '1500m', pods: 5}}");
    let held = |status: Value| {
        let quota =
            record(Scope::of(&domain).quota_key(), Some("sales"), json!({"status": status}));
        let resolved = Resolved { quota: Some(quota), ..in_place(&domain) };
        plan(&domain, &resolved, &operator()).hold_after
    };
    assert_eq!(held(Value::Null), Some(2), "not seen by the quota controller");
    assert_eq!(held(json!({"hard": {"requests.cpu": "1", "pods": "5"}})), Some(2), "an older one");
    assert_eq!(
        held(json!({"hard": {"requests.cpu": "1500m", "pods": "5", "secrets": "1"}})),
        Some(2),
        "more than is asked for"
    );
    assert_eq!(held(json!({"hard": {"requests.cpu": "1.5", "pods": "5"}})), None);
    let none = Resolved { quota: None, ..in_place(&domain) };
    assert_eq!(plan(&domain, &none, &operator()).hold_after, Some(2));
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
