//! Names that a shell completes: of objects, namespaces and contexts. They are asked of the cluster
//! that the command line names so far; if it cannot be asked, there are none, and nothing is said.

use std::{collections::BTreeMap, ffi::OsStr, sync::mpsc, thread, time::Duration};

use clap::{ArgMatches, FromArgMatches};
use clap_complete::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, engine::ValueCompleter,
};
use futures::future::join_all;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{api::ListParams, config::Kubeconfig};
use serde::Deserialize;

use super::{Cluster, Connection, Error, RootKind, Scope};
use crate::{
    build::{labels, types::NAMESPACE},
    cli::{completion::given, operator::threads},
    engine::ResourceType,
};

/// Whoever presses a key waits no longer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Names of objects of these kinds, in all the ways that they may be given.
pub(super) fn objects(kinds: &'static [RootKind]) -> ArgValueCompleter {
    ArgValueCompleter::new(Objects(kinds))
}

/// Names of Domains.
pub(super) fn domains() -> ArgValueCandidates {
    ArgValueCandidates::new(|| candidates(ask(async |it| of_kind(it, RootKind::Domain).await)))
}

/// Namespaces of domains.
pub(super) fn namespaces() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        candidates(ask(async |cluster| {
            let which = ListParams::default().labels(labels::DOMAIN);
            names(cluster, NAMESPACE, None, which).await
        }))
    })
}

/// Contexts of the kubeconfig.
pub(super) fn contexts() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let scope = given().map(|given| scope(&given)).unwrap_or_default();
        let read = match scope.connection.kubeconfig {
            Some(file) => Kubeconfig::read_from(file),
            None => Kubeconfig::read(),
        };
        let contexts = read.map(|kubeconfig| kubeconfig.contexts).unwrap_or_default();
        candidates(contexts.into_iter().map(|context| context.name).collect())
    })
}

/// Names of all objects of a kind, in the namespace of the command if it has one.
pub(super) async fn of_kind(cluster: &Cluster, kind: RootKind) -> Result<Vec<String>, Error> {
    let namespace = (kind != RootKind::Domain).then_some(cluster.namespace.as_str());
    names(cluster, kind.resource(), namespace, ListParams::default()).await
}

/// Namespaces in which a kind has an object of this name.
pub(super) async fn places(
    cluster: &Cluster,
    kind: RootKind,
    name: &str,
) -> Result<Vec<String>, Error> {
    let which = ListParams::default().fields(&format!("metadata.name={name}"));
    let list = list(cluster, kind.resource(), None, which).await?;
    Ok(list.into_iter().filter_map(|object| object.namespace).collect())
}

async fn names(
    cluster: &Cluster,
    resource: ResourceType,
    namespace: Option<&str>,
    which: ListParams,
) -> Result<Vec<String>, Error> {
    let list = list(cluster, resource, namespace, which).await?;
    Ok(list.into_iter().filter_map(|object| object.name).collect())
}

async fn list(
    cluster: &Cluster,
    resource: ResourceType,
    namespace: Option<&str>,
    which: ListParams,
) -> Result<Vec<ObjectMeta>, Error> {
    #[derive(Clone, Deserialize)]
    struct Named {
        metadata: ObjectMeta,
    }
    let list = cluster.list_metadata::<Named>(resource, namespace, which).await?;
    Ok(list.into_iter().map(|object| object.metadata).collect())
}

/// Asks the cluster that the command line names; nothing if that fails, or takes too long.
fn ask<T: Default + Send + 'static>(
    work: impl AsyncFn(&Cluster) -> Result<T, Error> + Send + 'static,
) -> T {
    let Some(scope) = given().map(|given| scope(&given)) else { return T::default() };
    let (sender, receiver) = mpsc::channel();
    // On a thread that can be left alone: a program that gets credentials blocks it.
    thread::spawn(move || {
        let answer = async { work(&scope.connect().await?).await };
        // Nobody may wait for it any more.
        let _ = sender.send(threads().ok().and_then(|threads| threads.block_on(answer).ok()));
    });
    receiver.recv_timeout(PATIENCE).ok().flatten().unwrap_or_default()
}

/// Cluster and namespace, as far as the command line names them.
fn scope(given: &ArgMatches) -> Scope {
    if given.try_contains_id("namespace").is_ok() {
        return Scope::from_arg_matches(given).unwrap_or_default();
    }
    let connection = Connection::from_arg_matches(given).unwrap_or_default();
    Scope { namespace: None, connection }
}

