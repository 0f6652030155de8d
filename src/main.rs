//! The `polder` binary: arguments, then one call.

use std::{
    io::{Write, stderr},
    process::ExitCode,
};

fn main() -> ExitCode {
    // Ring is the one cryptography provider of the process; an error means it is installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match polder::cli::Arguments::read().execute() {
        Ok(code) => code,
        Err(error) => {
            // Nothing is lost if nobody reads it.
            let _ = writeln!(stderr(), "polder: {error}");
            ExitCode::from(polder::cli::COULD_NOT_RUN)
        }
    }
}
