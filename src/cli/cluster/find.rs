//! Objects as people name them: `batchjob/load`, `bjob load`, or `load` where only one has the name.

use futures::future::join_all;

use super::{Cluster, Error, Object, RootKind, called, names};
use crate::offline::schema::near;

/// Names to suggest for one that does not exist.
const SUGGESTIONS: usize = 5;

/// Finds the object that was named, among these kinds.
pub(super) async fn find(
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
    let all: Vec<String> = kinds.iter().map(|kind| kind.word()).collect();
    let kind = RootKind::parse(word).ok_or_else(|| {
        let hint = match all.iter().find(|kind| kind.ends_with(&word.to_lowercase())) {
            Some(whole) => format!("; did you mean {whole:?}?"),
            None => near(word, all.iter().map(String::as_str)),
        };
        let all = all.join(", ");
        Error::Usage(format!("{word} is no kind of Polder{hint}; there are {all}"))
    })?;
    if !kinds.contains(&kind) {
        let (kind, all) = (kind.resource().kind, all.join(", "));
        return Err(Error::Usage(format!("this command is not for a {kind}, but for {all}")));
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
        let candidates = found.iter().map(|(kind, _)| format!("{}/{name}", kind.word())).collect();
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
    let is_domain = matches!(kinds, [RootKind::Domain]);
    let kind = match kinds {
        [kind] => kind.resource().kind,
        _ => "object of Polder called",
    };
    let place =
        if is_domain { String::new() } else { format!(" in namespace {}", cluster.namespace) };
    let what = format!("{kind} {name}{place}");
    let mut hint = elsewhere(cluster, kinds, name).await;
    if hint.is_empty() {
        hint = match close(cluster, kinds, name).await {
            close if !close.is_empty() => format!("there is {}", close.join(", ")),
            _ if is_domain => "`polder status` shows those there are".to_owned(),
            _ => "-n names another namespace".to_owned(),
        };
    }
    Error::NotFound { what, hint }
}

/// Objects of this name in other namespaces, as far as they may be listed.
async fn elsewhere(cluster: &Cluster, kinds: &[RootKind], name: &str) -> String {
    let kinds = kinds.iter().filter(|kind| **kind != RootKind::Domain);
    let lists = kinds.map(async |kind| (*kind, names::places(cluster, *kind, name).await));
    let found: Vec<String> = join_all(lists)
        .await
        .into_iter()
        .flat_map(|(kind, places)| {
            let places = places.unwrap_or_default().into_iter();
            places.map(move |place| called(&format!("{}/{name}", kind.word()), &place))
        })
        .take(SUGGESTIONS)
        .collect();
    if found.is_empty() { String::new() } else { format!("there is {}", found.join(", ")) }
}

/// Names that are close, or all there are if those are few.
async fn close(cluster: &Cluster, kinds: &[RootKind], name: &str) -> Vec<String> {
    let lists = kinds
        .iter()
        .map(async |kind| (*kind, names::of_kind(cluster, *kind).await.unwrap_or_default()));
    let lists = join_all(lists).await;
    let mut near: Vec<(usize, String)> = lists
        .into_iter()
        .flat_map(|(kind, list)| list.into_iter().map(move |other| (kind, other)))
        .map(|(kind, other)| {
            let distance = strsim::damerau_levenshtein(name, &other);
            (distance, format!("{}/{other}", kind.word()))
        })
        .collect();
    near.sort();
    // Where there are many, only those that look alike.
    if near.len() > SUGGESTIONS {
        near.retain(|(distance, _)| *distance <= 2.max(name.len() / 3));
    }
    near.into_iter().take(SUGGESTIONS).map(|(_, name)| name).collect()
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
    #[case(&["pod/x"], "pod is no kind of Polder; there are sparkcluster")]
    #[case(&["batchjbo/x"], "did you mean \"batchjob\"?")]
    #[case(&["Job", "x"], "did you mean \"batchjob\"?")]
    #[case(&["domain/x"], "this command is not for a Domain")]
    #[case(&["bjob/"], "give one object")]
    #[case(&["a/b/c"], "give one object")]
    fn what_is_none_is_refused(#[case] words: &[&str], #[case] says: &str) {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let error = split(&words, &RootKind::WORKLOADS).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}
