//! The admission policies of the chart: what they refuse, and what they let pass.

mod asker;
mod drivers;
mod frozen;
mod latency;
mod namespaces;
mod objects;
mod order;
mod secrets;
mod workloads;
