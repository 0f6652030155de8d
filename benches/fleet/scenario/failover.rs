//! The leader killed without warning beside a warm standby.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::{Fleet, change::change};
use crate::{
    error::Result,
    report::{Report, Row},
    sight::Sight,
    statistics::number,
};

pub async fn run(fleet: &mut Fleet<'_>, report: &mut Report) -> Result<()> {
    let mut standby = fleet.another("standby")?;
    standby.ready().await?;
    // Longer than the standby waits between two looks at the lease.
    sleep(Duration::from_secs(3)).await;
    fleet.bed.audit.mark()?;
    let killed = Instant::now();
    fleet.operator.kill()?;
    standby.leads().await?;
    let leading = killed.elapsed();
    standby.idle("domain", number(fleet.names.len())).await?;
    let counts = fleet.bed.audit.of_operator()?;
    fleet.operator = standby;

    let sight = Sight::of(fleet.bed.client.clone(), "Domain", "domains").await?;
    let name = fleet.names.first().cloned().ok_or("an empty fleet")?;
    let generation = generation(fleet, &name).await?;
    change(&fleet.bed.client, &name, "after failover").await?;
    sight.until(std::slice::from_ref(&name), generation + 1, &mut fleet.operator).await?;
    report.add(
        Row::new("failover", fleet.names.len())
            .with("seconds_until_the_standby_leads", leading.as_secs_f64())
            .with("lease_seconds", 15.0)
            .with("writes", number(counts.writes + counts.events))
            .with("lists", number(counts.lists))
            .asked(&counts),
    );
    Ok(())
}

pub async fn generation(fleet: &Fleet<'_>, name: &str) -> Result<i64> {
    let path = crate::load::root_path("", "domains", name);
    let object = crate::load::send(&fleet.bed.client, "GET", &path, None).await?;
    object["metadata"]["generation"].as_i64().ok_or_else(|| "a Domain without generation".into())
}
