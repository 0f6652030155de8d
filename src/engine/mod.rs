//! The engine: watches, stores, queues, applies, prunes and writes status. It knows no kind.
//!
//! A watch fills a store ([`world`]) and wakes whom a change concerns ([`queue`]); a pass
//! ([`reconcile`]) asks the kind what should be, brings it about ([`apply`], [`prune`]) and tells
//! ([`root`]). A child whose metadata says that it is as it should be ([`digest`]) costs nothing.

mod apply;
mod backoff;
mod builder;
mod context;
mod decode;
pub mod digest;
mod driver;
mod error;
mod events;
mod extract;
mod farewell;
mod fence;
mod generate;
mod hold_off;
mod holdings;
mod http;
pub mod kind;
mod leader;
mod lean;
pub mod plan;
mod prune;
mod queue;
mod reconcile;
pub mod resource;
mod rights;
mod root;
mod roots;
mod run;
mod send;
mod series;
mod shards;
mod snapshot;
mod status;
mod target;
pub mod view;
mod watch;
mod worker;
mod world;

pub use builder::{EngineBuilder, EngineError, Options, Watch, client, client_of, configured};
pub use driver::Registered;
pub use kind::{Kind, Root};
pub use leader::LeaseOptions;
pub use plan::{Child, Farewell, Fault, Finalize, Ownership, Plan, Problem, Report};
pub use resource::{ObjectKey, ResourceType, Served};
pub use roots::{Roots, Seen};
pub use run::Engine;
pub use snapshot::{Refused, Snapshot, SnapshotBuilder, SnapshotError};
pub(crate) use target::collection;
pub use view::{Kept, Record, View};
