//! Pure builders of Spark's own things: properties, catalogs, heaps, drivers, executors.

pub mod catalogs;
pub mod conf;
pub mod driver;
pub mod executors;
pub mod images;
pub mod log_line;
pub mod logs;
pub mod memory;
pub mod metrics;
pub mod rotation;
pub mod runtime;

pub use conf::Conf;
pub use images::SparkImages;
pub use runtime::Runtime;
