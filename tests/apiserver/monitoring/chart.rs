//! What the chart brings for the Prometheus Operator, against the definitions of its types.

use serde_json::{Value, json};

use super::chart;
use crate::{
    api::{Api, path, prometheus_type},
    cluster::{install_crd, request},
    process::NAMESPACE,
    turn::shared,
};

/// Has the API server take an object as a strict client would send it, without keeping it.
async fn try_out(api: &Api, object: &Value) -> Result<Value, String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let url = path(&text(&object["kind"]), NAMESPACE, &text(&object["metadata"]["name"]));
    let strict = "fieldManager=polder-tests&force=true&dryRun=All&fieldValidation=Strict";
    request(&api.client, "PATCH", &format!("{url}?{strict}"), Some(object)).await
}

#[tokio::test]
async fn the_types_of_the_prometheus_operator_take_what_the_chart_brings() {
    let _turn = shared().await;
    let api = Api::new().await;
    for kind in ["ServiceMonitor", "PrometheusRule"] {
        install_crd(&api.client, &prometheus_type(kind)).await;
        let objects = chart(kind);
        assert_eq!(objects.len(), 1, "{kind}");
        let taken = try_out(&api, &objects[0]).await.unwrap();
        // Neither is anything dropped, nor is anything added that Argo CD would call a difference.
        assert_eq!(taken["spec"], objects[0]["spec"], "{kind}");
    }
    let mut rule = chart("PrometheusRule").remove(0);
    rule["spec"]["groups"][0]["rules"][0]["summry"] = json!("a typo");
    let refusal = try_out(&api, &rule).await.unwrap_err();
    assert!(refusal.contains("summry"), "{refusal}");
    let mut monitor = chart("ServiceMonitor").remove(0);
    monitor["spec"]["endpoints"][0]["interval"] = json!("often");
    let refusal = try_out(&api, &monitor).await.unwrap_err();
    assert!(refusal.contains("interval"), "{refusal}");
}
