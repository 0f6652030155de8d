//! A converged fleet, left alone.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::Fleet;
use crate::{
    error::Result,
    report::{Report, Row},
    statistics::number,
};

pub async fn run(fleet: &mut Fleet<'_>, seconds: u64, report: &mut Report) -> Result<()> {
    fleet.bed.audit.mark()?;
    let before = fleet.operator.usage()?;
    let started = Instant::now();
    sleep(Duration::from_secs(seconds)).await;
    fleet.operator.check()?;
    let after = fleet.operator.usage()?;
    let elapsed = started.elapsed().as_secs_f64();
    let counts = fleet.bed.audit.of_operator()?;
    let cpu = after.cpu_seconds - before.cpu_seconds;
    report.add(
        Row::new("idle", fleet.names.len())
            .with("seconds", elapsed)
            .with("writes", number(counts.writes + counts.events))
            .with("gets_and_lists", number(counts.reads + counts.lists))
            .with("watches_renewed", number(counts.watches))
            .with("percent_of_a_core", 100.0 * cpu / elapsed)
            .with("resident_kib", after.resident_kib)
            .asked(&counts),
    );
    Ok(())
}
