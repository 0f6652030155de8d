//! Programs that speak SQL with an endpoint.

use std::{
    env,
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
};

/// Reads statements that end with a semicolon, and shows what they give.
const SESSION: &str = include_str!("session.py");

/// A program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    Beeline,
    Python,
}

/// What this machine has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) beeline: bool,
    /// A Python with a Spark Connect client.
    pub(super) python: bool,
}

impl Found {
    pub(super) fn on_this_machine(python: &str) -> Self {
        let folders = env::var_os("PATH").unwrap_or_default();
        let beeline = env::split_paths(&folders).any(|folder| is_file(&folder.join("beeline")));
        let imports = Command::new(python)
            .args(["-c", "import pyspark.sql.connect, grpc, pandas"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        Self { beeline, python: imports.is_ok_and(|status| status.success()) }
    }
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.is_file())
}

impl Client {
    /// The program, ready to start.
    pub(super) fn command(self, to: &SocketAddr, query: Option<&str>, python: &str) -> Command {
        match self {
            Self::Beeline => {
                let mut command = Command::new("beeline");
                command.args(["-u", &format!("jdbc:hive2://{to}")]);
                if let Ok(user) = env::var("USER") {
                    command.args(["-n", &user]);
                }
                command.args(query.iter().flat_map(|query| ["-e", query]));
                command
            }
            Self::Python => {
                let mut command = Command::new(python);
                command.args(["-W", "ignore", "-c", SESSION, &format!("sc://{to}")]);
                command.args(query);
                command
            }
        }
    }
}

/// For a machine that has no client.
pub(super) fn what_to_install(thrift: bool, connect: bool, python: &str) -> String {
    let mut ways = Vec::new();
    if connect {
        ways.push(format!(
            "`pip install pyspark-client` for {python} (or name another with --python)"
        ));
    }
    if thrift {
        ways.push("put beeline in PATH (it is in Apache Spark's bin/)".to_owned());
    }
    ways.push("use --client none and a client of your own".to_owned());
    format!("this machine has no client for the endpoint: {}", ways.join(", or "))
}
