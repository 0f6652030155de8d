//! Metrics as a table: registered under one prefix, and listed for the documentation.

use prometheus::{
    Error, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry,
    core::{Collector, Desc},
};

/// What there is to know of a metric before it has a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// With its prefix.
    pub name: String,
    /// counter, gauge or histogram
    pub kind: &'static str,
    /// Names of its labels.
    pub labels: Vec<String>,
    /// What it counts.
    pub help: String,
}

impl Row {
    pub(super) fn new(prefix: &str, kind: &'static str, desc: &Desc) -> Self {
        Self {
            name: format!("{prefix}_{}", desc.fq_name),
            kind,
            labels: desc.variable_labels.clone(),
            help: desc.help.clone(),
        }
    }
}

/// A registry, and what is in it.
pub(super) struct Table {
    prefix: &'static str,
    pub registry: Registry,
    pub rows: Vec<Row>,
}

impl Table {
    /// Without metrics; each name begins with the prefix and an underscore.
    pub fn new(prefix: &'static str) -> Result<Self, Error> {
        let registry = Registry::new_custom(Some(prefix.to_owned()), None)?;
        Ok(Self { prefix, registry, rows: Vec::new() })
    }

    pub fn counter(
        &mut self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<IntCounterVec, Error> {
        self.add("counter", IntCounterVec::new(Opts::new(name, help), labels)?)
    }

    pub fn gauge(&mut self, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, Error> {
        self.add("gauge", IntGaugeVec::new(Opts::new(name, help), labels)?)
    }

    pub fn histogram(
        &mut self,
        name: &str,
        help: &str,
        labels: &[&str],
        buckets: &[f64],
    ) -> Result<HistogramVec, Error> {
        let opts = HistogramOpts::new(name, help).buckets(buckets.to_vec());
        self.add("histogram", HistogramVec::new(opts, labels)?)
    }

    fn add<M: Collector + Clone + 'static>(
        &mut self,
        kind: &'static str,
        metric: M,
    ) -> Result<M, Error> {
        self.registry.register(Box::new(metric.clone()))?;
        self.rows.extend(metric.desc().into_iter().map(|desc| Row::new(self.prefix, kind, desc)));
        Ok(metric)
    }
}
