//! A tenant whose every write hangs and then fails, beside good ones.

use std::{
    collections::HashMap,
    net::TcpListener,
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::time::sleep;

use super::{Fleet, change::change, failover::generation};
use crate::{
    error::Result,
    load::{create, domain, send},
    report::{Report, Row},
    sight::Sight,
    statistics::{Sample, number},
};

/// Time between two changes of good tenants.
const BEAT: Duration = Duration::from_millis(100);
const BROKEN: &str = "broken";

pub async fn run(fleet: &mut Fleet<'_>, seconds: u64, report: &mut Report) -> Result<()> {
    let rounds = usize::try_from(seconds).unwrap_or(10).clamp(10, 30) * 10;
    let sight = Sight::of(fleet.bed.client.clone(), "Domain", "domains").await?;
    let without = beat(fleet, &sight, rounds, "alone").await?;
    // Accepts connections and never answers: each write into the namespace waits for its timeout.
    let silent = TcpListener::bind("127.0.0.1:0")?;
    break_tenant(fleet, silent.local_addr()?.port()).await?;
    let metrics = fleet.operator.metrics();
    let errors = metrics.sum("polder_reconcile_total", "result=\"error\"");
    let with = beat(fleet, &sight, rounds, "beside").await?;
    let metrics = fleet.operator.metrics();
    let more = metrics.sum("polder_reconcile_total", "result=\"error\"") - errors;
    let path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/broken";
    send(&fleet.bed.client, "DELETE", path, None).await?;
    let milliseconds = 1e3;
    report.add(
        Row::new("broken_tenant", fleet.names.len())
            .with("changes_of_others", number(with.len()))
            .with("failed_passes", more)
            .with("ms_to_ready_median_alone", milliseconds * without.median())
            .with("ms_to_ready_median_beside", milliseconds * with.median())
            .with("ms_to_ready_p99_alone", milliseconds * without.quantile(0.99))
            .with("ms_to_ready_p99_beside", milliseconds * with.quantile(0.99)),
    );
    Ok(())
}

/// Changes good tenants one after the other, and sees how soon they are Ready again.
async fn beat(fleet: &mut Fleet<'_>, sight: &Sight, rounds: usize, what: &str) -> Result<Sample> {
    let mut latencies = Vec::new();
    for round in 0..rounds {
        let index = round % fleet.names.len();
        let name = fleet.names.get(index).cloned().unwrap_or_default();
        let next = generation(fleet, &name).await? + 1;
        let started = Instant::now();
        let since = HashMap::from([(name.clone(), started)]);
        change(&fleet.bed.client, &name, &format!("{what} {round}")).await?;
        sight.until(std::slice::from_ref(&name), next, &mut fleet.operator).await?;
        latencies.push(sight.latencies(&since).max());
        sleep(BEAT.saturating_sub(started.elapsed())).await;
    }
    Ok(Sample::new(latencies))
}

/// A Domain whose namespace is guarded by a webhook that hangs.
async fn break_tenant(fleet: &Fleet<'_>, port: u16) -> Result<()> {
    let webhook = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": BROKEN},
        "webhooks": [{
            "name": "broken.example.com",
            "clientConfig": {"url": format!("https://127.0.0.1:{port}/")},
            "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"], "scope": "Namespaced"}],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": BROKEN}},
            "failurePolicy": "Fail", "sideEffects": "None", "timeoutSeconds": 5,
            "admissionReviewVersions": ["v1"],
        }],
    });
    let path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
    send(&fleet.bed.client, "POST", path, Some(&webhook)).await?;
    // The API server takes a moment to know it.
    sleep(Duration::from_secs(2)).await;
    create(&fleet.bed.client, "", "domains", &domain(BROKEN)).await.map(drop)
}
