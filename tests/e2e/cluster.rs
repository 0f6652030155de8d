//! The cluster under test, through the programs that people use.

use std::{
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

/// The domain of the quickstart.
pub const DOMAIN: &str = "weather";

/// Longest wait for anything: Spark starts slowly on a loaded machine.
const PATIENCE: Duration = Duration::from_mins(7);

/// Runs kubectl and returns what it printed; panics with everything a person needs.
pub fn kubectl(arguments: &[&str]) -> String {
    let output = try_kubectl(arguments, None);
    assert!(
        output.status.success(),
        "kubectl {}: {}{}",
        arguments.join(" "),
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// Runs kubectl with something on its standard input, whatever comes of it.
pub fn try_kubectl(arguments: &[&str], input: Option<&str>) -> Output {
    use std::io::Write;
    assert!(
        std::env::var_os("KUBECONFIG").is_some(),
        "KUBECONFIG is not set: run these tests through `dev/test e2e`"
    );
    let mut child = Command::new("kubectl")
        .args(arguments)
        .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kubectl is in PATH: run these tests through `dev/test e2e`");
    if let Some(input) = input {
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    }
    child.wait_with_output().unwrap()
}

/// Applies YAML in the domain's namespace.
pub fn apply(yaml: &str) {
    apply_in(DOMAIN, yaml);
}

/// Applies YAML in a namespace.
pub fn apply_in(namespace: &str, yaml: &str) {
    let apply = ["apply", "-n", namespace, "--server-side", "--validate=strict", "-f", "-"];
    let output = try_kubectl(&apply, Some(yaml));
    assert!(output.status.success(), "{yaml}\n{}", text(&output.stderr));
}

/// An object of the domain's namespace; `None` if there is none.
pub fn get(kind: &str, name: &str) -> Option<Value> {
    get_in(DOMAIN, kind, name)
}

/// An object of a namespace; `None` if there is none.
pub fn get_in(namespace: &str, kind: &str, name: &str) -> Option<Value> {
    let output = try_kubectl(&["get", kind, name, "-n", namespace, "-o", "json"], None);
    output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap())
}

/// Objects of the domain's namespace with a label.
pub fn list(kind: &str, selector: &str) -> Vec<Value> {
    let json = kubectl(&["get", kind, "-n", DOMAIN, "-l", selector, "-o", "json"]);
    let list: Value = serde_json::from_str(&json).unwrap();
    list["items"].as_array().unwrap().clone()
}

/// Waits until something is there; when it does not come, panics with the state of the domain.
pub fn wait<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}\n{}", diagnosis());
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Waits until the Ready condition of an object has one of these reasons, at its newest
/// generation, and returns the object.
pub fn wait_reason(kind: &str, name: &str, reasons: &[&str]) -> Value {
    wait(&format!("{kind} {name} to be {}", reasons.join(" or ")), || {
        let object = get(kind, name)?;
        let is_current = object["status"]["observedGeneration"] == object["metadata"]["generation"];
        let reason = ready(&object)["reason"].as_str()?.to_owned();
        (is_current && reasons.contains(&reason.as_str())).then_some(object)
    })
}

/// Waits until an object is Ready at its newest generation.
pub fn wait_ready(kind: &str, name: &str) -> Value {
    wait(&format!("{kind} {name} to be ready"), || {
        let object = get(kind, name)?;
        let is_current = object["status"]["observedGeneration"] == object["metadata"]["generation"];
        (is_current && ready(&object)["status"] == "True").then_some(object)
    })
}

/// The Ready condition of an object; null if it has none.
pub fn ready(object: &Value) -> Value {
    let conditions = object["status"]["conditions"].as_array();
    conditions
        .and_then(|all| all.iter().find(|condition| condition["type"] == "Ready"))
        .cloned()
        .unwrap_or_default()
}

/// Rows of a query through JDBC, values separated by commas.
pub fn beeline(query: &str) -> Vec<String> {
    let printed = kubectl(&[
        "exec",
        "-n",
        DOMAIN,
        "bi-sql-0",
        "--",
        "env",
        "SPARK_BEELINE_OPTS=-Duser.home=/tmp",
        "/opt/spark/bin/beeline",
        "-u",
        "jdbc:hive2://bi-sql.weather.svc:10000",
        "--silent=true",
        "--outputformat=csv2",
        "--showHeader=false",
        "-e",
        query,
    ]);
    // Without a terminal, beeline puts its prompt before the first row.
    let rows = printed.lines().map(|line| line.rsplit("10000> ").next().unwrap_or(line).trim());
    rows.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The state of the domain, for a failed test.
fn diagnosis() -> String {
    let commands: [&[&str]; 4] = [
        &["get", "polder", "-A", "-o", "wide"],
        &["get", "pods,pvc,jobs", "-n", DOMAIN, "-o", "wide"],
        &["get", "events", "-n", DOMAIN, "--sort-by=.lastTimestamp"],
        &["logs", "-n", "polder-system", "-l", "app.kubernetes.io/name=polder", "--tail=60"],
    ];
    let parts = commands.map(|command| {
        let output = try_kubectl(command, None);
        let (printed, errors) = (text(&output.stdout), text(&output.stderr));
        format!("$ kubectl {}\n{printed}{errors}", command.join(" "))
    });
    parts.join("\n")
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
