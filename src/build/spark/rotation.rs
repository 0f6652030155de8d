//! What makes a process that serves notice a rotated Secret, without anybody else reading it.
//!
//! The kubelet brings a changed Secret into the pods that mount it, by moving the link `..data` of
//! the mount to a new folder; within about a minute, and only if a value did change
//! (<https://kubernetes.io/docs/tasks/inject-data-application/distribute-credentials-secure/>).
//! A process that started with the old value does not know: variables stay, and Spark has read its
//! properties. So a shell beside it compares the links with those at the start, and ends the process
//! in order once one has moved. The kubelet starts the container again, with what the Secret holds
//! now, in the same pod.

use k8s_openapi::api::core::v1::{
    KeyToPath, ProjectedVolumeSource, SecretProjection, Volume, VolumeMount, VolumeProjection,
};

use super::Runtime;
use crate::build::pods;

/// Where the Secrets behind variables appear, so that their change can be seen.
const ENV_DIR: &str = "/etc/polder/env";
const ENV_VOLUME: &str = "env-secrets";

/// Shell functions: `watch_secrets FOLDER...` goes on in the background, calls `turn` (which may
/// wait, and hand work on) when a Secret has changed, and ends the container's process.
/// Killing process 1 from within works for signals that it handles, as Java does with TERM.
pub const FUNCTIONS: &str = r#"links() { for folder in "$@"; do readlink "$folder/..data" || true; done; }
turn() { :; }
watch_secrets() {
  local before
  before=$(links "$@")
  (
    while sleep 10; do
      [ "$(links "$@")" = "$before" ] && continue
      turn || true
      echo 'SecretChanged: a Secret of this pod has changed; the container starts again with its new value' \
        | tee /dev/termination-log >&2 || true
      kill -TERM 1
      exit
    done
  ) &
}
"#;

/// What of a pod is to be watched.
#[derive(Debug, Default)]
pub struct Watched {
    /// Folders with Secrets.
    pub folders: Vec<String>,
    /// A volume with the Secrets behind variables, and where it appears.
    pub env: Option<(Volume, VolumeMount)>,
}

impl Watched {
    /// The Secrets that a workload's processes mount or have in variables.
    pub fn of(runtime: &Runtime) -> Self {
        let is_secret = |volume: &Volume| volume.secret.is_some() || volume.csi.is_some();
        let mut folders: Vec<String> = runtime
            .volumes
            .iter()
            .filter(|(volume, _)| is_secret(volume))
            .map(|(_, mount)| mount.mount_path.clone())
            .collect();
        let env = env_volume(runtime);
        folders.extend(env.is_some().then(|| ENV_DIR.to_owned()));
        Self { folders, env }
    }

    /// The line that begins to watch; empty if there is nothing to watch.
    pub fn line(&self) -> String {
        if self.folders.is_empty() {
            return String::new();
        }
        let folders: Vec<String> = self.folders.iter().map(|folder| quote(folder)).collect();
        format!("watch_secrets {}\n", folders.join(" "))
    }
}

/// Only the keys that variables use: another key of the Secret restarts nothing. A Secret that is
/// not there is left to the variable, whose error names it.
fn env_volume(runtime: &Runtime) -> Option<(Volume, VolumeMount)> {
    let sources: Vec<VolumeProjection> = runtime
        .env
        .iter()
        .filter_map(|variable| {
            let selector = variable.value_from.as_ref()?.secret_key_ref.as_ref()?;
            Some(VolumeProjection {
                secret: Some(SecretProjection {
                    name: selector.name.clone(),
                    items: Some(vec![KeyToPath {
                        key: selector.key.clone(),
                        path: variable.name.clone(),
                        mode: None,
                    }]),
                    optional: Some(true),
                }),
                ..Default::default()
            })
        })
        .collect();
    if sources.is_empty() {
        return None;
    }
    let volume = Volume {
        name: ENV_VOLUME.to_owned(),
        projected: Some(ProjectedVolumeSource {
            sources: Some(sources),
            default_mode: Some(0o440),
        }),
        ..Default::default()
    };
    let mount = VolumeMount { read_only: Some(true), ..pods::mount_at(ENV_VOLUME, ENV_DIR) };
    Some((volume, mount))
}

/// A word of a shell script.
pub fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::symlink,
        process::{Command, Stdio},
        time::{Duration, Instant},
    };

    use super::{FUNCTIONS, Watched, quote};

    #[test]
    fn words_stay_words() {
        assert_eq!(quote("a'b $(c)"), r"'a'\''b $(c)'");
    }

    #[test]
    fn nothing_to_watch_is_no_line() {
        assert_eq!(Watched::default().line(), "");
    }

    /// The script as a shell runs it; only the process that it ends is another.
    #[test]
    fn a_process_ends_once_a_link_has_moved() {
        let folder = std::env::temp_dir().join(format!("polder-rotation-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        symlink("..1", folder.join("..data")).unwrap();
        let script = FUNCTIONS
            .replace("sleep 10", "sleep 0.1")
            .replace("/dev/termination-log", "\"$0/said\"")
            .replace("kill -TERM 1", "kill -TERM \"$$\"");
        let script = format!("{script}\nwatch_secrets \"$0\"\ntouch \"$0/started\"\nexec sleep 60");
        let mut process = Command::new("bash")
            .arg("-c")
            .arg(&script)
            .arg(&folder)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        let wait = |is_so: &mut dyn FnMut() -> bool| {
            while !is_so() {
                assert!(Instant::now() < deadline, "{script}");
                std::thread::sleep(Duration::from_millis(20));
            }
        };
        wait(&mut || folder.join("started").exists());
        // As the kubelet does: one rename, at no moment without a link.
        symlink("..2", folder.join("..data_tmp")).unwrap();
        fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
        let mut status = None;
        wait(&mut || {
            status = process.try_wait().unwrap();
            status.is_some()
        });
        assert!(!status.unwrap().success());
        assert!(fs::read_to_string(folder.join("said")).unwrap().starts_with("SecretChanged: "));
        fs::remove_dir_all(&folder).unwrap();
    }
}
