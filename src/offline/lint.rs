//! All that is wrong with a set of manifests.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    cel::Twice,
    finding::{Finding, Name},
    manifest::{Input, Manifest},
    schema::{Schemas, near},
    world::{self, World},
};
use crate::operator::Installation;

/// What a look at a set of manifests brought.
#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    /// All that is wrong, in the order of files.
    pub findings: Vec<Finding>,
    /// How much was looked at.
    pub summary: Summary,
}

/// How much was looked at.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Files.
    pub files: usize,
    /// Objects of Polder.
    pub objects: usize,
    /// Other documents, which were passed over.
    pub passed_over: usize,
    /// Workloads whose Domain is not among the files: its policy was not applied to them.
    pub without_domain: usize,
}

/// Why nothing could be judged: bugs.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No rules.
    #[error(transparent)]
    Rules(#[from] Twice),
    /// No world.
    #[error(transparent)]
    World(#[from] world::Error),
}

/// A set of manifests in which everything has its place.
pub struct Set {
    /// Objects of ours; workloads have a namespace if one could be told.
    pub manifests: Vec<Manifest>,
    /// All that is wrong with them one by one.
    pub findings: Vec<Finding>,
    /// What each becomes, given the others.
    pub world: World,
    /// Namespace to Domain.
    domains: HashMap<String, String>,
    broken: HashSet<Name>,
    summary: Summary,
}

impl Set {
    /// Judges objects one by one, and puts those that are right into a world.
    ///
    /// `namespace` is that of workloads which name none; by default that of the only Domain.
    pub fn new(
        input: Input,
        namespace: Option<&str>,
        installation: Installation,
    ) -> Result<Self, Error> {
        let Input { mut manifests, mut findings, passed_over, files } = input;
        let summary = Summary { files, objects: manifests.len(), passed_over, without_domain: 0 };
        place(&mut manifests, namespace);
        let schemas = Schemas::new()?;
        let mut broken = HashSet::new();
        for manifest in &manifests {
            let before = findings.len();
            check(&schemas, manifest, &mut findings);
            if findings.len() > before {
                broken.insert(manifest.name.clone());
            }
        }
        findings.extend(twice(&manifests));
        let values: Vec<Value> = manifests.iter().map(Manifest::value).collect();
        let mut world = World::new(world::with_some_images(installation, values.iter()))?;
        let mut domains = HashMap::new();
        for manifest in &manifests {
            if broken.contains(&manifest.name) {
                continue;
            }
            if let Err(error) = world.apply(&manifest.value()) {
                findings.push(manifest.finding("Unreadable", "", error.to_string()));
                broken.insert(manifest.name.clone());
            } else if let Some(home) = manifest.home().filter(|_| manifest.is_domain()) {
                domains.insert(home.to_owned(), manifest.name.name.clone());
            }
        }
        Ok(Self { manifests, findings, world, domains, broken, summary })
    }

    /// Objects that are right for themselves.
    pub fn right(&self) -> impl Iterator<Item = &Manifest> {
        self.manifests.iter().filter(|manifest| !self.broken.contains(&manifest.name))
    }

    /// All that is wrong, each object for itself and with the others.
    pub fn lint(self) -> Outcome {
        let (mut found, mut without_domain) = (Vec::new(), 0);
        for manifest in self.right() {
            match manifest.home() {
                Some(home) if manifest.is_domain() || self.domains.contains_key(home) => {}
                home => {
                    without_domain += 1;
                    found.extend(self.lost(manifest, home));
                    continue;
                }
            }
            let problems = self.world.problems(&manifest.value()).unwrap_or_default();
            let problems = problems.into_iter().filter(|it| !self.is_excused(manifest, it.reason));
            found.extend(problems.map(|it| manifest.finding(it.reason, it.field, it.message)));
        }
        let mut findings = self.findings;
        findings.extend(found);
        findings.sort();
        findings.dedup();
        Outcome { findings, summary: Summary { without_domain, ..self.summary } }
    }

    /// Whether the cause is another finding: the cluster is there, and broken.
    fn is_excused(&self, manifest: &Manifest, reason: &str) -> bool {
        let is_it =
            |name: &Name| name.kind == "SparkCluster" && name.namespace == manifest.name.namespace;
        reason == "ClusterNotFound" && self.broken.iter().any(is_it)
    }

    /// A namespace that is nearly that of a Domain here.
    fn lost(&self, manifest: &Manifest, home: Option<&str>) -> Option<Finding> {
        let home = home?;
        let hint = near(home, self.domains.keys().map(String::as_str));
        (!hint.is_empty()).then(|| {
            let message = format!("no Domain here has the namespace {home:?}{hint}");
            manifest.finding("DomainNotFound", "metadata.namespace", message)
        })
    }
}

impl Manifest {
    /// The object, in its namespace.
    pub fn value(&self) -> Value {
        let mut object = self.object.clone();
        if let (Some(Value::Object(metadata)), Some(namespace)) =
            (object.get_mut("metadata"), &self.name.namespace)
        {
            metadata.insert("namespace".to_owned(), json!(namespace));
        }
        Value::Object(object)
    }

    /// Whether it is a Domain.
    pub fn is_domain(&self) -> bool {
        self.name.kind == "Domain"
    }
}

/// Gives workloads without a namespace one.
fn place(manifests: &mut [Manifest], namespace: Option<&str>) {
    let mut domains = manifests.iter().filter(|manifest| manifest.is_domain());
    let only = match (domains.next(), domains.next()) {
        (Some(only), None) => only.home().map(str::to_owned),
        _ => None,
    };
    let namespace = namespace.map(str::to_owned).or(only);
    for manifest in manifests.iter_mut().filter(|manifest| !manifest.is_domain()) {
        let name = &mut manifest.name.namespace;
        *name = name.take().or_else(|| namespace.clone());
    }
}

fn check(schemas: &Schemas, manifest: &Manifest, findings: &mut Vec<Finding>) {
    let kind = manifest.name.kind.as_str();
    if schemas.kinds().any(|known| known == kind) {
        let problems = schemas.problems(kind, &manifest.object);
        findings.extend(
            problems.into_iter().map(|it| manifest.finding(it.reason, it.field, it.message)),
        );
        return;
    }
    let kinds: Vec<&str> = schemas.kinds().collect();
    let hint = near(kind, kinds.iter().copied());
    let message = format!("Polder has no kind {kind:?}{hint}; there are: {}", kinds.join(", "));
    findings.push(manifest.finding("UnknownKind", "kind", message));
}

/// Objects that stand in the files more than once.
fn twice(manifests: &[Manifest]) -> Vec<Finding> {
    let mut seen: HashMap<&Name, &Manifest> = HashMap::new();
    let mut findings = Vec::new();
    // Two of a name may be meant for two namespaces, as long as none is known.
    for manifest in manifests.iter().filter(|manifest| manifest.home().is_some()) {
        if let Some(first) = seen.get(&manifest.name) {
            let message = format!(
                "is defined at {}:{} too, and the last one applied would win; keep one (for overlays: kubectl kustomize \
                 DIR | polder lint -f -)",
                first.place.file, first.place.line
            );
            findings.push(manifest.finding("Duplicate", "", message));
        } else {
            seen.insert(&manifest.name, manifest);
        }
    }
    findings
}
