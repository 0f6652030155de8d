use rstest::rstest;
use serde_json::{Value, json};

use super::{domain, in_place, operator, record};
use crate::{
    api::{BatchJob, Domain, DomainStatus, SparkCluster, SqlEndpoint},
    engine::{Report, Served, Snapshot},
    kinds::domain::{
        Resolved, plan::plan, scope::Scope, status::status, validate::validate, workloads::Roots,
    },
    telemetry::Metrics,
};

const EXTERNAL: &str = "secrets: [{name: s3, external: {store: {name: vault}, keys: {a: b}}}]";
const VAULT: &str = "secrets: [{name: pg, vault: {role: r, keys: {a: 'b#c'}}}]";

fn told(domain: &Domain, resolved: &Resolved, type_: &str) -> String {
    let status: DomainStatus = status(domain, resolved, &Report::default());
    let found = status.conditions.into_iter().find(|condition| condition.type_ == type_).unwrap();
    format!("{} {}: {}", found.status, found.reason, found.message)
}

fn kinds(domain: &Domain, resolved: &Resolved) -> Vec<&'static str> {
    let children = plan(domain, resolved, &operator()).children;
    let secrets = children.iter().filter(|child| child.resource.group.contains("secrets"));
    secrets.map(|child| child.resource.kind).collect()
}

#[rstest]
#[case(EXTERNAL, "ExternalSecret", "True Ready: synced by the External Secrets Operator: s3")]
#[case(
    VAULT,
    "SecretProviderClass",
    "True Ready: configured, and fetched when a pod mounts them: pg"
)]
fn secrets_in_place(#[case] spec: &str, #[case] kind: &str, #[case] expected: &str) {
    let domain = domain(spec);
    let resolved = in_place(&domain);
    assert_eq!(kinds(&domain, &resolved), [kind]);
    assert_eq!(told(&domain, &resolved, "SecretsReady"), expected);
    assert!(told(&domain, &resolved, "Ready").starts_with("True Ready"));
}

#[rstest]
#[case(EXTERNAL, Served::NotInstalled, "ExternalSecretsNotInstalled", "take those secrets out")]
#[case(EXTERNAL, Served::Forbidden, "ExternalSecretsNotAllowed", "set externalSecrets.enabled")]
#[case(VAULT, Served::NotInstalled, "SecretsStoreNotInstalled", "take those secrets out")]
#[case(VAULT, Served::Forbidden, "SecretsStoreNotAllowed", "set secretsStore.enabled")]
fn what_the_cluster_lacks_is_told_and_stops_nothing_else(
    #[case] spec: &str,
    #[case] served: Served,
    #[case] reason: &str,
    #[case] expected: &str,
) {
    let domain = domain(spec);
    let resolved = Resolved {
        external_secrets: served,
        secrets_store: served,
        secrets: std::collections::BTreeMap::default(),
        ..in_place(&domain)
    };
    assert!(validate(&domain, &resolved, &operator()).is_empty());
    assert!(kinds(&domain, &resolved).is_empty());
    assert!(plan(&domain, &resolved, &operator()).children.len() > 5);
    for type_ in ["SecretsReady", "Ready"] {
        let told = told(&domain, &resolved, type_);
        assert!(told.starts_with(&format!("False {reason}")) && told.contains(expected), "{told}");
    }
    assert!(told(&domain, &resolved, "AccessGranted").starts_with("True"));
}

#[rstest]
#[case(
    Value::Null,
    "False Pending: secret s3: the External Secrets Operator has not looked at it yet",
    "False SecretsPending"
)]
#[case(json!("could not get store"), "False SecretSyncedError: secret s3: could not get store (says the External Secrets Operator)", "False SecretSyncedError")]
fn the_other_operators_word_is_passed_on(
    #[case] message: Value,
    #[case] expected: &str,
    #[case] ready: &str,
) {
    let domain = domain(EXTERNAL);
    let mut resolved = in_place(&domain);
    let conditions = message.as_str().map(|message| {
        json!([{"type": "Ready", "status": "False", "reason": "SecretSyncedError",
            "message": message, "lastTransitionTime": "2026-01-01T00:00:00Z"}])
    });
    let kept = json!({"status": {"conditions": conditions}});
    let key = Scope::of(&domain).secret_key(&domain.spec.secrets[0]);
    resolved.secrets.insert("s3".to_owned(), record(key, Some("sales"), kept));
    assert_eq!(told(&domain, &resolved, "SecretsReady"), expected);
    assert!(told(&domain, &resolved, "Ready").starts_with(ready));
}

