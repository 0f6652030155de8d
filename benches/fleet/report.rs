//! What was measured: a table for people, JSON for programs.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Map, Value, json};

use crate::{arguments::Arguments, audit::Counts, error::Result, plot};

/// All measurements of a run.
#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
}

/// One measurement: figures by name, with the unit in the name.
pub struct Row {
    pub scenario: &'static str,
    pub n: usize,
    pub figures: Vec<(&'static str, f64)>,
    pub requests: BTreeMap<String, usize>,
}

impl Row {
    pub fn new(scenario: &'static str, n: usize) -> Self {
        Self { scenario, n, figures: Vec::new(), requests: BTreeMap::new() }
    }

    /// Adds a figure.
    pub fn with(mut self, name: &'static str, value: f64) -> Self {
        self.figures.push((name, value));
        self
    }

    /// Adds what the operator asked for.
    pub fn asked(mut self, counts: &Counts) -> Self {
        self.requests = counts.by_request.clone();
        self
    }

    pub fn figure(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

impl Report {
    /// Adds a measurement and prints it.
    pub fn add(&mut self, row: Row) {
        println!("\n{} n={}", row.scenario, row.n);
        for (name, value) in &row.figures {
            println!("  {:<34} {:>12}", name.replace('_', " "), show(*value));
        }
        if !row.requests.is_empty() {
            let list: Vec<String> =
                row.requests.iter().map(|(what, count)| format!("{count} {what}")).collect();
            println!("  requests: {}", list.join(", "));
        }
        self.rows.push(row);
    }

    /// Figures of one scenario by N.
    pub fn series(&self, scenario: &str, name: &str) -> Vec<(f64, f64)> {
        let of = self.rows.iter().filter(|row| row.scenario == scenario);
        let point = |row: &Row| Some((crate::statistics::number(row.n), row.figure(name)?));
        of.filter_map(point).collect()
    }

    /// What the measurements at different N say of each other.
    pub fn compare(&mut self) {
        let seconds = self.series("domains", "seconds_per_domain");
        let memory = self.series("restart", "resident_kib");
        let memory = if memory.len() > 1 { memory } else { self.series("domains", "resident_kib") };
        let (Some(first), Some(last)) = (seconds.first(), seconds.last()) else { return };
        if first.0 >= last.0 {
            return;
        }
        let mut row =
            Row::new("growth", self.rows.iter().map(|row| row.n).max().unwrap_or_default())
                .with("seconds_per_domain_last_to_first", last.1 / first.1);
        if let (Some(small), Some(large)) = (memory.first(), memory.last()) {
            row = row.with("kib_per_domain", (large.1 - small.1) / (large.0 - small.0));
        }
        self.add(row);
    }

    /// Writes the files.
    pub fn write(&self, arguments: &Arguments, kubernetes: &str) -> Result<()> {
        std::fs::create_dir_all(&arguments.out)
            .map_err(|error| format!("{}: {error}", arguments.out.display()))?;
        let rows: Vec<Value> = self.rows.iter().map(json_of).collect();
        let document = json!({
            "polder": env!("CARGO_PKG_VERSION"),
            "commit": commit(),
            "kubernetes": kubernetes,
            "machine": machine(),
            "finished": jiff::Timestamp::now().to_string(),
            "arguments": std::env::args().skip(1).collect::<Vec<_>>(),
            "rows": rows,
        });
        let path = arguments.out.join("fleet.json");
        std::fs::write(&path, format!("{document:#}\n"))?;
        println!("\n{}", path.display());
        if let Some(svg) = plot::draw(self) {
            let path = arguments.out.join("fleet.svg");
            std::fs::write(&path, svg)?;
            println!("{}", path.display());
        }
        Ok(())
    }
}

fn json_of(row: &Row) -> Value {
    let figures: Map<String, Value> =
        row.figures.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    json!({"scenario": row.scenario, "n": row.n, "figures": figures, "requests": row.requests})
}

/// Enough digits, and no more.
fn show(value: f64) -> String {
    match value.abs() {
        _ if value.fract() == 0.0 => format!("{value}"),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

fn commit() -> String {
    let output = std::process::Command::new("git")
        .args(["-C", env!("CARGO_MANIFEST_DIR"), "describe", "--always", "--dirty"])
        .output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.ok().filter(|text| !text.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}

/// What the figures depend on. A load from elsewhere at the end tells that they are not to be
/// trusted but as ratios.
fn machine() -> Value {
    let read = |path: &str| std::fs::read_to_string(Path::new(path)).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned())
    };
    json!({
        "processor": field(&read("/proc/cpuinfo"), "model name"),
        "cores": std::thread::available_parallelism().map(usize::from).unwrap_or_default(),
        "memory": field(&read("/proc/meminfo"), "MemTotal"),
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
        "load": read("/proc/loadavg").trim(),
    })
}
