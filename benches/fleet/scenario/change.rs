//! One field changed in every Domain at once, and then single changes on an idle fleet.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use kube::Client;
use serde_json::json;
use tokio::time::sleep;

use super::Fleet;
use crate::{
    audit::OPERATOR,
    error::Result,
    load::{all, root_path, send},
    report::{Report, Row},
    sight::Sight,
    statistics::{Sample, number},
};

/// Single changes.
const SINGLE: usize = 100;

pub async fn run(fleet: &mut Fleet<'_>, report: &mut Report) -> Result<()> {
    let sight = Sight::of(fleet.bed.client.clone(), "Domain", "domains").await?;
    let n = fleet.names.len();
    fleet.bed.audit.mark()?;
    let started = Instant::now();
    let client = &fleet.bed.client;
    all(fleet.names.iter().map(|name| async move { change(client, name, "one").await })).await?;
    let sent = started.elapsed();
    let last = sight.until(&fleet.names, 2, &mut fleet.operator).await?;
    fleet.operator.idle("domain", 0.0).await?;
    let counts = fleet.bed.audit.of_operator()?;
    report.add(
        Row::new("change", n)
            .with("seconds", last.saturating_duration_since(started).as_secs_f64())
            .with("seconds_to_send_changes", sent.as_secs_f64())
            .with("writes_per_change", number(counts.writes) / number(n))
            .with("reads_per_change", number(counts.reads + counts.lists) / number(n))
            .asked(&counts),
    );
    single(fleet, &sight, report).await
}

/// From the answer to a user's change to the arrival of the operator's first write.
async fn single(fleet: &mut Fleet<'_>, sight: &Sight, report: &mut Report) -> Result<()> {
    sleep(Duration::from_millis(500)).await;
    fleet.bed.audit.mark()?;
    let mut since = HashMap::new();
    let names: Vec<String> = fleet.names.iter().take(SINGLE).cloned().collect();
    for name in &names {
        since.insert(name.clone(), Instant::now());
        change(&fleet.bed.client, name, "two").await?;
        sight.until(std::slice::from_ref(name), 3, &mut fleet.operator).await?;
    }
    let requests = fleet.bed.audit.requests()?;
    let mut changed = HashMap::new();
    let mut reactions = Vec::new();
    for request in requests.iter().filter(|request| request.is_write()) {
        let is_change = request.resource == "domains" && request.user != OPERATOR;
        if is_change {
            changed.insert(request.name.clone(), request.answered);
        } else if request.user == OPERATOR
            && let Some(at) = changed.remove(&request.name)
        {
            reactions.push(request.arrived - at);
        }
    }
    let (reaction, ready) = (Sample::new(reactions), sight.latencies(&since));
    let milliseconds = 1e3;
    report.add(
        Row::new("single_change", fleet.names.len())
            .with("changes", number(reaction.len()))
            .with("ms_to_first_write_median", milliseconds * reaction.median())
            .with("ms_to_first_write_p99", milliseconds * reaction.quantile(0.99))
            .with("ms_to_ready_median", milliseconds * ready.median())
            .with("ms_to_ready_p99", milliseconds * ready.quantile(0.99)),
    );
    Ok(())
}

/// Changes what the namespace says of its domain.
pub async fn change(client: &Client, name: &str, to: &str) -> Result<()> {
    let patch = json!({"spec": {"displayName": format!("Changed: {to}")}});
    send(client, "PATCH", &root_path("", "domains", name), Some(&patch)).await.map(drop)
}
