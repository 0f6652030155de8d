//! Configuration of the daemons, and the scripts of their probes.

use k8s_openapi::api::core::v1::ConfigMap;

use crate::{
    build::{
        names,
        spark::{Conf, conf, logs, rotation},
    },
    kinds::spark_cluster::plan::Context,
};

/// Where the ConfigMap appears.
pub(in super::super) const DIR: &str = "/etc/polder/config";
/// The script that daemons start with, if they watch Secrets.
pub(super) const START: &str = "start.sh";

/// What `/json/` of a daemon says; bash alone, as images have no curl. A host that does not answer
/// must not take the time of the whole probe.
const HTTP: &str = r#"json() {
  timeout 4 bash -c 'exec 3<>"/dev/tcp/$0/$1" &&
    printf "GET /json/ HTTP/1.0\r\nHost: %s\r\n\r\n" "$0" >&3 && cat <&3' "$1" "$2"
}
listed() { # by the master, in one of the given states
  awk -v host="$WORKER_HOST" -v states="$1" '
    /"host" *:/ { here = index($0, "\"" host "\"") > 0 }
    /"state" *:/ { if (here && $0 ~ "\"(" states ")\"") found = 1 }
    END { exit !found }'
}
"#;

/// Ready when the master serves: not in standby, not recovering.
const MASTER_READY: &str = r#"json 127.0.0.1 8080 | grep -Eq '^ *"status" *: *"ALIVE"'
"#;

/// Ready when the master lists this worker as alive: the worker's own pages answer even when it
/// is not registered, or is being decommissioned.
const WORKER_READY: &str = r#"json "$MASTER_HOST" 8080 2>/dev/null | listed ALIVE
"#;

/// Alive when its own pages answer, and a master that is alive knows it. A worker that comes up
/// while the master recovers its predecessor of the same name takes itself for registered and is
/// ignored for ever: only a new start helps. While the master is away, nobody is to blame.
const WORKER_LIVE: &str = r#"json 127.0.0.1 8081 >/dev/null || exit 1
master=$(json "$MASTER_HOST" 8080 2>/dev/null) || exit 0
grep -Eq '^ *"status" *: *"ALIVE"' <<<"$master" || exit 0
listed 'ALIVE|DECOMMISSIONED' <<<"$master"
"#;

/// Hands the worker's shuffle data on before it goes, as far as its grace period allows.
/// Source: <https://spark.apache.org/docs/latest/job-scheduling.html#decommission>
const WORKER_STOP: &str = r#"kill -s PWR 1
for _ in $(seq 1 100); do
  json 127.0.0.1 8081 | tr -d ' \n\r' | grep -q '"executors":\[\]' && exit 0
  sleep 1
done
"#;

