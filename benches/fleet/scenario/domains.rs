//! N Domains from nothing to Ready, next to the same children written raw.

use std::path::Path;

use super::Fleet;
use crate::{
    arguments::Arguments,
    bed::Bed,
    error::Result,
    floor::Floor,
    load::{create_domains, domain_name},
    operator::Operator,
    report::{Report, Row},
    sight::Sight,
    statistics::number,
};

/// Domains that warm the API server up, and one of which the floor copies.
const WARM_UP: usize = 5;

/// Half of the floor is written before the operator's turn, half after: what drifts on the machine
/// or grows in the API server meanwhile touches both alike.
pub async fn run<'a>(
    bed: &'a Bed,
    arguments: &'a Arguments,
    program: &'a Path,
    n: usize,
    report: &mut Report,
) -> Result<Fleet<'a>> {
    let sight = Sight::of(bed.client.clone(), "Domain", "domains").await?;
    let floor = warm_up(bed, arguments, program, &sight).await?;
    let half: Vec<String> = (0..n / 2).map(|i| domain_name("floor", i)).collect();
    let rest: Vec<String> = (n / 2..n).map(|i| domain_name("floor", i)).collect();
    let names: Vec<String> = (0..n).map(|i| domain_name("bench", i)).collect();

    let before = floor.write(&half).await?;
    create_domains(&bed.client, &names).await?;
    bed.audit.mark()?;
    let mut operator = Operator::start(bed, program, "first", &arguments.operator_argument)?;
    let filled = operator.ready().await?;
    let last = sight.until(&names, 1, &mut operator).await?;
    let seconds = last.saturating_duration_since(operator.started).as_secs_f64();
    operator.idle("domain", number(n)).await?;
    let counts = bed.audit.of_operator()?;
    let (usage, connections) = (operator.usage()?, operator.connections()?);
    let after = floor.write(&rest).await?;

    let raw = (before + after).as_secs_f64();
    report.add(
        Row::new("domains", n)
            .with("seconds", seconds)
            .with("floor_seconds", raw)
            .with("ratio_to_floor", seconds / raw)
            .with("seconds_until_stores_filled", filled.as_secs_f64())
            .with("seconds_per_domain", seconds / number(n))
            .with("writes_per_domain", number(counts.writes) / number(n))
            .with("children_per_domain", number(floor.children()))
            .with("events_per_domain", number(counts.events) / number(n))
            .with("reads_per_domain", number(counts.reads) / number(n))
            .with("lists", number(counts.lists))
            .with("refused", number(counts.refused))
            .with("connections", number(connections))
            .with("resident_kib", usage.resident_kib)
            .with("peak_kib", usage.peak_kib)
            .with("cpu_seconds", usage.cpu_seconds)
            .asked(&counts),
    );
    Ok(Fleet { bed, program, more: &arguments.operator_argument, operator, names })
}

async fn warm_up(bed: &Bed, arguments: &Arguments, program: &Path, sight: &Sight) -> Result<Floor> {
    let names: Vec<String> = (0..WARM_UP).map(|i| domain_name("warms", i)).collect();
    create_domains(&bed.client, &names).await?;
    let mut operator = Operator::start(bed, program, "warm-up", &arguments.operator_argument)?;
    sight.until(&names, 1, &mut operator).await?;
    operator.idle("domain", number(WARM_UP)).await?;
    operator.terminate().await?;
    let client = bed.client_named("polder-bench-floor").await?;
    let floor = Floor::of(client, &names.first().cloned().unwrap_or_default()).await?;
    let warming: Vec<String> = (0..WARM_UP).map(|i| domain_name("flwrm", i)).collect();
    floor.write(&warming).await?;
    Ok(floor)
}
