//! The operator's process: started, asked, measured, stopped.

use std::{
    fs::File,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tokio::time::sleep;

use crate::{
    bed::{Bed, NAMESPACE},
    error::Result,
};

/// Variable by which `dev/cluster down` finds what belongs to a cluster.
const MARK: &str = "POLDER_DEV_CLUSTER";
/// Kernel clock ticks per second: fixed at 100 on all architectures that Linux shows to programs.
const TICKS: f64 = 100.0;
/// How often it is looked at: rarely enough to cost it little.
const LOOK: Duration = Duration::from_millis(20);
/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_mins(30);

/// A running operator; dropping it kills it.
pub struct Operator {
    process: Child,
    port: u16,
    log: PathBuf,
    pub started: Instant,
}

/// What a process has cost so far.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    pub resident_kib: f64,
    pub peak_kib: f64,
    pub cpu_seconds: f64,
    /// Of processes that it has started and that have ended.
    pub cpu_seconds_of_children: f64,
}

impl Operator {
    /// Starts one as the chart would; `identity` is the name of its pod.
    pub fn start(bed: &Bed, program: &Path, identity: &str, more: &[String]) -> Result<Self> {
        let kubeconfig = bed.operator_kubeconfig(identity)?;
        let log = bed.folder().join(format!("logs/operator-{identity}.log"));
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let output = File::options().create(true).append(true).open(&log)?;
        let started = Instant::now();
        let process = Command::new(program)
            .args(&bed.arguments)
            .args([&format!("--http-address=127.0.0.1:{port}"), "--log-level=warn"])
            .args(more)
            .envs(bed.environment.iter().map(|(name, value)| (name, value)))
            .env("KUBECONFIG", kubeconfig)
            .env("POD_NAMESPACE", NAMESPACE)
            .env("POD_NAME", identity)
            .env(MARK, bed.folder())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .map_err(|error| format!("{} cannot be run: {error}", program.display()))?;
        Ok(Self { process, port, log, started })
    }

    /// Fails, with the end of its log, if it has ended.
    pub fn check(&mut self) -> Result<()> {
        let Some(status) = self.process.try_wait()? else { return Ok(()) };
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let end = lines.len().saturating_sub(15);
        let tail = lines.get(end..).unwrap_or_default().join("\n");
        Err(format!("the operator has ended ({status}); its last words:\n{tail}").into())
    }

    /// Waits until its stores are filled; how long that took since its start.
    pub async fn ready(&mut self) -> Result<Duration> {
        self.until("the operator's stores to be filled", |operator| {
            operator.http("/readyz").is_some()
        })
        .await?;
        Ok(self.started.elapsed())
    }

    /// Waits until it holds its lease.
    pub async fn leads(&mut self) -> Result<()> {
        self.until("the operator to lead", |operator| {
            operator.metrics().sum("polder_leader_election_master_status", "") >= 1.0
        })
        .await
    }

    /// Waits until it has made `passes` passes over roots of a kind, and has nothing to do.
    pub async fn idle(&mut self, controller: &str, passes: f64) -> Result<()> {
        let label = format!("controller=\"{controller}\"");
        self.until("the operator to have looked at everything", |operator| {
            let metrics = operator.metrics();
            metrics.sum("polder_reconcile_total", &label) >= passes
                && metrics.sum("polder_workqueue_depth", "") == 0.0
                && metrics.sum("polder_active_workers", "") == 0.0
        })
        .await
    }

    async fn until(&mut self, what: &str, mut is_so: impl FnMut(&Self) -> bool) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(self) {
            self.check()?;
            if Instant::now() > deadline {
                return Err(format!("waited in vain for {what}").into());
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// What /metrics says now; nothing if it does not answer.
    pub fn metrics(&self) -> Metrics {
        Metrics(self.http("/metrics").unwrap_or_default())
    }

    fn http(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        // In 1.0 an answer comes in one piece.
        write!(stream, "GET {path} HTTP/1.0\r\nHost: polder\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        head.split(' ').nth(1).is_some_and(|code| code == "200").then(|| body.to_owned())
    }

    /// What it has cost so far.
    pub fn usage(&self) -> Result<Usage> {
        usage(self.process.id())
    }

    /// Established TCP connections of the process.
    pub fn connections(&self) -> Result<usize> {
        let folder = format!("/proc/{}/fd", self.process.id());
        let sockets = std::fs::read_dir(folder)?
            .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
            .filter(|target| target.to_string_lossy().starts_with("socket:"));
        // One of them is the listener of /metrics.
        Ok(sockets.count().saturating_sub(1))
    }

    /// Without warning.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// As Kubernetes stops a pod.
    pub async fn terminate(&mut self) -> Result<()> {
        let pid = self.process.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status()?;
        let deadline = Instant::now() + Duration::from_secs(40);
        loop {
            match self.process.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(_) => return self.check(),
                None if Instant::now() > deadline => {
                    return Err("the operator does not end when told to".into());
                }
                None => sleep(Duration::from_millis(10)).await,
            }
        }
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What /proc says of a process.
pub fn usage(pid: u32) -> Result<Usage> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = |name: &str| {
        status
            .lines()
            .find_map(|line| {
                line.strip_prefix(name)?.split_whitespace().next()?.parse::<f64>().ok()
            })
            .ok_or_else(|| format!("/proc/{pid}/status has no {name}"))
    };
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name, in parentheses, may itself hold spaces and parentheses.
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .map(|(_, rest)| rest.split_whitespace().collect())
        .unwrap_or_default();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok());
    let unread = || format!("/proc/{pid}/stat cannot be read");
    let cpu = ticks(11).zip(ticks(12)).ok_or_else(unread)?;
    let children = ticks(13).zip(ticks(14)).ok_or_else(unread)?;
    Ok(Usage {
        resident_kib: kib("VmRSS:")?,
        peak_kib: kib("VmHWM:")?,
        cpu_seconds: (cpu.0 + cpu.1) / TICKS,
        cpu_seconds_of_children: (children.0 + children.1) / TICKS,
    })
}

/// The text of /metrics.
pub struct Metrics(String);

impl Metrics {
    /// The sum of all series of a family that have a label, such as `controller="domain"`.
    pub fn sum(&self, family: &str, label: &str) -> f64 {
        self.0
            .lines()
            .filter_map(|line| line.strip_prefix(family))
            .filter(|rest| rest.starts_with(['{', ' ']) && rest.contains(label))
            .filter_map(|rest| rest.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }
}
