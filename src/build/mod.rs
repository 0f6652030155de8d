//! Pure builders that kinds share: names, labels, quantities, pods, volumes, Spark configuration.

pub mod labels;
pub mod names;
pub mod pods;
pub mod quantity;
pub mod spark;
pub mod types;
