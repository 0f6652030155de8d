//! The command line against containers that run.

use std::process::{Command, Stdio};

use crate::cluster::{DOMAIN, apply, kubectl, list, text, wait_ready, wait_reason};

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
