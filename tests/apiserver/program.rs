//! Programs of others that a test runs.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

/// A program that ends with the test.
pub struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a program that logs into a folder.
pub fn start(
    program: &str,
    folder: &Path,
    arguments: &[String],
    environment: &[(&str, String)],
) -> Program {
    let log = std::fs::File::create(folder.join(format!("{program}.log"))).unwrap();
    let child = Command::new(program)
        .args(arguments)
        .envs(environment.iter().map(|(name, value)| (*name, value)))
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap_or_else(|error| {
            panic!(
                "{program}: {error}; install or build it: dev/cluster deps --node simulated --tests, \
                 dev/cluster build"
            )
        });
    Program(child)
}
