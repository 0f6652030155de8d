//! N Domains from nothing to Ready, next to the same children written raw.

use std::{path::Path, time::Duration};

use tokio::time::sleep;

use super::Fleet;
use crate::{
    arguments::Arguments,
    bed::Bed,
    error::{Failure, Result},
    floor::Floor,
    load::{create_domains, domain_name},
    operator::{Operator, usage},
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

    let mut raw = Turn::default();
    raw.add(bed, floor.write(&half)).await?;
    create_domains(&bed.client, &names).await?;
    bed.audit.mark()?;
    let idle_cpu = bed.cpu_seconds()?;
    let mut operator = Operator::start(bed, program, "first", &arguments.operator_argument)?;
    let filled = operator.ready().await?;
    let last = sight.until(&names, 1, &mut operator).await?;
    let seconds = last.saturating_duration_since(operator.started).as_secs_f64();
    operator.idle("domain", number(n)).await?;
    sleep(Duration::from_secs(1)).await;
    let plane_cpu = bed.cpu_seconds()? - idle_cpu;
    let counts = bed.audit.of_operator()?;
    let (usage, connections) = (operator.usage()?, operator.connections()?);
    raw.add(bed, floor.write(&rest)).await?;

    report.add(
        Row::new("domains", n)
            .with("seconds", seconds)
            .with("floor_seconds", raw.seconds)
            .with("ratio_to_floor", seconds / raw.seconds)
            .with("control_plane_cpu_seconds", plane_cpu)
            .with("floor_control_plane_cpu_seconds", raw.plane_cpu)
            .with(
                "cpu_ratio_to_floor",
                (plane_cpu + usage.cpu_seconds) / (raw.plane_cpu + raw.own_cpu),
            )
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

/// What the floor has cost.
#[derive(Default)]
struct Turn {
    seconds: f64,
    plane_cpu: f64,
    own_cpu: f64,
}

impl Turn {
    async fn add(
        &mut self,
        bed: &Bed,
        write: impl Future<Output = Result<Duration>>,
    ) -> Result<()> {
        let own = || Ok::<_, Failure>(usage(std::process::id())?.cpu_seconds);
        let (plane_before, own_before) = (bed.cpu_seconds()?, own()?);
        self.seconds += write.await?.as_secs_f64();
        // The controllers' reaction to what was written belongs to it, as it does to the operator's.
        sleep(Duration::from_secs(1)).await;
        self.plane_cpu += bed.cpu_seconds()? - plane_before;
        self.own_cpu += own()? - own_before;
        Ok(())
    }
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
