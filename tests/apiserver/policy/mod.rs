//! The admission policies of the chart: what they refuse, and what they let pass.

mod asker;
mod drivers;
mod frozen;
mod latency;
mod namespaces;
mod objects;
mod order;
mod secrets;
#[path = "../../policy/table.rs"]
#[allow(dead_code)] // Some of it is for the unit tests alone.
mod table;
mod workloads;
