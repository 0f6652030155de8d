//! Three operators that share the domains, one of which is killed.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    audit::Mark,
    cluster::eventually,
    install::{SHARDS, installation},
    operator::Operator,
    tenant::Tenant,
    turn,
};

const DOMAINS: usize = 9;
const LEAST: &str = "
apiVersion: polder.dev/v1alpha1
kind: Domain
metadata: {name: NAME}
spec: {deletionPolicy: Delete}
";

/// Names of operators, by shard.
async fn holders(tenant: &Tenant) -> Vec<String> {
    let mut holders = Vec::new();
    for shard in 0..SHARDS {
        let name = if shard == 0 { "polder".to_owned() } else { format!("polder-{shard}") };
        let path = format!("/apis/coordination.k8s.io/v1/namespaces/polder-system/leases/{name}");
        let lease = tenant.api.send("GET", &path, None).await.unwrap_or_default();
        holders.push(lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned());
    }
    holders
}

async fn until_shared_by(tenant: &Tenant, names: &[&str]) {
    let shared = eventually(Duration::from_secs(90), async || {
        let holders = holders(tenant).await;
        let counts = names.iter().map(|name| holders.iter().filter(|h| h == name).count());
        let counts: Vec<usize> = counts.collect();
        let (least, most) = (counts.iter().min()?, counts.iter().max()?);
        (counts.iter().sum::<usize>() == SHARDS && most - least <= 1).then_some(())
    });
    assert!(shared.await.is_some(), "{names:?} do not share: {:?}", holders(tenant).await);
}

/// When each operator wrote into a domain, first and last.
fn spans(mark: Mark) -> BTreeMap<String, BTreeMap<String, (Timestamp, Timestamp)>> {
    let mut domains = BTreeMap::<_, BTreeMap<_, (Timestamp, Timestamp)>>::new();
    for request in mark.writes() {
        let domain = if request.namespace.is_empty() { &request.name } else { &request.namespace };
        if !domain.starts_with("t-shard-") {
            continue;
        }
        let at: Timestamp = request.at.parse().unwrap();
        let span = domains
            .entry(domain.clone())
            .or_default()
            .entry(request.agent.clone())
            .or_insert((at, at));
        *span = (span.0.min(at), span.1.max(at));
    }
    domains
}

#[tokio::test]
async fn a_dead_operators_domains_are_taken_over_and_no_object_is_written_by_two() {
    let _alone = turn::alone().await;
    let installation = installation().await;
    let tenant = Tenant::alone("t-shard-0").await;
    let names: Vec<String> = (0..DOMAINS).map(|i| format!("t-shard-{i}")).collect();
    let shards = [format!("--shards={SHARDS}"), "--lease-duration=6".to_owned()];
    let mut operators: Vec<Operator> = ["alpha", "beta", "gamma"]
        .map(|name| Operator::start_with(installation, name, &shards))
        .into();
    until_shared_by(&tenant, &["alpha", "beta", "gamma"]).await;
    for name in &names {
        Tenant::alone(name).await.clean().await;
    }
    let mark = Mark::now();
    for name in &names {
        tenant.api.apply(name, &LEAST.replace("NAME", name)).await;
    }
    for name in &names {
        tenant.wait_ready("Domain", name).await;
    }
    let before = spans(mark);
    let writers: BTreeSet<&String> = before.values().flat_map(BTreeMap::keys).collect();
    assert_eq!(writers.len(), 3, "the domains are not spread: {before:#?}");

    let killed = Timestamp::now();
    operators[0].kill();
    // Changes of all domains, also those that nobody has at the moment.
    for name in &names {
        tenant.api.patch("Domain", "", name, json!({"spec": {"displayName": "Changed"}})).await;
    }
    for name in &names {
        tenant.wait_ready("Domain", name).await;
        let namespace = tenant.get("Namespace", name).await.unwrap();
        let display: &Value = &namespace["metadata"]["annotations"]["polder.dev/display-name"];
        assert_eq!(display, "Changed", "{name}");
    }
    until_shared_by(&tenant, &["beta", "gamma"]).await;
    for (domain, writers) in spans(mark) {
        let mut spans: Vec<_> = writers.iter().collect();
        spans.sort_by_key(|(_, span)| span.0);
        for pair in spans.windows(2) {
            let ((one, first), (other, second)) = (&pair[0], &pair[1]);
            assert!(first.1 < second.0, "{domain} was written by {one} and {other} at a time");
        }
        assert!(writers.len() <= 2, "{domain}: {writers:#?}");
        let by_the_dead = writers.keys().find(|name| name.contains("alpha"));
        assert!(by_the_dead.is_none_or(|name| writers[name].1 <= killed), "{domain}");
    }
    // Nobody had two, and nobody was left out.
    let all = spans(mark);
    assert_eq!(all.len(), DOMAINS, "{:?}", all.keys());
    for operator in &mut operators[1..] {
        assert!(operator.terminate(), "{}", operator.tail(""));
    }
}
