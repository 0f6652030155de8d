//! Objects as people name them: `batchjob/load`, `bjob load`, or `load` where only one has the name.

use futures::future::join_all;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};
use kube::api::ListParams;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Cluster, Error};
use crate::{
    api::{GROUP, conditions},
    engine::{Kind, ResourceType},
    kinds::{
        batch_job::BatchJobKind, domain::DomainKind, spark_cluster::SparkClusterKind,
        sql_endpoint::SqlEndpointKind,
    },
};

/// Names to suggest for one that does not exist.
const SUGGESTIONS: usize = 5;

/// The four kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum RootKind {
    Domain,
    SparkCluster,
    SqlEndpoint,
    BatchJob,
}

impl RootKind {
    pub(in super::super) const ALL: [Self; 4] =
        [Self::Domain, Self::SparkCluster, Self::SqlEndpoint, Self::BatchJob];
    /// Those that live in a domain.
    pub(in super::super) const WORKLOADS: [Self; 3] =
        [Self::SparkCluster, Self::SqlEndpoint, Self::BatchJob];

    pub(in super::super) fn resource(self) -> ResourceType {
        let (kind, plural) = match self {
            Self::Domain => ("Domain", "domains"),
            Self::SparkCluster => ("SparkCluster", "sparkclusters"),
            Self::SqlEndpoint => ("SqlEndpoint", "sqlendpoints"),
            Self::BatchJob => ("BatchJob", "batchjobs"),
        };
        let namespaced = self != Self::Domain;
        ResourceType { group: GROUP, version: "v1alpha1", kind, plural, namespaced }
    }

    /// Value of the label `app.kubernetes.io/name` of its children.
    pub(in super::super) fn label(self) -> &'static str {
        match self {
            Self::Domain => DomainKind::NAME,
            Self::SparkCluster => SparkClusterKind::NAME,
            Self::SqlEndpoint => SqlEndpointKind::NAME,
            Self::BatchJob => BatchJobKind::NAME,
        }
    }

    pub(in super::super) fn short(self) -> &'static str {
        match self {
            Self::Domain => "dom",
            Self::SparkCluster => "spc",
            Self::SqlEndpoint => "sql",
            Self::BatchJob => "bjob",
        }
    }

    /// As kubectl takes it: kind, plural or short name, with or without the group.
    fn parse(word: &str) -> Option<Self> {
        let word = word.to_lowercase();
        let word = word.strip_suffix(".polder.dev").unwrap_or(&word);
        Self::ALL.into_iter().find(|kind| {
            let resource = kind.resource();
            word == resource.plural || word == kind.short() || word == resource.kind.to_lowercase()
        })
    }
}

/// One of ours, as the API server has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in super::super) struct Object {
    pub(in super::super) metadata: ObjectMeta,
    #[serde(default)]
    pub(in super::super) spec: Value,
    #[serde(default)]
    pub(in super::super) status: Value,
}

impl Object {
    pub(in super::super) fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    pub(in super::super) fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or_default()
    }

    pub(in super::super) fn conditions(&self) -> Vec<Condition> {
        let conditions = self.status.get("conditions").cloned().unwrap_or_default();
        serde_json::from_value(conditions).unwrap_or_default()
    }

    pub(in super::super) fn condition(&self, type_: &str) -> Option<Condition> {
        self.conditions().into_iter().find(|condition| condition.type_ == type_)
    }

    /// Whether its status speaks of its newest spec.
    pub(in super::super) fn is_current(&self) -> bool {
        self.status.get("observedGeneration").and_then(Value::as_i64) == self.metadata.generation
    }

    pub(in super::super) fn is_ready(&self) -> bool {
        self.is_true(conditions::READY)
    }

    /// Nothing happens until somebody acts.
    pub(in super::super) fn is_stalled(&self) -> bool {
        self.is_true(conditions::STALLED)
    }

    pub(in super::super) fn is_suspended(&self) -> bool {
        self.spec.get("suspend").and_then(Value::as_bool).unwrap_or(false)
    }

    fn is_true(&self, type_: &str) -> bool {
        self.is_current() && self.condition(type_).is_some_and(|it| it.status == "True")
    }

    /// A text in it, by JSON pointer into its status.
    pub(in super::super) fn status_text(&self, pointer: &str) -> Option<&str> {
        self.status.pointer(pointer).and_then(Value::as_str)
    }
}

/// Finds the object that was named, among these kinds.
pub(in super::super) async fn find(
    cluster: &Cluster,
    words: &[String],
    kinds: &[RootKind],
) -> Result<(RootKind, Object), Error> {
    let (kind, name) = split(words, kinds)?;
    let Some(kind) = kind else { return find_any(cluster, &name, kinds).await };
    match get(cluster, kind, &name).await? {
        Some(object) => Ok((kind, object)),
        None => Err(not_found(cluster, &[kind], &name).await),
    }
}

