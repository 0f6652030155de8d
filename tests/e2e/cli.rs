//! The command line against containers that run.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{
    cluster::{DOMAIN, apply, get, kubectl, list, text, wait, wait_ready, wait_reason},
    records,
};

/// A BatchJob that runs a shell with this script.
fn job(name: &str, script: &str) -> String {
    format!(
        r#"
apiVersion: polder.dev/v1alpha1
kind: BatchJob
metadata: {{name: {name}}}
spec:
  container:
    image: localhost/polder-postgres:15
    command: [sh, -c, "{script}"]
    resources: {{cpu: 20m, cpuLimit: 500m, memory: 64Mi}}
"#
    )
}

/// `polder` in the domain, ready to start.
fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_polder"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a command printed; panics if it did not end so.
#[track_caller]
fn said(mut command: Command, code: i32) -> (String, String) {
    let output = command.output().unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{command:?}\n{out}{err}");
    (out, err)
}

/// Runs `polder COMMAND ... -n weather`, and returns what it printed.
#[track_caller]
fn polder(arguments: &[&str], code: i32) -> (String, String) {
    said(command(&[arguments, &["-n", DOMAIN]].concat()), code)
}

#[test]
fn logs_are_what_the_program_prints_and_following_ends_with_it() {
    apply(&job("talks", "for i in 1 2 3 4 5; do echo line $i; sleep 1; done"));
    // It has hardly been seen by then: following waits for the pod.
    let (out, _) = polder(&["logs", "talks", "--follow"], 0);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines, ["line 1", "line 2", "line 3", "line 4", "line 5"]);
    assert_eq!(polder(&["logs", "talks", "--tail", "1"], 0).0, "line 5\n");
    kubectl(&["delete", "batchjob", "talks", "-n", DOMAIN]);

    wait_ready("batchjob", "load");
    let (out, _) = polder(&["logs", "load"], 0);
    assert!(out.contains("rows written: 1461"), "{out}");
}

#[test]
fn the_log_of_an_earlier_life_is_there() {
    wait_ready("sparkcluster", "etl");
    let worker = "etl-worker-shuffle-0";
    let restarts = || {
        let pod = get("pod", worker)?;
        pod["status"]["containerStatuses"][0]["restartCount"].as_i64()
    };
    let (_, err) = polder(&["logs", "etl", "--role", "master", "--previous"], 2);
    assert!(err.contains("has been started again"), "{err}");
    let before = restarts().expect("the worker is there");
    kubectl(&["exec", "-n", DOMAIN, worker, "--", "sh", "-c", "kill 1"]);
    wait("the worker to be started again", || restarts().filter(|now| *now > before));
    // The other worker has had one life only.
    let (out, _) = polder(&["logs", "etl", "--role", "worker", "--previous"], 0);
    assert!(out.contains("Worker") && out.contains("RECEIVED SIGNAL TERM"), "{out}");
    wait_ready("sparkcluster", "etl");
}

#[test]
fn a_run_on_demand_ends_as_its_program_does() {
    apply(&job("again", "echo fine"));
    wait_ready("batchjob", "again");
    let (out, _) = polder(&["run", "again", "--wait"], 0);
    assert!(out.contains("-2 succeeded in"), "{out}");
    kubectl(&["delete", "batchjob", "again", "-n", DOMAIN]);

    apply(&job("breaks", "echo begins; echo the moon is full >&2; exit 3"));
    wait_reason("batchjob", "breaks", &["Failed"]);
    let (out, _) = polder(&["run", "breaks", "--wait"], 1);
    assert!(out.contains("Failed after") && out.contains("exit code 3"), "{out}");
    // Down to the last thing that it said.
    let (out, _) = polder(&["why", "breaks"], 1);
    assert!(out.contains("exit code 3") && out.contains("the moon is full"), "{out}");
    kubectl(&["delete", "batchjob", "breaks", "-n", DOMAIN]);
}

