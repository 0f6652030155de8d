//! Tests of the kind.

mod fixtures;
mod golden;
mod identity;
mod looking;
mod never_twice;
mod on_demand;
mod problems;
mod room;
mod schedules;
mod states;
