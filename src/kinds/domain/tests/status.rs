use rstest::rstest;
use serde_json::json;

use super::{FULL, deleting, domain, in_place, operator, quota_record, record, with_namespace};
use crate::{
    api::{Domain, DomainStatus},
    build::types,
    engine::{Fault, ObjectKey, Report},
    kinds::domain::{
        Resolved,
        blocked::held,
        scope::Scope,
        status::status,
        validate::validate,
        workloads::{Count, Workloads},
    },
};

/// `Ready=False Conflict` and so on, by type.
fn brief(status: &DomainStatus) -> Vec<String> {
    status
        .conditions
        .iter()
        .map(|condition| {
            assert_eq!(condition.observed_generation, Some(3));
            format!("{}={} {}", condition.type_, condition.status, condition.reason)
        })
        .collect()
}

fn message<'a>(status: &'a DomainStatus, type_: &str) -> &'a str {
    let found = status.conditions.iter().find(|condition| condition.type_ == type_);
    found.map(|condition| condition.message.as_str()).unwrap()
}

/// The report of a Domain that validation stopped.
fn refused(domain: &Domain, resolved: &Resolved) -> Report {
    Report { problems: validate(domain, resolved, &operator()), ..Report::default() }
}

fn fault(domain: &Domain, key: ObjectKey, message: &str) -> (Resolved, Fault) {
    (in_place(domain), Fault { key, message: message.to_owned() })
}

