//! What a Domain with `spec.monitoring` has Prometheus do.

use serde_json::{Value, json};

use crate::{
    api::{condition, prometheus_type},
    cluster::install_crd,
    tenant::Tenant,
};

const DEFINITION: &str = "podmonitors.monitoring.coreos.com";

/// Waits until MonitoringReady has this reason.
async fn wait_told(tenant: &Tenant, reason: &str) -> Value {
    let domain = tenant.name.as_str();
    tenant
        .wait(&format!("MonitoringReady to be {reason}"), async || {
            let found = condition(&tenant.get("Domain", domain).await?, "MonitoringReady");
            (found["reason"] == reason).then_some(found)
        })
        .await
}

/// From which namespaces the isolation of a domain lets in, and to which ports.
async fn let_in(tenant: &Tenant) -> Vec<(Value, Vec<Value>)> {
    let name = format!("{}-isolation", tenant.name);
    let policy = tenant.get("NetworkPolicy", &name).await.unwrap();
    let rules = policy["spec"]["ingress"].as_array().unwrap().iter();
    rules
        .map(|rule| {
            let ports = rule["ports"].as_array().into_iter().flatten();
            let labels = &rule["from"][0]["namespaceSelector"]["matchLabels"];
            let ports = ports.map(|port| port["port"].clone()).collect();
            (labels["kubernetes.io/metadata.name"].clone(), ports)
        })
        .collect()
}

#[tokio::test]
async fn a_monitored_domain_has_a_pod_monitor_as_soon_as_the_cluster_knows_the_type() {
    let name = "m-workloads";
    let tenant = Tenant::new(name).await;
    tenant.api.delete("CustomResourceDefinition", "", DEFINITION).await;
    tenant
        .wait("no PodMonitors to be served", async || {
            let there = tenant.get("CustomResourceDefinition", DEFINITION).await;
            there.is_none().then_some(())
        })
        .await;
    tenant
        .apply(
            "{apiVersion: polder.dev/v1alpha1, kind: Domain, metadata: {name: NAME},
              spec: {deletionPolicy: Delete, monitoring: {enabled: true}}}",
        )
        .await;
    let told = wait_told(&tenant, "PrometheusOperatorNotInstalled").await;
    assert_eq!(told["status"], "False", "{told}");
    // Workloads run all the same, and a Prometheus of one's own may scrape them.
    tenant.wait_ready("Domain", name).await;
    let prometheus = (json!("monitoring"), vec![json!(4040), json!(8080), json!(8081)]);
    assert!(let_in(&tenant).await.contains(&prometheus), "{:?}", let_in(&tenant).await);

    install_crd(&tenant.api.client, &prometheus_type("PodMonitor")).await;
    let told = wait_told(&tenant, "Monitored").await;
    assert_eq!(told["status"], "True", "{told}");
    let object = format!("{name}-monitoring");
    let monitor =
        tenant.wait("the PodMonitor", async || tenant.get("PodMonitor", &object).await).await;
    assert_eq!(monitor["metadata"]["labels"]["release"], "prometheus", "{monitor:#}");
    assert_eq!(monitor["spec"]["selector"]["matchLabels"]["polder.dev/domain"], name);
    let endpoints = monitor["spec"]["podMetricsEndpoints"].as_array().unwrap();
    let paths: Vec<&str> = endpoints.iter().map(|it| it["path"].as_str().unwrap()).collect();
    assert_eq!(paths.len(), 4, "{monitor:#}");
    assert!(paths.iter().all(|path| path.ends_with('/')), "without it Spark redirects: {paths:?}");
    // Nobody else wrote anything there that its definition would have: applying is over.
    assert_eq!(monitor["metadata"]["generation"], 1, "{monitor:#}");

    tenant.patch("Domain", name, json!({"spec": {"monitoring": {"enabled": false}}})).await;
    tenant
        .wait("the PodMonitor to go", async || {
            tenant.get("PodMonitor", &object).await.is_none().then_some(())
        })
        .await;
    tenant
        .wait("Prometheus to be shut out", async || {
            (!let_in(&tenant).await.contains(&prometheus)).then_some(())
        })
        .await;
    tenant.end();
}