#[test]
fn an_endpoint_answers_queries_given_or_piped_in() {
    let python = std::env::var("POLDER_E2E_CLIENT")
        .expect("POLDER_E2E_CLIENT is not set: run these tests through `dev/test e2e`");
    wait_ready("sqlendpoint", "bi");
    let sql = ["sql", "bi", "-n", DOMAIN, "--client", "python", "--python", python.as_str()];
    let query = "SELECT weather, count(*) FROM lake.weather.daily GROUP BY weather";
    let (out, _) = said(command(&[&sql[..], &["-e", query]].concat()), 0);
    for row in records::by(|record| record.weather.clone()) {
        let mut values = row.split(',');
        let (weather, count) = (values.next().unwrap(), values.next().unwrap());
        let is_it = |line: &str| line.contains(weather) && line.contains(count);
        assert!(out.lines().any(is_it), "{weather} {count}: {out}");
    }
    let (_, err) = said(command(&[&sql[..], &["-e", "SELECT nonsense"]].concat()), 1);
    assert!(err.contains("UNRESOLVED_COLUMN") && !err.contains("Traceback"), "{err}");

    let piped = |script: &str, code: i32| {
        let mut child = command(&sql).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{out}{err}");
        out
    };
    let out = piped("SELECT 40 + 2 AS sum;\nSELECT 'last' AS word", 0);
    assert!(out.contains("42") && out.contains("last"), "{out}");
    // A script ends at its first mistake.
    let out = piped("SELECT nonsense;\nSELECT 'unreached' AS word;", 1);
    assert!(!out.contains("unreached"), "{out}");
}

/// A command that goes on, and ends with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_pages_of_spark_come_to_this_machine() {
    wait_ready("sqlendpoint", "bi");
    wait_ready("sparkcluster", "etl");
    for (object, path, words) in
        [("sql/bi", "/jobs/", "Spark Jobs"), ("spc/etl", "/", "Spark Master at")]
    {
        let mut running = Running(command(&["ui", object, "-n", DOMAIN]).spawn().unwrap());
        let mut line = String::new();
        let out = running.0.stdout.as_mut().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        let address = line.trim().split("http://").nth(1).unwrap_or_else(|| panic!("{line}"));
        let page = page(address, path);
        assert!(page.starts_with("HTTP/1.1 200") && page.contains(words), "{object}: {page}");
    }
}

/// A page, with its head.
fn page(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut page = Vec::new();
    stream.read_to_end(&mut page).unwrap();
    text(&page)
}

#[test]
fn what_is_used_is_not_known_without_metrics_server() {
    let (out, _) = said(command(&["top", DOMAIN]), 0);
    assert!(out.contains("there is no metrics-server"), "{out}");
    assert!(!out.contains("CPU USED") && out.contains(DOMAIN), "{out}");
}

#[test]
fn a_bundle_holds_the_operators_own_logs_and_no_password() {
    let folder = std::env::temp_dir().join(format!("polder-e2e-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("bundle.tar.gz");
    said(command(&["support-bundle", "-f", file.to_str().unwrap()]), 0);
    let tar = |arguments: &[&str]| {
        let output = Command::new("tar").args(arguments).arg(&file).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let (files, texts) = (tar(&["tzf"]), tar(&["xzOf"]));
    let selector = "app.kubernetes.io/name=polder";
    let pods = kubectl(&["get", "pods", "-n", "polder-system", "-l", selector, "-o", "name"]);
    assert!(!pods.is_empty());
    for pod in pods.lines().map(|pod| pod.trim_start_matches("pod/")) {
        for part in [".log", "-metrics.txt"] {
            assert!(files.contains(&format!("operator/{pod}{part}")), "{pod}{part}: {files}");
        }
    }
    assert!(texts.contains("\"reconcileID\"") && texts.contains("polder_reconcile_total"));
    // As it is, and as Secrets have it.
    for secret in ["quick-start-only", "cXVpY2stc3RhcnQtb25se"] {
        assert!(!texts.contains(secret), "{secret} is in the bundle");
    }
    assert!(!list("secrets", "").is_empty(), "there is something to hide");
    std::fs::remove_dir_all(folder).unwrap();
}
