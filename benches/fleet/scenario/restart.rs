//! The operator, restarted on a converged fleet.

use super::Fleet;
use crate::{
    error::Result,
    report::{Report, Row},
    statistics::number,
};

pub async fn run(fleet: &mut Fleet<'_>, report: &mut Report) -> Result<()> {
    fleet.operator.terminate().await?;
    let n = fleet.names.len();
    fleet.bed.audit.mark()?;
    fleet.operator = fleet.another("restarted")?;
    let filled = fleet.operator.ready().await?;
    fleet.operator.idle("domain", number(n)).await?;
    let seconds = fleet.operator.started.elapsed().as_secs_f64();
    let counts = fleet.bed.audit.of_operator()?;
    let usage = fleet.operator.usage()?;
    let metrics = fleet.operator.metrics();
    report.add(
        Row::new("restart", n)
            .with("seconds", seconds)
            .with("seconds_until_stores_filled", filled.as_secs_f64())
            .with("writes", number(counts.writes + counts.events))
            .with("gets", number(counts.reads))
            .with("lists", number(counts.lists))
            .with("watches", number(counts.watches))
            .with("objects_held", metrics.sum("polder_store_objects", ""))
            .with("resident_kib", usage.resident_kib)
            .with("peak_kib", usage.peak_kib)
            .with("peak_to_resident", usage.peak_kib / usage.resident_kib)
            .with("cpu_seconds", usage.cpu_seconds)
            .asked(&counts),
    );
    Ok(())
}
