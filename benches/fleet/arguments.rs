//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Measures the operator on a control plane of its own with simulated nodes.
#[derive(Debug, Parser)]
#[command(name = "bench")]
pub struct Arguments {
    /// What to measure; may be given several times, or with commas.
    #[arg(long, value_delimiter = ',', default_value = "small")]
    pub scenario: Vec<Scenario>,
    /// How many Domains (for `jobs`, how many BatchJobs); several with commas.
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub n: Vec<u32>,
    /// Seconds that a fleet is watched while idle, and that steady loads go on.
    #[arg(long, default_value_t = 120)]
    pub seconds: u64,
    /// Folder for the JSON and SVG files.
    #[arg(long, default_value = "target/bench")]
    pub out: PathBuf,
    /// Operator to measure. Default: the release binary, `make build`.
    #[arg(long)]
    pub operator: Option<PathBuf>,
    /// More arguments of the operator, such as `--shards=3`; may be given several times.
    #[arg(long, allow_hyphen_values = true)]
    pub operator_argument: Vec<String>,
    /// Another operator to measure on the same control plane: a file that says how to run it, see
    /// docs/how-to/bench.md. May be given several times.
    #[arg(long)]
    pub rival: Vec<PathBuf>,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// All of it, with few objects, in less than two minutes: what CI prints.
    Small,
    /// All of it, in full.
    Full,
    /// N Domains from nothing to Ready, next to the floor.
    Domains,
    /// The converged fleet, left alone.
    Idle,
    /// The operator, restarted on the converged fleet.
    Restart,
    /// One field changed in every Domain, and single changes on an idle fleet.
    Change,
    /// The leader killed beside a warm standby.
    Failover,
    /// A tenant that errors all the time beside good ones.
    Broken,
    /// BatchJobs, all at once.
    Jobs,
    /// BatchJobs, 20 a second.
    Steady,
    /// Domains, SparkClusters, SqlEndpoints and scheduled BatchJobs together.
    Mixed,
}

impl Arguments {
    /// Whether a scenario is asked for, by name or as part of a set.
    pub fn wants(&self, scenario: Scenario) -> bool {
        let in_small = !matches!(scenario, Scenario::Steady | Scenario::Mixed);
        self.scenario.iter().any(|asked| match asked {
            Scenario::Small => in_small,
            Scenario::Full => true,
            other => *other == scenario,
        })
    }

    /// Few objects and short waits.
    pub fn is_small(&self) -> bool {
        self.scenario.iter().all(|asked| *asked == Scenario::Small)
    }

    /// How many Domains, smallest first.
    pub fn fleets(&self) -> Vec<usize> {
        let default: &[u32] = if self.is_small() { &[20, 60] } else { &[50, 200, 1000] };
        let given = if self.n.is_empty() { default } else { &self.n };
        let mut fleets: Vec<usize> = given.iter().map(|n| *n as usize).collect();
        fleets.sort_unstable();
        fleets.dedup();
        fleets
    }

    /// How many BatchJobs at once.
    pub fn jobs(&self) -> usize {
        match self.n.last() {
            Some(n) => *n as usize,
            None if self.is_small() => 60,
            None => 500,
        }
    }

    /// How long to watch.
    pub fn seconds(&self) -> u64 {
        if self.is_small() { self.seconds.min(10) } else { self.seconds }
    }
}