/// Kind, if one was given, and name.
fn split(words: &[String], kinds: &[RootKind]) -> Result<(Option<RootKind>, String), Error> {
    let (kind, name) = match words {
        [one] => match one.split_once('/') {
            Some((kind, name)) => (Some(kind), name),
            None => (None, one.as_str()),
        },
        [kind, name] => (Some(kind.as_str()), name.as_str()),
        _ => (None, ""),
    };
    if name.is_empty() || name.contains('/') {
        return Err(Error::Usage("give one object, such as batchjob/load".to_owned()));
    }
    let Some(word) = kind else { return Ok((None, name.to_owned())) };
    let names = || {
        let names: Vec<_> = kinds.iter().map(|kind| kind.resource().kind.to_lowercase()).collect();
        names.join(", ")
    };
    let kind = RootKind::parse(word).ok_or_else(|| {
        Error::Usage(format!("{word} is no kind of Polder; there are {}", names()))
    })?;
    if !kinds.contains(&kind) {
        return Err(Error::Usage(format!(
            "this command is not for a {}, but for {}",
            kind.resource().kind,
            names()
        )));
    }
    Ok((Some(kind), name.to_owned()))
}

async fn find_any(
    cluster: &Cluster,
    name: &str,
    kinds: &[RootKind],
) -> Result<(RootKind, Object), Error> {
    let answers =
        join_all(kinds.iter().map(async |kind| (*kind, get(cluster, *kind, name).await))).await;
    let (mut found, mut refused, mut asked) = (Vec::new(), None, false);
    for (kind, answer) in answers {
        match answer {
            Ok(object) => {
                asked = true;
                found.extend(object.map(|object| (kind, object)));
            }
            // Members of a domain may not see Domains.
            Err(Error::Forbidden(why)) => refused = Some(Error::Forbidden(why)),
            Err(error) => return Err(error),
        }
    }
    if let Some(refused) = refused.filter(|_| !asked) {
        return Err(refused);
    }
    if found.len() > 1 {
        let candidates = found
            .iter()
            .map(|(kind, _)| format!("{}/{name}", kind.resource().kind.to_lowercase()))
            .collect();
        return Err(Error::Ambiguous { name: name.to_owned(), candidates });
    }
    match found.pop() {
        Some(one) => Ok(one),
        None => Err(not_found(cluster, kinds, name).await),
    }
}

async fn get(cluster: &Cluster, kind: RootKind, name: &str) -> Result<Option<Object>, Error> {
    let namespace = (kind != RootKind::Domain).then_some(cluster.namespace.as_str());
    cluster.get(kind.resource(), namespace, name).await
}

/// That there is no such object, and which there are that may have been meant.
async fn not_found(cluster: &Cluster, kinds: &[RootKind], name: &str) -> Error {
    #[derive(Clone, Deserialize)]
    struct Named {
        metadata: ObjectMeta,
    }
    let lists = join_all(kinds.iter().map(async |kind| {
        let namespace = (*kind != RootKind::Domain).then_some(cluster.namespace.as_str());
        let list =
            cluster.list_metadata::<Named>(kind.resource(), namespace, ListParams::default());
        (*kind, list.await.unwrap_or_default())
    }))
    .await;
    let mut near: Vec<(usize, String)> = lists
        .into_iter()
        .flat_map(|(kind, list)| list.into_iter().map(move |object| (kind, object)))
        .filter_map(|(kind, object)| Some((kind, object.metadata.name?)))
        .map(|(kind, other)| {
            let distance = strsim::damerau_levenshtein(name, &other);
            (distance, format!("{}/{other}", kind.resource().kind.to_lowercase()))
        })
        .collect();
    near.sort();
    // Where there are many, only those that look alike.
    if near.len() > SUGGESTIONS {
        near.retain(|(distance, _)| *distance <= 2.max(name.len() / 3));
    }
    let near = near.into_iter().take(SUGGESTIONS).map(|(_, name)| name).collect();
    let kind = match kinds {
        [kind] => kind.resource().kind.to_owned(),
        _ => "object of Polder called".to_owned(),
    };
    let place = match kinds {
        [RootKind::Domain] => String::new(),
        _ => format!(" in namespace {}", cluster.namespace),
    };
    Error::NotFound { what: format!("{kind} {name}{place}"), near }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&["load"], None, "load")]
    #[case(&["batchjob/load"], Some(RootKind::BatchJob), "load")]
    #[case(&["BatchJobs/load"], Some(RootKind::BatchJob), "load")]
    #[case(&["bjob", "load"], Some(RootKind::BatchJob), "load")]
    #[case(&["batchjobs.polder.dev/load"], Some(RootKind::BatchJob), "load")]
    #[case(&["sql/bi"], Some(RootKind::SqlEndpoint), "bi")]
    #[case(&["spc/etl"], Some(RootKind::SparkCluster), "etl")]
    #[case(&["dom", "sales"], Some(RootKind::Domain), "sales")]
    fn objects_are_named_as_with_kubectl(
        #[case] words: &[&str],
        #[case] kind: Option<RootKind>,
        #[case] name: &str,
    ) {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        assert_eq!(split(&words, &RootKind::ALL).unwrap(), (kind, name.to_owned()));
    }

    #[rstest]
    #[case(&["pod/x"], "pod is no kind of Polder")]
    #[case(&["domain/x"], "this command is not for a Domain")]
    #[case(&["bjob/"], "give one object")]
    #[case(&["a/b/c"], "give one object")]
    fn what_is_none_is_refused(#[case] words: &[&str], #[case] says: &str) {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let error = split(&words, &RootKind::WORKLOADS).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}