#[rstest]
#[case("pod a: CreateContainerConfigError: secret \"s3\" not found", "SecretsReady")]
#[case(
    "pod a: CreateContainerConfigError: couldn't find key k in Secret sales/lake",
    "CatalogsReady"
)]
#[case("SecretMissing: Secret lake with key k is not there.", "CatalogsReady")]
#[case("pod a: CreateContainerConfigError: secret \"own\" not found", "")]
fn what_workloads_miss_is_told_of_secrets_that_the_domain_names(
    #[case] message: &str,
    #[case] type_: &str,
) {
    let catalog = "catalogs: [{name: a, class: b.C, secretProperties: [{property: d, secret: {name: lake, key: k}}]}]";
    let domain = domain(&format!("{EXTERNAL}\n{catalog}"));
    // Named like the Secret, which is another thing.
    let missing = vec![("SqlEndpoint s3".to_owned(), message.to_owned())];
    let resolved = Resolved { missing_secrets: missing, ..in_place(&domain) };
    for condition in ["SecretsReady", "CatalogsReady"] {
        let told = told(&domain, &resolved, condition);
        let expected = format!("False SecretMissing: SqlEndpoint s3: {message}");
        assert_eq!(told == expected, condition == type_, "{condition}: {told}");
    }
    assert!(told(&domain, &resolved, "Ready").starts_with("True"), "the workload tells");
}

/// A service has the pod's reason for its own, a job that failed has it in the message.
#[rstest]
#[case("SecretMissing", "False", "pod a: CrashLoopBackOff", true)]
#[case("CreateContainerConfigError", "False", "pod a: ...", true)]
#[case("Failed", "False", "run a-1 failed: pod a: SecretMissing, exit code 78", true)]
#[case("Failed", "False", "run a-1 failed: pod a: OOMKilled, exit code 137", false)]
#[case("Ready", "True", "SecretMissing, exit code 78", false)]
fn workloads_that_miss_a_secret_are_found(
    #[case] reason: &str,
    #[case] ready: &str,
    #[case] message: &str,
    #[case] expected: bool,
) {
    let builder = Snapshot::builder().root::<SparkCluster>().root::<SqlEndpoint>();
    let mut snapshot = builder.root::<BatchJob>().build(Metrics::new().unwrap());
    let job = json!({
        "apiVersion": "polder.dev/v1alpha1", "kind": "BatchJob",
        "metadata": {"name": "a", "namespace": "n"},
        "spec": {"container": {"image": "i", "resources": {"cpu": 1, "memory": 1}}},
        "status": {"conditions": [{"type": "Ready", "status": ready, "reason": reason,
            "message": message, "lastTransitionTime": "2026-01-01T00:00:00Z"}]},
    });
    snapshot.put(&job).unwrap();
    let found = Roots::of(&snapshot.view(jiff::Timestamp::UNIX_EPOCH), "n").missing_secrets();
    let named = vec![("BatchJob a".to_owned(), message.to_owned())];
    assert_eq!(found, if expected { named } else { Vec::new() });
}

#[rstest]
#[case("secrets: [{name: a, external: {store: {name: s}, keys: {a: b}, refresh: 0s}}]", &["TooShort spec.secrets[0].external.refresh"])]
#[case("secrets: [{name: a, external: {store: {name: s}, keys: {'a b': c}}}]", &["KeyInvalid spec.secrets[0].external.keys"])]
#[case("secrets: [{name: a, vault: {role: s, keys: {a: 'b#'}}}]", &["KeyInvalid spec.secrets[0].vault.keys"])]
#[case("secrets: [{name: a, external: {store: {name: s}, keys: {a: b}}}, {name: a, vault: {role: s, keys: {a: b}}}]", &["Duplicate spec.secrets[1].name"])]
#[case("{secrets: [{name: a, vault: {role: s, keys: {a: b}}}], catalogs: [{name: c, class: a.B, secretProperties: [{property: p, secret: {name: a, key: a}}]}]}", &["SecretIsFiles spec.catalogs[0]"])]
fn refused(#[case] spec: &str, #[case] expected: &[&str]) {
    let found: Vec<String> = validate(&domain(spec), &Resolved::default(), &operator())
        .into_iter()
        .map(|problem| format!("{} {}", problem.reason, problem.field))
        .collect();
    assert_eq!(found, expected);
}