fn candidates(names: Vec<String>) -> Vec<CompletionCandidate> {
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// Completes the name of an object.
struct Objects(&'static [RootKind]);

impl ValueCompleter for Objects {
    fn complete(&self, current: &OsStr) -> Vec<CompletionCandidate> {
        let (Some(given), Some(current)) = (given(), current.to_str()) else { return Vec::new() };
        let first = given.try_get_one::<String>("object").ok().flatten();
        let word = Word::of(self.0, first.map(String::as_str), current);
        let Some(word) = word else { return Vec::new() };
        let kinds = word.kinds.clone();
        let found = ask(async move |cluster| {
            let lists = kinds.iter().map(async |kind| {
                // Members of a domain may not see Domains.
                (*kind, of_kind(cluster, *kind).await.unwrap_or_default())
            });
            Ok(join_all(lists).await)
        });
        word.candidates(found, self.0)
    }
}

/// The word at the cursor.
struct Word<'a> {
    /// Of which the names are wanted.
    kinds: Vec<RootKind>,
    /// Kind and slash, as they were typed.
    prefix: &'a str,
    /// What has been typed of the name.
    begin: &'a str,
    /// Nothing says the kind.
    is_open: bool,
}

impl<'a> Word<'a> {
    /// `None` if no name can stand there.
    fn of(kinds: &[RootKind], first: Option<&str>, current: &'a str) -> Option<Self> {
        let of_kind = |word: &str, prefix, begin| {
            let kind = RootKind::parse(word).filter(|kind| kinds.contains(kind))?;
            Some(Self { kinds: vec![kind], prefix, begin, is_open: false })
        };
        if let Some(first) = first {
            return of_kind(first, "", current);
        }
        if let Some((kind, begin)) = current.split_once('/') {
            return of_kind(kind, current.strip_suffix(begin).unwrap_or_default(), begin);
        }
        // There may be a thousand Domains, which would hide the few objects of a namespace.
        let is_wanted = |kind: &&RootKind| {
            **kind != RootKind::Domain || !current.is_empty() || kinds.len() == 1
        };
        let wanted = kinds.iter().filter(is_wanted).copied().collect();
        Some(Self { kinds: wanted, prefix: "", begin: current, is_open: kinds.len() > 1 })
    }

    fn candidates(
        &self,
        found: Vec<(RootKind, Vec<String>)>,
        kinds: &[RootKind],
    ) -> Vec<CompletionCandidate> {
        let mut of_name: BTreeMap<String, Vec<RootKind>> = BTreeMap::new();
        for (kind, names) in found {
            for name in names.into_iter().filter(|name| name.starts_with(self.begin)) {
                of_name.entry(name).or_default().push(kind);
            }
        }
        let mut candidates: Vec<CompletionCandidate> = Vec::new();
        for (name, of) in of_name {
            for kind in &of {
                // Only with its kind does a name that several have mean one of them.
                let typed = if of.len() > 1 { slashed(*kind) } else { self.prefix.to_owned() };
                let candidate = CompletionCandidate::new(format!("{typed}{name}"));
                candidates.push(candidate.help(Some(kind.resource().kind.into())));
            }
        }
        if self.is_open {
            let is_offered = |kind: &&RootKind| {
                let is_begun = !self.begin.is_empty() && slashed(**kind).starts_with(self.begin);
                is_begun || !self.kinds.contains(*kind)
            };
            let offered = kinds.iter().filter(is_offered);
            candidates.extend(offered.map(|kind| CompletionCandidate::new(slashed(*kind))));
        }
        candidates
    }
}

fn slashed(kind: RootKind) -> String {
    format!("{}/", kind.word())
}

#[cfg(test)]
mod tests {
    use RootKind::{BatchJob, Domain, SparkCluster};
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::workloads_and_not_all_domains(&RootKind::ALL, None, "", &["etl", "load", "twice", "domain/"])]
    #[case::domains_too(&RootKind::ALL, None, "s", &["sales", "sparkcluster/", "sqlendpoint/"])]
    #[case::with_kind(&RootKind::ALL, None, "dom/s", &["dom/sales"])]
    #[case::after_kind(&RootKind::ALL, Some("bjob"), "", &["load", "twice"])]
    #[case::after_a_name(&RootKind::ALL, Some("load"), "", &[])]
    #[case::of_no_kind(&RootKind::ALL, None, "pod/", &[])]
    #[case::of_another_command(&RootKind::WORKLOADS, None, "domain/", &[])]
    #[case::only_kind(&[BatchJob], None, "", &["load", "twice"])]
    fn an_object_may_be_named_in_several_ways(
        #[case] kinds: &[RootKind],
        #[case] first: Option<&str>,
        #[case] current: &str,
        #[case] expected: &[&str],
    ) {
        let all = [(Domain, vec!["sales"]), (SparkCluster, vec!["etl"])];
        let all = all.into_iter().chain([(BatchJob, vec!["load", "twice"])]);
        let word = Word::of(kinds, first, current);
        let found = word.map(|word| {
            let found = all
                .filter(|(kind, _)| word.kinds.contains(kind))
                .map(|(kind, names)| (kind, names.into_iter().map(str::to_owned).collect()));
            word.candidates(found.collect(), kinds)
        });
        let found = found.unwrap_or_default();
        let values: Vec<_> = found.iter().map(|it| it.get_value().to_str().unwrap()).collect();
        assert_eq!(values, expected);
    }

    #[test]
    fn a_name_that_two_have_is_offered_with_its_kind() {
        let word = Word::of(&RootKind::ALL, None, "").unwrap();
        let found = [BatchJob, SparkCluster].map(|kind| (kind, vec!["load".to_owned()]));
        let found = word.candidates(found.into(), &RootKind::ALL);
        let values: Vec<_> = found.iter().map(|it| it.get_value().to_str().unwrap()).collect();
        assert_eq!(values, ["batchjob/load", "sparkcluster/load", "domain/"]);
    }
}
