//! Objects of a wanted name that are somebody else's: untouched, told, and no obstacle for good.

use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    api::{condition, documents, path},
    audit::Mark,
    manifests::{CLUSTER, DOMAIN, ENDPOINT, SCHEDULED, WAREHOUSE},
    tenant::Tenant,
};

const CONFIG: &str =
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: polder-spark}, data: {theirs: '1'}}";
/// With the labels of a child of ours: labels are no proof of anything.
const FORGED: &str = "
apiVersion: v1
kind: ConfigMap
metadata:
  name: polder-spark
  labels: {app.kubernetes.io/managed-by: polder, polder.dev/domain: NAME, app.kubernetes.io/name: domain, app.kubernetes.io/instance: NAME}
  annotations: {polder.dev/applied: 0123456789abcdef0123456789abcdef}
data: {theirs: '1'}
";
const QUOTA: &str = "{apiVersion: v1, kind: ResourceQuota, metadata: {name: NAME-quota}, spec: {hard: {pods: '7'}}}";
const POLICY: &str = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: NAME-isolation}, spec: {podSelector: {}}}";
const BINDING: &str = "{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: polder-admin}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}}";
const CLAIM: &str = "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: NAME-warehouse}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}";

fn service(name: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Service, metadata: {{name: {name}}}, spec: {{ports: [{{port: 80}}]}}}}"
    )
}

fn set(name: &str) -> String {
    format!(
        "{{apiVersion: apps/v1, kind: StatefulSet, metadata: {{name: {name}}}, spec: {{replicas: 0, \
         serviceName: x, selector: {{matchLabels: {{a: b}}}}, template: {{metadata: {{labels: {{a: b}}}}, \
         spec: {{containers: [{{name: c, image: i}}]}}}}}}}}"
    )
}

fn cron(name: &str) -> String {
    format!(
        "{{apiVersion: batch/v1, kind: CronJob, metadata: {{name: {name}}}, spec: {{schedule: '0 0 29 2 *', \
         suspend: true, jobTemplate: {{spec: {{template: {{spec: {{restartPolicy: Never, containers: \
         [{{name: c, image: i}}]}}}}}}}}}}}}"
    )
}

#[rstest]
#[case::configuration("c-config", ("Domain", "NAME", DOMAIN), CONFIG.to_owned())]
#[case::forged_labels("c-forged", ("Domain", "NAME", DOMAIN), FORGED.to_owned())]
#[case::quota("c-quota", ("Domain", "NAME", DOMAIN), QUOTA.to_owned())]
#[case::network_policy("c-policy", ("Domain", "NAME", DOMAIN), POLICY.to_owned())]
#[case::binding("c-binding", ("Domain", "NAME", DOMAIN), BINDING.to_owned())]
#[case::claim("c-claim", ("Domain", "NAME", DOMAIN), CLAIM.to_owned())]
#[case::master_service("c-service", ("SparkCluster", "etl", CLUSTER), service("etl-master"))]
#[case::worker_set("c-workers", ("SparkCluster", "etl", CLUSTER), set("etl-worker-shuffle"))]
#[case::endpoint_service("c-endpoint", ("SqlEndpoint", "bi", ENDPOINT), service("bi-sql"))]
#[case::endpoint_set("c-driver", ("SqlEndpoint", "bi", ENDPOINT), set("bi-sql"))]
#[case::schedule("c-schedule", ("BatchJob", "nightly", SCHEDULED), cron("nightly-schedule"))]
#[tokio::test]
async fn a_strangers_object_stays_as_it_is(
    #[case] domain: &str,
    #[case] (kind, root, manifest): (&str, &str, &str),
    #[case] stranger: String,
) {
    let tenant = Tenant::new(domain).await;
    let root = root.replace("NAME", domain);
    if kind == "Domain" {
        let namespace = "{apiVersion: v1, kind: Namespace, metadata: {name: NAME, labels: {polder.dev/domain: NAME}}}";
        tenant.apply(namespace).await;
    } else {
        tenant.apply(DOMAIN).await;
        tenant.wait_ready("Domain", domain).await;
    }
    let stranger = tenant.apply(&stranger).await.remove(0);
    let (its_kind, its_name) =
        (stranger["kind"].as_str().unwrap(), stranger["metadata"]["name"].as_str().unwrap());
    let mark = Mark::now();
    let more = if kind == "Domain" { WAREHOUSE } else { "" };
    tenant.apply(&format!("{manifest}{more}")).await;
    let message = tenant.wait_reason(kind, &root, "Conflict").await;
    assert!(message.contains(its_kind) && message.contains(its_name), "{message}");
    assert!(message.contains("delete") || message.contains("label"), "what to do? {message}");
    let object = tenant.get(kind, &root).await.unwrap();
    assert_eq!(condition(&object, "Stalled")["status"], "True", "{object:#}");

    let now = tenant.get(its_kind, its_name).await.unwrap();
    assert_eq!(wish(&now), wish(&stranger));
    let taken: Vec<_> = mark
        .writes_of(domain)
        .into_iter()
        .filter(|request| request.name == its_name && request.code < 400)
        .filter(|request| path(its_kind, "", "").ends_with(&format!("/{}", request.resource)))
        .collect();
    assert!(taken.is_empty(), "{taken:#?}");

    tenant.delete(its_kind, its_name).await;
    tenant.wait_ready(kind, &root).await;
    let ours = tenant.get(its_kind, its_name).await.unwrap();
    assert_eq!(ours["metadata"]["labels"]["app.kubernetes.io/managed-by"], "polder");
    tenant.end();
}

