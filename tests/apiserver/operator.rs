//! The operator's process.

use std::{
    fs::File,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Map, Value};

use crate::{
    cluster::eventually,
    process::{Installation, NAMESPACE, run},
};

/// A running operator.
pub struct Operator {
    process: Child,
    /// Ends the operator if this process ends without doing so.
    watchdog: Child,
    pub port: u16,
    pub admin_port: u16,
    log: PathBuf,
}

impl Operator {
    /// Starts one with the chart's arguments; `identity` is the name of its pod.
    pub fn start(installation: &Installation, identity: &str) -> Self {
        Self::start_with(installation, identity, &[])
    }

    /// The same with more arguments.
    pub fn start_with(installation: &Installation, identity: &str, more: &[String]) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let log = installation.folder.join(format!("operator-{number}-{identity}.log"));
        let (port, admin_port) = (free_port(), free_port());
        let output = File::create(&log).unwrap();
        let process = Command::new(&installation.program)
            .args(&installation.arguments)
            .args(more)
            .arg(format!("--http-address=127.0.0.1:{port}"))
            .arg("--log-format=json")
            .args(installation.has_admin.then(|| format!("--admin-address=127.0.0.1:{admin_port}")))
            .env("KUBECONFIG", &installation.kubeconfig)
            .env("POD_NAMESPACE", NAMESPACE)
            .env("POD_NAME", identity)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let watchdog = Command::new("sh")
            .args(["-c", "cat >/dev/null; kill -9 $0 2>/dev/null", &process.id().to_string()])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        Self { process, watchdog, port, admin_port, log }
    }

    pub fn runs(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    /// Without warning.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// As Kubernetes stops a pod; whether it ended well and in time.
    pub fn terminate(&mut self) -> bool {
        run("kill", &["-TERM", &self.process.id().to_string()], "");
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            match self.process.try_wait().unwrap() {
                Some(status) => return status.success(),
                None if Instant::now() > deadline => return false,
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// The lines of its log that contain a text.
    pub fn log(&self, about: &str) -> Vec<String> {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        text.lines().filter(|line| line.contains(about)).map(str::to_owned).collect()
    }

    /// The end of its log.
    pub fn tail(&self, about: &str) -> String {
        let lines = self.log(about);
        let start = lines.len().saturating_sub(40);
        let lines: Vec<String> = lines[start..].iter().map(|line| readable(line)).collect();
        format!("{} ends with\n{}", self.log.display(), lines.join("\n"))
    }

    /// What it answers; `None` if it does not, or not with 200.
    pub fn http(&self, path: &str) -> Option<String> {
        get(self.port, path)
    }

    /// A metric with all of its labels, such as `polder_leader{name="polder"}`.
    pub fn metric(&self, series: &str) -> Option<f64> {
        metric(&self.http("/metrics")?, series)
    }

    /// Waits until its stores are filled.
    pub async fn ready(&self) {
        let ready = eventually(Duration::from_mins(1), async || self.http("/readyz")).await;
        assert!(ready.is_some(), "the operator is not ready; {}", self.tail(""));
    }

    /// Waits until it has looked at every root, and has nothing left to do.
    pub async fn idle(&self, controllers: &[&str]) {
        self.ready().await;
        let idle = eventually(Duration::from_mins(1), async || {
            let metrics = self.http("/metrics")?;
            controllers
                .iter()
                .all(|name| {
                    let of = |family: &str, labels: &str| {
                        metric(
                            &metrics,
                            &format!("polder_{family}{{controller=\"{name}\"{labels}}}"),
                        )
                        .unwrap_or(0.0)
                    };
                    of("reconcile_total", ",result=\"success\"")
                        + of("reconcile_total", ",result=\"requeue_after\"")
                        > 0.0
                        && of("workqueue_depth", "") == 0.0
                        && of("active_workers", "") == 0.0
                })
                .then_some(())
        });
        assert!(idle.await.is_some(), "the operator is not idle; {}", self.tail(""));
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port that nobody listens at now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What a local server answers; `None` if it does not, or not with 200.
pub fn get(port: u16, path: &str) -> Option<String> {
    let (code, body) = ask(port, "GET", path, &[], "")?;
    (code == 200).then_some(body)
}

/// Code and body of an answer; `None` if there is none.
pub fn ask(
    port: u16,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Option<(u16, String)> {
    let headers: Vec<String> =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let (headers, length) = (headers.concat(), body.len());
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    // In 1.0 an answer comes in one piece.
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: localhost:{port}\r\nConnection: close\r\n\
         Content-Length: {length}\r\n{headers}\r\n{body}"
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

/// A line of the log for people: level, whose it is, and what it says.
fn readable(line: &str) -> String {
    let Ok(fields) = serde_json::from_str::<Map<String, Value>>(line) else {
        return line.to_owned();
    };
    let first = ["timestamp", "level", "object", "message"];
    let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
    let head = first.iter().filter_map(|name| fields.get(*name)).map(text);
    let hidden = ["controller", "namespace", "name", "reconcileID", "target"];
    let rest = fields
        .iter()
        .filter(|(name, _)| !first.contains(&name.as_str()) && !hidden.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}={}", text(value)));
    head.chain(rest).collect::<Vec<_>>().join(" ")
}

/// The value of a series in the text of `/metrics`.
pub fn metric(metrics: &str, series: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
}
