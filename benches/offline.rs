//! How long `polder lint` and `polder plan` take on many manifests, files and all:
//! `make bench-offline [ARGS="DOMAINS WORKLOADS"]`, by default 20 domains with 49 workloads
//! each, a file for every object. Prints the least, the median and the most of eleven runs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const RUNS: usize = 11;

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse().ok());
    let (domains, workloads) = (numbers.next().unwrap_or(20), numbers.next().unwrap_or(49));
    let folder = write(domains, workloads);
    println!("{} manifests, a file each", domains * (workloads + 1));
    for command in ["lint", "plan"] {
        let mut times: Vec<Duration> = (0..RUNS).map(|_| run(command, &folder)).collect();
        times.sort();
        let shown = [0, RUNS / 2, RUNS - 1].map(|at| times[at].as_secs_f64());
        println!("polder {command}: {:.3} / {:.3} / {:.3} s", shown[0], shown[1], shown[2]);
    }
}

fn run(command: &str, folder: &Path) -> Duration {
    let start = Instant::now();
    let mut polder = Command::new(beside("polder"));
    let status = polder
        .args([command, "-f"])
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(
        status.unwrap().success(),
        "polder {command} finds something wrong: {}",
        folder.display()
    );
    start.elapsed()
}

/// A file in the folder of this program, where the release binary is too.
fn beside(name: &str) -> PathBuf {
    std::env::current_exe().unwrap().with_file_name(name)
}

/// The quickstart's domain and workloads, again and again under other names.
fn write(domains: usize, workloads: usize) -> PathBuf {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/quickstart");
    let read = |file: &str| fs::read_to_string(examples.join(file)).unwrap();
    let domain = read("2-domain.yaml");
    let kinds = ["cluster", "endpoint", "load"].map(|it| read(&format!("3-workloads/{it}.yaml")));
    let folder = beside("offline-manifests");
    let _ = fs::remove_dir_all(&folder);
    for i in 0..domains {
        let (name, team) = (format!("domain{i}"), folder.join(format!("team{i}")));
        fs::create_dir_all(&team).unwrap();
        fs::write(
            team.join("domain.yaml"),
            domain.replace("name: weather", &format!("name: {name}")),
        )
        .unwrap();
        for j in 0..workloads {
            let named = kinds[j % kinds.len()].replacen(
                "metadata:\n  name: ",
                &format!("metadata:\n  namespace: {name}\n  name: w{j}-"),
                1,
            );
            fs::write(team.join(format!("{j}.yaml")), named).unwrap();
        }
    }
    folder
}