#[test]
fn a_domain_in_place() {
    let domain = domain(FULL);
    let mut resolved = in_place(&domain);
    resolved.workloads = Workloads {
        spark_clusters: Count { total: 1, ready: 1 },
        sql_endpoints: Count { total: 2, ready: 1 },
        batch_jobs: Count { total: 3, ready: 3 },
    };
    let status = status(&domain, &resolved, &Report::default());
    insta::with_settings!({
        snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden"),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, { insta::assert_yaml_snapshot!("domain-status", status) });
}

#[test]
fn a_new_domain_has_no_namespace_yet() {
    let domain = domain("");
    let report = Report { held: true, ..Report::default() };
    let status = status(&domain, &Resolved::default(), &report);
    assert_eq!(
        brief(&status)[..4],
        [
            "Ready=False NamespacePending",
            "Reconciling=True NamespacePending",
            "Stalled=False NamespacePending",
            "NamespaceReady=False NamespacePending",
        ]
    );
    assert_eq!(status.workloads, None);
}

#[test]
fn a_quota_that_is_not_in_force_is_waited_for() {
    let domain = domain("quota: {hard: {pods: 5}}");
    let quota = quota_record(&domain, 0, json!({"status": {}}));
    let quotas = [quota].into();
    let resolved = Resolved { quotas, ..with_namespace(&domain, Some("sales")) };
    let report = Report { held: true, ..Report::default() };
    assert_eq!(
        brief(&status(&domain, &resolved, &report)),
        [
            "Ready=False QuotaPending",
            "Reconciling=True QuotaPending",
            "Stalled=False QuotaPending",
            "NamespaceReady=True Ready",
            "QuotaEnforced=False QuotaPending",
            "AccessGranted=False Pending",
            "NetworkIsolated=False Pending",
            "CatalogsReady=True NoCatalogs",
            "SecretsReady=True NoSecrets",
        ]
    );
}

#[test]
fn a_foreign_namespace_stalls_the_domain() {
    let domain = domain("");
    let resolved = with_namespace(&domain, None);
    let expected = [
        "Ready=False NamespaceExists",
        "Reconciling=False NamespaceExists",
        "Stalled=True NamespaceExists",
        "NamespaceReady=False NamespaceExists",
        "QuotaEnforced=False NamespaceNotReady",
        "AccessGranted=False NamespaceNotReady",
        "NetworkIsolated=False NamespaceNotReady",
        "CatalogsReady=False NamespaceNotReady",
        "SecretsReady=False NamespaceNotReady",
    ];
    let found_before = status(&domain, &resolved, &refused(&domain, &resolved));
    assert_eq!(brief(&found_before), expected);
    assert!(message(&found_before, "Ready").contains("kubectl label namespace sales"));
    assert_eq!(found_before.quota, None);

    let key = Scope::of(&domain).namespace_key();
    let conflict = Fault { key, message: "is somebody else's".to_owned() };
    let report = Report { conflicts: vec![conflict], held: true, ..Report::default() };
    // Without the label it is not watched.
    let found_at_apply = status(&domain, &Resolved::default(), &report);
    assert_eq!(found_at_apply, found_before);
}

#[test]
fn a_slip_in_one_field_leaves_what_is_in_force() {
    let domain = domain("{quota: {hard: {pods: 5}}, limits: {max: {cpu: 1}, default: {cpu: 2}}}");
    let resolved = in_place(&domain);
    let status = status(&domain, &resolved, &refused(&domain, &resolved));
    assert_eq!(
        brief(&status),
        [
            "Ready=False LimitsContradict",
            "Reconciling=False LimitsContradict",
            "Stalled=True LimitsContradict",
            "NamespaceReady=True Ready",
            "QuotaEnforced=True Enforced",
            "AccessGranted=True NoMembers",
            "NetworkIsolated=True PoliciesInPlace",
            "CatalogsReady=True NoCatalogs",
            "SecretsReady=True NoSecrets",
        ]
    );
    assert!(message(&status, "NetworkIsolated").contains("as of the last spec"));
}

#[test]
fn what_the_api_server_refuses_is_told_with_its_object() {
    let domain = domain("");
    let key = ObjectKey::namespaced(types::NETWORK_POLICY, "sales", "sales-isolation");
    let (resolved, fault) = fault(&domain, key, "NetworkPolicy sales/sales-isolation: 422 port");
    let report = Report { rejected: vec![fault], held: true, ..Report::default() };
    let status = status(&domain, &resolved, &report);
    let brief = brief(&status);
    assert_eq!(brief[0], "Ready=False Rejected");
    assert_eq!(brief[2], "Stalled=True Rejected");
    assert_eq!(brief[5], "AccessGranted=False Pending");
    assert_eq!(brief[6], "NetworkIsolated=False Rejected");
    assert_eq!(message(&status, "Ready"), "NetworkPolicy sales/sales-isolation: 422 port");
}

#[test]
fn what_is_tried_again_reconciles() {
    let domain = domain("members: [{role: Admin, subjects: [{kind: User, name: a}]}]");
    let key = ObjectKey::namespaced(types::ROLE_BINDING, "sales", "polder-admin");
    let (resolved, fault) = fault(&domain, key, "RoleBinding sales/polder-admin: 500");
    let report = Report { failed: vec![fault], ..Report::default() };
    let brief = brief(&status(&domain, &resolved, &report));
    assert_eq!(brief[1], "Reconciling=True ApplyFailed");
    assert_eq!(brief[5], "AccessGranted=False ApplyFailed");
}

#[test]
fn a_suspended_domain_says_what_still_runs() {
    let domain = domain("suspend: true");
    let mut resolved = in_place(&domain);
    resolved.running = (0..7).map(|index| format!("Pod p{index}")).collect();
    let stopping = status(&domain, &resolved, &Report::default());
    assert_eq!(
        brief(&stopping)[..3],
        ["Ready=False Suspending", "Reconciling=True Suspending", "Stalled=False Suspending",]
    );
    assert!(
        message(&stopping, "Ready").ends_with("Pod p0, Pod p1, Pod p2, Pod p3, Pod p4 and 2 more")
    );
    resolved.running.clear();
    let stopped = status(&domain, &resolved, &Report::default());
    assert_eq!(
        brief(&stopped)[..4],
        [
            "Ready=False Suspended",
            "Reconciling=False Suspended",
            "Stalled=False Suspended",
            "NamespaceReady=True Ready",
        ]
    );
}

#[test]
fn the_end_is_told_too() {
    let retained = deleting(domain(""));
    let mut resolved = in_place(&retained);
    resolved.running = vec!["Pod etl-worker-0".to_owned()];
    let retaining = status(&retained, &resolved, &Report::default());
    assert_eq!(brief(&retaining)[0], "Ready=False Deleting");
    assert_eq!(brief(&retaining)[5], "AccessGranted=False Deleting");
    assert_eq!(
        message(&retaining, "Ready"),
        "waits until workloads have stopped; namespace sales and its volumes will be kept; still \
         there: Pod etl-worker-0"
    );
    let deleted = deleting(domain("deletionPolicy: Delete"));
    let deleting = status(&deleted, &in_place(&deleted), &Report::default());
    assert!(message(&deleting, "Ready").contains("everything in it is being deleted"));
}

#[test]
fn a_lost_volume_is_told() {
    let domain = domain("volumes: [{name: wh, size: 1Gi, path: /wh}]");
    let key = Scope::of(&domain).claim_key(&domain.spec.volumes[0]);
    let mut resolved = in_place(&domain);
    let claim = record(key, Some("sales"), json!({"status": {"phase": "Lost"}}));
    resolved.claims.insert("sales-wh".to_owned(), claim);
    assert_eq!(brief(&status(&domain, &resolved, &Report::default()))[0], "Ready=False VolumeLost");
}

#[rstest]
#[case::of_everything("quota: {hard: {pods: '4', limits.memory: 1Gi}}", "75% pods", &["limits.memory 512Mi", "pods 1"])]
#[case::counts("quota: {hard: {count/pods: 5k}, objects: {batchJobs: 10}}", "50% count/batchjobs.polder.dev", &["count/batchjobs.polder.dev 5", "count/pods 2500"])]
#[case::nothing_allowed("quota: {hard: {services.loadbalancers: 0, pods: '10'}}", "100% services.loadbalancers", &["pods 7", "services.loadbalancers 0"])]
fn what_is_left_of_a_quota_is_told(
    #[case] spec: &str,
    #[case] summary: &str,
    #[case] free: &[&str],
) {
    let domain = domain(spec);
    let mut resolved = in_place(&domain);
    let (name, quota) = resolved.quotas.pop_first().unwrap();
    let mut kept = quota.kept.value();
    if kept["status"]["used"]["pods"].is_string() {
        kept["status"]["used"]["pods"] = json!("3");
    }
    resolved.quotas.extend([(name, record(quota.key.clone(), Some("sales"), kept))]);
    let quota = status(&domain, &resolved, &Report::default()).quota.unwrap();
    assert_eq!(quota.summary.as_deref(), Some(summary));
    let told: Vec<String> = quota.free.iter().map(|(key, left)| format!("{key} {left}")).collect();
    assert_eq!(told, free);
}

#[test]
fn quotas_of_priority_classes_are_told_once_they_are_known() {
    let domain = domain(
        "quota: {perPriority: [{priorityClass: low, hard: {pods: 50}}, {priorityClass: new, hard: {pods: 1}}]}",
    );
    let mut resolved = in_place(&domain);
    resolved.quotas.remove("sales-quota-new");
    let status = status(&domain, &resolved, &Report::default());
    let quota = status.quota.clone().unwrap();
    assert_eq!(quota.per_priority.len(), 1, "{quota:?}");
    assert_eq!(quota.per_priority[0].free["pods"], "25");
    assert_eq!(brief(&status)[0], "Ready=False QuotaPending");
    assert!(message(&status, "QuotaEnforced").contains("sales-quota-new"));
}

#[test]
fn who_holds_what_is_going_is_told() {
    let domain = deleting(domain("deletionPolicy: Delete"));
    let key = Scope::of(&domain).namespace_key();
    let with = |finalizer: &str| {
        let message = format!(
            "Some content in the namespace has finalizers remaining: kubernetes.io/pvc-protection in 1 \
             resource instances, {finalizer} in 2 resource instances"
        );
        let conditions = json!([
            {"type": "NamespaceFinalizersRemaining", "status": "True", "message": message},
            {"type": "NamespaceDeletionDiscoveryFailure", "status": "False", "message": "All resources"},
        ]);
        let kept = json!({"status": {"conditions": conditions}});
        let mut namespace = record(key.clone(), Some("sales"), kept).as_ref().clone();
        namespace.deleting = true;
        Resolved { namespace: Some(namespace.into()), ..in_place(&domain) }
    };
    let told = status(&domain, &with("example.com/hold"), &Report::default());
    assert_eq!(brief(&told)[0], "Ready=False DeletionBlocked");
    let words = message(&told, "Ready");
    assert!(words.contains("example.com/hold in 2") && !words.contains("All resources"), "{words}");
    let told = status(&domain, &with("batch.kubernetes.io/job-tracking"), &Report::default());
    assert_eq!(brief(&told)[0], "Ready=False Deleting");
}

#[rstest]
#[case(true, &["example.com/hold"], Some("Pod x (finalizer example.com/hold)"))]
#[case(true, &["batch.kubernetes.io/job-tracking", "foregroundDeletion"], None)]
#[case(false, &["example.com/hold"], None)]
fn finalizers_of_others_hold(
    #[case] is_deleting: bool,
    #[case] finalizers: &[&str],
    #[case] expected: Option<&str>,
) {
    let kept = json!({"metadata": {"finalizers": finalizers}});
    let key = ObjectKey::namespaced(types::POD, "sales", "x");
    let mut pod = record(key, Some("sales"), kept).as_ref().clone();
    pod.deleting = is_deleting;
    assert_eq!(held(&pod).as_deref(), expected);
}