/// A worker waits for its turn, a minute after the one before it in its pool, and until the master
/// lists as many workers as at first; then it hands its shuffle data on. The master goes at once: it
/// takes up its state where it was.
const TURN: &str = r#"alive() { json "$MASTER_HOST" 8080 2>/dev/null | grep -c '"state" *: *"ALIVE"'; }
turn() {
  [ -n "${WORKER_HOST:-}" ] || return 0
  local all=0
  for _ in $(seq 1 12); do
    sleep 5
    all=$(alive)
    [ "$all" -gt 0 ] && break
  done
  sleep $(( ${POD_NAME##*-} * 60 ))
  for _ in $(seq 1 60); do
    [ "$(alive)" -ge "$all" ] && break
    sleep 5
  done
  bash /etc/polder/config/worker-stop.sh
}
"#;

pub(in super::super) fn name(cluster: &str) -> String {
    names::child(cluster, "config", names::LABEL_LIMIT)
}

pub(in super::super) fn config_map(context: &Context<'_>) -> ConfigMap {
    let script = |body: &str| format!("set -uo pipefail\n{HTTP}{body}");
    let start = format!(
        "set -uo pipefail\n{HTTP}{}{TURN}{}exec \"$@\"\n",
        rotation::FUNCTIONS,
        context.watched.line()
    );
    let is_watching = !context.watched.folders.is_empty();
    let data = [
        ("spark-defaults.conf", conf::render(&daemon_conf(context))),
        (logs::LOG4J2_KEY, logs::log4j2(&context.resolved.runtime.logs, context.identity)),
        ("master-ready.sh", script(MASTER_READY)),
        ("worker-ready.sh", script(WORKER_READY)),
        ("worker-live.sh", script(WORKER_LIVE)),
        ("worker-stop.sh", script(WORKER_STOP)),
    ];
    ConfigMap {
        metadata: context.identity.meta(&name(context.cluster), "config"),
        data: Some(
            data.into_iter()
                .chain(is_watching.then_some((START, start)))
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
        ),
        ..Default::default()
    }
}

/// Hash of all that a daemon reads only when it starts.
pub(in super::super) fn hash(config: &ConfigMap) -> String {
    let data = config.data.as_ref().map(logs::read_at_start).unwrap_or_default();
    let text =
        data.iter().fold(String::new(), |text, (key, value)| text + key + "\n" + value + "\n");
    names::short_hash(&text, 16)
}

fn daemon_conf(context: &Context<'_>) -> Conf {
    let mut all = context.resolved.runtime.conf.clone();
    all.extend(conf::conf([
        ("spark.authenticate", "true".to_owned()),
        ("spark.network.crypto.enabled", "true".to_owned()),
        ("spark.master.rest.enabled", "false".to_owned()),
        ("spark.deploy.recoveryMode", "FILESYSTEM".to_owned()),
        ("spark.deploy.recoveryDirectory", "/data/recovery".to_owned()),
        // Workers that live answer at once; those of before a suspend never will.
        ("spark.deploy.recoveryTimeout", "15s".to_owned()),
        ("spark.shuffle.service.enabled", "true".to_owned()),
        ("spark.shuffle.service.port", "7337".to_owned()),
        ("spark.worker.cleanup.enabled", "true".to_owned()),
    ]));
    all.extend(logs::rolling_conf(&context.resolved.runtime.logs));
    all
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use rstest::rstest;

    use super::TURN;

    /// The turn as a shell takes it, with a master that lists so many workers at each question.
    #[rstest]
    #[case::first("etl-worker-a-0", "2 2 2", "sleep 5, sleep 0, stop")]
    #[case::third("etl-worker-a-2", "3 3 3", "sleep 5, sleep 120, stop")]
    #[case::another_is_away(
        "etl-worker-a-1",
        "2 1 1 2",
        "sleep 5, sleep 60, sleep 5, sleep 5, stop"
    )]
    #[case::the_master_starts_too(
        "etl-worker-a-0",
        "0 0 2 2",
        "sleep 5, sleep 5, sleep 5, sleep 0, stop"
    )]
    fn workers_take_turns(#[case] pod: &str, #[case] listed: &str, #[case] expected: &str) {
        assert_eq!(turn(&[("POD_NAME", pod), ("WORKER_HOST", "w")], listed), expected);
    }

    #[test]
    fn the_master_waits_for_nobody() {
        assert_eq!(turn(&[("POD_NAME", "etl-master-0")], "2"), "");
    }

    fn turn(environment: &[(&str, &str)], listed: &str) -> String {
        // Each question is a process of its own: what is left to say is kept in a file.
        let script = format!(
            r#"set -uo pipefail
            {TURN}
            answers=$(mktemp)
            tr ' ' '\n' <<<'{listed}' >"$answers"
            json() {{
              local count
              count=$(head -n 1 "$answers")
              sed -i 1d "$answers"
              for _ in $(seq 1 "$count"); do echo '  "state" : "ALIVE",'; done
            }}
            sleep() {{ echo "sleep $1"; }}
            bash() {{ echo stop; }}
            MASTER_HOST=m
            turn
            rm "$answers""#
        );
        let output = Command::new("bash")
            .args(["-c", &script])
            .env_remove("WORKER_HOST")
            .envs(environment.iter().copied())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        said.lines().collect::<Vec<_>>().join(", ")
    }
}
