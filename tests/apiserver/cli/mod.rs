//! The commands for people, on a real API server.

mod act;
mod complete;
mod look;
mod usage;

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::LazyLock,
};

use serde_json::{Value, json};

use crate::install::{installation, run};

/// What a command printed, and how it ended.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code().unwrap_or(-1),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    /// Ended so; returns what it printed.
    pub fn ended(&self, code: i32) -> &str {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        &self.out
    }

    pub fn json(&self, code: i32) -> Value {
        serde_json::from_str(self.ended(code)).unwrap()
    }

    /// Could not run: one line says why.
    pub fn refused(&self) -> &str {
        assert_eq!(
            (self.code, self.out.as_str(), self.err.lines().count()),
            (2, "", 1),
            "{}",
            self.err
        );
        &self.err
    }
}

/// Runs `polder` as the administrator.
pub fn polder(arguments: &[&str]) -> Said {
    let kubeconfig = std::env::var("KUBECONFIG").unwrap();
    polder_with(Path::new(&kubeconfig), arguments)
}

/// Runs `polder` with a kubeconfig.
pub fn polder_with(kubeconfig: &Path, arguments: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_polder"))
        .args(arguments)
        .env("KUBECONFIG", kubeconfig)
        .env_remove("KUBERNETES_SERVICE_HOST")
        .output()
        .unwrap();
    Said::of(&output)
}

/// PATH with this program in all its names.
pub fn path_with_plugins() -> &'static str {
    static FOLDER: LazyLock<String> = LazyLock::new(|| {
        let folder = std::env::temp_dir().join(format!("polder-plugins-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for name in ["polder", "kubectl-polder", "kubectl_complete-polder"] {
            symlink(env!("CARGO_BIN_EXE_polder"), folder.join(name)).unwrap();
        }
        format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
    });
    &FOLDER
}

/// The administrator's kubeconfig, acting as somebody in a group.
pub async fn member(group: &str) -> PathBuf {
    let view = ["config", "view", "--minify", "--raw", "-o", "json"];
    let mut config: Value = serde_json::from_str(&run("kubectl", &view, "")).unwrap();
    config["users"][0]["user"]["as"] = json!("somebody");
    config["users"][0]["user"]["as-groups"] = json!([group, "system:authenticated"]);
    let path = installation().await.folder.join(format!("kubeconfig-of-{group}"));
    fs::write(&path, config.to_string()).unwrap();
    path
}