/// All that its owner has set: everything but the status and what says who changed what when.
fn wish(object: &Value) -> Value {
    let mut object = object.clone();
    object.as_object_mut().unwrap().remove("status");
    let metadata = object["metadata"].as_object_mut().unwrap();
    metadata.remove("managedFields");
    metadata.remove("resourceVersion");
    // The provisioner writes to claims.
    if object["kind"] == "PersistentVolumeClaim" {
        object["metadata"]["annotations"] = json!(null);
        object["spec"]["volumeName"] = json!(null);
    }
    object
}

#[tokio::test]
async fn a_namespace_without_consent_is_not_taken_and_with_it_is() {
    let tenant = Tenant::new("t-consent").await;
    let namespace = documents(
        "{apiVersion: v1, kind: Namespace, metadata: {name: t-consent, labels: {team: other}}}",
    );
    tenant.apply(&namespace[0].to_string()).await;
    tenant.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: theirs}, data: {a: b}}").await;
    let before = tenant.get("Namespace", "t-consent").await.unwrap();
    let mark = Mark::now();
    tenant.apply(DOMAIN).await;
    let message = tenant.wait_reason("Domain", "t-consent", "NamespaceExists").await;
    let command = "kubectl label namespace t-consent polder.dev/domain=t-consent";
    assert!(message.contains(command), "{message}");
    assert_eq!(tenant.get("Namespace", "t-consent").await.unwrap(), before);
    let taken: Vec<_> = mark
        .writes_of("t-consent")
        .into_iter()
        .filter(|request| {
            request.code < 400 && request.resource.split('/').next() != Some("domains")
        })
        .collect();
    assert!(taken.is_empty(), "{taken:#?}");

    // Another domain's label is no consent to this one.
    let label = |value: &str| json!({"metadata": {"labels": {"polder.dev/domain": value}}});
    tenant.patch("Namespace", "t-consent", label("another")).await;
    tenant
        .until("Domain", "t-consent", "to say whose the namespace is", |domain| {
            let ready = condition(domain, "Ready");
            ready["message"].as_str().is_some_and(|message| message.contains("another"))
        })
        .await;

    tenant.patch("Namespace", "t-consent", label("t-consent")).await;
    tenant.wait_ready("Domain", "t-consent").await;
    let after = tenant.get("Namespace", "t-consent").await.unwrap();
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
    assert_eq!(after["metadata"]["labels"]["team"], "other");
    assert_eq!(after["metadata"]["labels"]["pod-security.kubernetes.io/enforce"], "restricted");
    assert!(tenant.get("ConfigMap", "theirs").await.is_some());
    tenant.end();
}

#[tokio::test]
async fn two_domains_cannot_have_one_namespace() {
    let tenant = Tenant::ready("t-first").await;
    let rival = "{apiVersion: polder.dev/v1alpha1, kind: Domain, metadata: {name: t-second}, spec: {namespace: {name: t-first}}}";
    tenant.api.delete("Domain", "", "t-second").await;
    tenant.wait_gone("Domain", "t-second").await;
    tenant.apply(rival).await;
    let message = tenant.wait_reason("Domain", "t-second", "NamespaceTaken").await;
    assert!(message.contains("in use by Domain t-first"), "{message}");
    // Its end is not the other's.
    tenant.delete("Domain", "t-second").await;
    tenant.wait_gone("Domain", "t-second").await;
    let namespace = tenant.get("Namespace", "t-first").await.unwrap();
    assert!(namespace["metadata"]["deletionTimestamp"].is_null());
    tenant.wait_ready("Domain", "t-first").await;
    assert!(tenant.get("RoleBinding", "polder-admin").await.is_some());
    tenant.end();
}
