//! A release with its operator, and what it leaves.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{
    helm::{Said, say},
    operator::Operator,
    process::{Installation, NAMESPACE, run},
};

/// One version of Polder.
pub struct Version {
    pub program: PathBuf,
    pub chart: String,
}

impl Version {
    /// What is tested.
    pub fn this() -> Self {
        Self { program: env!("CARGO_BIN_EXE_polder").into(), chart: crate::helm::CHART.to_owned() }
    }

    /// The release before, as `dev/previous` builds it.
    pub fn previous() -> Self {
        let folder = std::env::var("POLDER_PREVIOUS").expect("run through `dev/test chart`");
        let folder = Path::new(&folder);
        let chart = folder.join("charts/polder").display().to_string();
        Self { program: folder.join("polder"), chart }
    }

    /// The operator of the installed release, as its Deployment says, ready.
    pub async fn operator(&self) -> Running {
        let running = self.start();
        running.operator.ready().await;
        running
    }

    /// The same, however it fares.
    pub fn start(&self) -> Running {
        let get = ["get", "deployment", "polder", "-n", NAMESPACE, "-o", "json"];
        let deployment: Value = serde_json::from_str(&run("kubectl", &get, "")).unwrap();
        let installation = Installation::new(self.program.clone(), &deployment);
        let operator = Operator::start(&installation, "outside");
        Running { operator, installation }
    }
}

/// The operator of the installed release.
pub struct Running {
    pub operator: Operator,
    installation: Installation,
}

impl Running {
    /// Waits until it has looked at every workload, and has nothing left to do.
    pub async fn idle(&self) {
        self.operator.idle(&["domain", "spark-cluster", "sql-endpoint", "batch-job"]).await;
    }

    /// As Kubernetes stops a pod.
    pub fn stop(mut self) {
        let is_well = self.operator.terminate();
        assert!(is_well, "the operator did not end in order; {}", self.operator.tail(""));
    }

    /// Runs its program with other arguments, as its account.
    pub fn say(&self, arguments: &[String]) -> Said {
        let mut command = Command::new(&self.installation.program);
        command.args(arguments).env("KUBECONFIG", &self.installation.kubeconfig);
        command.output().unwrap().into()
    }
}

/// What plays the kubelet of simulated nodes may write the status of pods.
const KWOK: &str = "admissionPolicies.exempt.users={system:apiserver,system:kube-controller-manager,\
                    system:kube-scheduler,system:dev:kwok}";

/// Installs or upgrades, and waits until the (simulated) pods are ready.
pub fn upgrade(helm: &str, chart: &str) -> String {
    upgrade_with(helm, chart, &[])
}

/// The same with more arguments.
pub fn upgrade_with(helm: &str, chart: &str, more: &[&str]) -> String {
    let arguments =
        ["upgrade", "--install", "polder", chart, "-n", NAMESPACE, "--create-namespace", "--wait"];
    say(helm, &[&arguments[..], &["--timeout", "2m", "--set", KWOK], more].concat()).well()
}

/// Takes a release away with all that it leaves.
pub fn remove(helm: &str) {
    say(helm, &["uninstall", "polder", "-n", NAMESPACE, "--wait"]).well();
    let label = ["-l", "app.kubernetes.io/part-of=polder"];
    run("kubectl", &[&["delete", "crd,clusterrole"][..], &label].concat(), "");
}
