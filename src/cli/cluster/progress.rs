//! Something to see while a command waits.

use std::{
    io::{IsTerminal, Write, stderr},
    time::Duration,
};

use tokio::time::{Instant, interval_at};

/// A wait that is longer is told of, and told of again.
const PATIENCE: Duration = Duration::from_secs(2);

/// Waits, and says on standard error for what if it takes long.
pub(in super::super) async fn waiting<T>(what: &str, work: impl Future<Output = T>) -> T {
    let begin = Instant::now();
    let mut ticks = interval_at(begin + PATIENCE, PATIENCE);
    let is_terminal = stderr().is_terminal();
    let mut told = false;
    tokio::pin!(work);
    loop {
        tokio::select! {
            result = &mut work => {
                if told && is_terminal {
                    let _ = write!(stderr(), "\r\x1b[K");
                }
                return result;
            }
            _ = ticks.tick() => {
                let line = format!("{what} ... {} s", begin.elapsed().as_secs());
                let _ = if is_terminal {
                    write!(stderr(), "\r\x1b[K{line}")
                } else {
                    writeln!(stderr(), "{line}")
                };
                told = true;
            }
        }
    }
}
