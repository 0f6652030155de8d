//! The scenarios, and the order in which they follow from each other.

mod broken;
mod change;
mod domains;
mod failover;
mod idle;
mod jobs;
mod mixed;
mod restart;

use std::path::{Path, PathBuf};

use crate::{
    arguments::{Arguments, Scenario},
    bed::Bed,
    error::Result,
    operator::Operator,
    report::Report,
    rival::{self, Against},
};

/// Nodes of a control plane on which workloads run.
const NODES: usize = 20;

/// Runs what is asked for; each size of fleet gets a control plane of its own.
pub async fn run(arguments: &Arguments) -> Result<()> {
    let program = program(arguments)?;
    let rivals = rival::read(&arguments.rival)?;
    let mut report = Report::default();
    let mut kubernetes = String::new();
    let fleets = arguments.fleets();
    let largest = fleets.last().copied().unwrap_or_default();
    let on_a_fleet = [
        Scenario::Domains,
        Scenario::Idle,
        Scenario::Restart,
        Scenario::Change,
        Scenario::Failover,
        Scenario::Broken,
    ];
    let wants_a_fleet = on_a_fleet.iter().any(|scenario| arguments.wants(*scenario));
    rival::check(&rivals, |against| match against {
        Against::Domains => wants_a_fleet,
        Against::Jobs => arguments.wants(Scenario::Jobs),
    })?;
    if wants_a_fleet {
        let only_largest = !arguments.wants(Scenario::Domains);
        for n in fleets.into_iter().filter(|n| !only_largest || *n == largest) {
            let bed = Bed::new(1).await?;
            kubernetes.clone_from(&bed.kubernetes);
            let fleet = domains::run(&bed, arguments, &program, n, &mut report).await?;
            follow(fleet, arguments, n == largest, &mut report).await?;
            rival::run_against(&bed, &rivals, Against::Domains, n, &mut report).await?;
        }
    }
    if arguments.wants(Scenario::Jobs) || arguments.wants(Scenario::Steady) {
        let bed = Bed::new(NODES).await?;
        kubernetes.clone_from(&bed.kubernetes);
        jobs::run(&bed, arguments, &program, &mut report).await?;
        rival::run_against(&bed, &rivals, Against::Jobs, arguments.jobs(), &mut report).await?;
    }
    if arguments.wants(Scenario::Mixed) {
        let bed = Bed::new(NODES.max(mixed::nodes(largest))).await?;
        kubernetes.clone_from(&bed.kubernetes);
        mixed::run(&bed, arguments, &program, &mut report).await?;
    }
    report.compare();
    report.write(arguments, &kubernetes)
}

/// What is measured on a converged fleet. Restarts on every size, for the slope of memory.
async fn follow(
    mut fleet: Fleet<'_>,
    arguments: &Arguments,
    is_largest: bool,
    report: &mut Report,
) -> Result<()> {
    if arguments.wants(Scenario::Restart) {
        restart::run(&mut fleet, report).await?;
    }
    if !is_largest {
        return fleet.operator.terminate().await;
    }
    if arguments.wants(Scenario::Idle) {
        idle::run(&mut fleet, arguments.seconds(), report).await?;
    }
    if arguments.wants(Scenario::Change) {
        change::run(&mut fleet, report).await?;
    }
    if arguments.wants(Scenario::Failover) {
        failover::run(&mut fleet, report).await?;
    }
    if arguments.wants(Scenario::Broken) {
        broken::run(&mut fleet, arguments.seconds(), report).await?;
    }
    fleet.operator.terminate().await
}

/// Domains that are Ready, and the operator that made them so.
pub struct Fleet<'a> {
    pub bed: &'a Bed,
    pub program: &'a Path,
    pub more: &'a [String],
    pub operator: Operator,
    pub names: Vec<String>,
}

impl Fleet<'_> {
    /// Another operator like the first.
    pub fn another(&self, identity: &str) -> Result<Operator> {
        Operator::start(self.bed, self.program, identity, self.more)
    }
}

fn program(arguments: &Arguments) -> Result<PathBuf> {
    // The release binary is beside the bench's own.
    let built = std::env::current_exe()?.with_file_name("polder");
    let program = arguments.operator.clone().unwrap_or(built);
    if !program.is_file() {
        return Err(format!(
            "there is no operator at {}; `make build` makes it",
            program.display()
        )
        .into());
    }
    // Child processes run in folders of their own.
    Ok(program.canonicalize()?)
}
