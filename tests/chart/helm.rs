//! Helm, old and new.

use std::process::{Command, Output};

use tokio::sync::{Mutex, MutexGuard};

/// This chart.
pub const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/polder");
/// Programs of Helm 3 and Helm 4.
pub const HELMS: [&str; 2] = ["helm", "helm4"];

/// What a program said, and how it ended.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    /// What it printed; panics if it failed.
    pub fn well(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self.out
    }

    /// What it complained of; panics if it did not fail.
    pub fn badly(self) -> String {
        assert_eq!(self.code, 1, "it should have failed: {}{}", self.out, self.err);
        self.err
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap_or(-1);
        Self { code, out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Runs a program to its end.
pub fn say(program: &str, arguments: &[&str]) -> Said {
    let output = Command::new(program).args(arguments).output();
    output.unwrap_or_else(|error| panic!("{program}: {error}; run through `dev/test chart`")).into()
}

/// The right to install things in the cluster, which takes one release.
pub async fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}
