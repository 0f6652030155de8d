//! Another operator on the same control plane: how to run it is said in a file.

use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde::Deserialize;
use serde_json::Value;
use tokio::time::sleep;

use crate::{
    audit::Counts,
    bed::Bed,
    error::Result,
    load::{all, domain_name, send},
    operator::usage,
    report::{Report, Row},
    statistics::number,
};

/// Longest time in which nothing becomes ready.
const PATIENCE: Duration = Duration::from_mins(5);

/// How to run it, and what to give it. Paths are relative to the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Rival {
    /// The program.
    program: PathBuf,
    /// Its arguments.
    #[serde(default)]
    arguments: Vec<String>,
    /// More environment variables. KUBECONFIG is set.
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// Manifests to apply before: CRDs, configuration.
    #[serde(default)]
    install: Vec<PathBuf>,
    /// What to create N times, one after the other for each of the N.
    objects: Vec<Piece>,
    /// JSON pointer into the first object.
    ready: String,
    /// What is there when all is ready.
    is: Value,
    /// Start of its user agent.
    agent: String,
    /// What its objects stand against: how many of them are created follows from that.
    #[serde(default)]
    against: Against,
    #[serde(skip)]
    folder: PathBuf,
}

/// A scenario that another operator can be measured in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Against {
    #[default]
    Domains,
    Jobs,
}

impl fmt::Display for Against {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Domains => "domains",
            Self::Jobs => "jobs",
        })
    }
}

/// One object to create. NAME stands for the name of the one of N, UID for the uid that the first
/// object got.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Piece {
    /// URL of its collection.
    collection: String,
    object: Value,
}

/// Reads the files, all of them before anything is started.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Rival>> {
    let one = |path: &PathBuf| {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("--rival {}: {error}", path.display()))?;
        let mut rival: Rival = serde_yaml::from_str(&text)
            .map_err(|error| format!("--rival {}: {error}", path.display()))?;
        if rival.objects.is_empty() {
            return Err(format!("--rival {}: objects is empty", path.display()).into());
        }
        rival.folder = path.parent().unwrap_or(Path::new(".")).canonicalize()?;
        rival.program = rival.folder.join(&rival.program);
        if !rival.program.is_file() {
            return Err(format!(
                "--rival {}: there is no program at {}; it is not part of this repository",
                path.display(),
                rival.program.display()
            )
            .into());
        }
        Ok(rival)
    };
    paths.iter().map(one).collect()
}

/// Those that are measured in a scenario, one after the other.
pub async fn run_against(
    bed: &Bed,
    rivals: &[Rival],
    against: Against,
    n: usize,
    report: &mut Report,
) -> Result<()> {
    for rival in rivals.iter().filter(|rival| rival.against == against) {
        run(bed, rival, n, report).await?;
    }
    Ok(())
}

/// That each of them stands against something that is measured.
pub fn check(rivals: &[Rival], measured: impl Fn(Against) -> bool) -> Result<()> {
    match rivals.iter().find(|rival| !measured(rival.against)) {
        Some(Rival { against, program, .. }) => Err(format!(
            "{} would not be measured: it stands against {against}, which --scenario does not ask for",
            program.display()
        )
        .into()),
        None => Ok(()),
    }
}

/// N objects from nothing to ready.
async fn run(bed: &Bed, rival: &Rival, n: usize, report: &mut Report) -> Result<()> {
    for manifest in &rival.install {
        let path = rival.folder.join(manifest).display().to_string();
        bed.program("kubectl", &["apply", "--server-side", "-f", &path], "")?;
    }
    let established = ["wait", "--for=condition=Established", "crds", "--all", "--timeout=1m"];
    bed.program("kubectl", &established, "")?;
    let mut process = start(bed, rival)?;
    let names: Vec<String> = (0..n).map(|i| domain_name("rival", i)).collect();
    bed.audit.mark()?;
    let started = Instant::now();
    let created = create(bed, rival, &names).await;
    let waited = match created {
        Ok(()) => wait(bed, rival, &names).await,
        Err(error) => Err(error),
    };
    let seconds = started.elapsed().as_secs_f64();
    let used = usage(process.id());
    process.kill()?;
    process.wait()?;
    waited?;
    let requests = bed.audit.requests()?;
    let counts = Counts::of(requests.iter().filter(|r| r.agent.starts_with(&rival.agent)));
    let used = used?;
    report.add(
        Row::new("rival", n)
            .with("seconds", seconds)
            .with("writes_per_object", number(counts.writes) / number(n))
            .with("reads_per_object", number(counts.reads + counts.lists) / number(n))
            .with("resident_kib", used.resident_kib)
            .with("peak_kib", used.peak_kib)
            .with("cpu_seconds", used.cpu_seconds)
            .with("cpu_seconds_of_its_children", used.cpu_seconds_of_children)
            .asked(&counts),
    );
    Ok(())
}

fn start(bed: &Bed, rival: &Rival) -> Result<Child> {
    let log = File::create(bed.folder().join("logs/rival.log"))?;
    Ok(Command::new(&rival.program)
        .args(&rival.arguments)
        .envs(&rival.environment)
        .env("KUBECONFIG", bed.folder().join("kubeconfig"))
        .env("POLDER_DEV_CLUSTER", bed.folder())
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .map_err(|error| format!("{} cannot be run: {error}", rival.program.display()))?)
}

async fn create(bed: &Bed, rival: &Rival, names: &[String]) -> Result<()> {
    all(names.iter().map(|name| create_one(bed, rival, name))).await.map(drop)
}

async fn create_one(bed: &Bed, rival: &Rival, name: &str) -> Result<()> {
    let mut uid = None;
    for Piece { collection, object } in &rival.objects {
        let text = object.to_string().replace("NAME", name);
        let text = text.replace("UID", uid.as_deref().unwrap_or("UID"));
        let object: Value = serde_json::from_str(&text)?;
        let path = collection.replace("NAME", name);
        let created = send(&bed.client, "POST", &path, Some(&object)).await?;
        uid = uid.or_else(|| created["metadata"]["uid"].as_str().map(str::to_owned));
    }
    Ok(())
}

async fn wait(bed: &Bed, rival: &Rival, names: &[String]) -> Result<()> {
    let mut best = (0, Instant::now());
    let collection =
        rival.objects.first().map(|piece| piece.collection.as_str()).unwrap_or_default();
    loop {
        let list = send(&bed.client, "GET", collection, None).await?;
        let items = list["items"].as_array().cloned().unwrap_or_default();
        let is_ready = |item: &&Value| item.pointer(&rival.ready) == Some(&rival.is);
        let ready = items.iter().filter(is_ready).count();
        if ready >= names.len() {
            return Ok(());
        }
        if ready > best.0 {
            best = (ready, Instant::now());
        } else if best.1.elapsed() > PATIENCE {
            return Err(
                format!("the other operator: only {ready} of {} are ready", names.len()).into()
            );
        }
        sleep(Duration::from_millis(100)).await;
    }
}
