//! Objects as people name them: `batchjob/load`, `bjob load`, or `load` where only one has the name.

use futures::future::join_all;

use super::{Cluster, Error, Object, RootKind, names};

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
    let lists = kinds
        .iter()
        .map(async |kind| (*kind, names::of_kind(cluster, *kind).await.unwrap_or_default()));
    let lists = join_all(lists).await;
    let mut near: Vec<(usize, String)> = lists
        .into_iter()
        .flat_map(|(kind, list)| list.into_iter().map(move |name| (kind, name)))
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
