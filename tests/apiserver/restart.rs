//! The operator goes and comes back, in order or not: nothing is done twice, nothing is lost.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    api::{CHILDREN, essence},
    audit::{Mark, Request},
    cluster::eventually,
    install::installation,
    manifests::{CLUSTER, DOMAIN, ENDPOINT, JOB, SCHEDULED, WORKLOADS},
    operator::Operator,
    tenant::Tenant,
    turn::alone,
};

const CONTROLLERS: [&str; 4] = ["domain", "spark-cluster", "sql-endpoint", "batch-job"];
const NAMESPACE: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: NAME, labels: {polder.dev/domain: NAME}}
";

/// Waits until the operator has had nothing to write for two seconds.
async fn quiet(operator: &Operator) {
    operator.idle(&CONTROLLERS).await;
    let (mut mark, mut since) = (Mark::now(), Instant::now());
    let quiet = eventually(Duration::from_mins(2), async || {
        if !mark.writes().is_empty() {
            (mark, since) = (Mark::now(), Instant::now());
        }
        (since.elapsed() > Duration::from_secs(2)).then_some(())
    });
    assert!(quiet.await.is_some(), "the operator does not come to rest; {}", operator.tail(""));
}

/// Applies all manifests at once. The namespace is there before, with the consent, so that the
/// workloads can be as early as the domain.
async fn apply_everything(tenant: &Tenant) {
    tenant.apply(NAMESPACE).await;
    for yaml in [DOMAIN, CLUSTER, ENDPOINT, JOB, SCHEDULED] {
        tenant.apply(yaml).await;
    }
}

async fn wait_everything(tenant: &Tenant) {
    tenant.wait_ready("Domain", &tenant.name).await;
    for (kind, name) in WORKLOADS {
        tenant.wait_ready(kind, name).await;
    }
    tenant.wait_reason("BatchJob", "load", "Succeeded").await;
}

#[tokio::test]
async fn a_restart_costs_no_write_and_one_list_per_type() {
    let _alone = alone().await;
    let installation = installation().await;
    let mut operator = Operator::start(installation, "first");
    operator.ready().await;
    let tenant = Tenant::alone("t-restart").await;
    tenant.clean().await;
    apply_everything(&tenant).await;
    wait_everything(&tenant).await;
    quiet(&operator).await;
    assert!(operator.terminate(), "{}", operator.tail(""));

    // All that other tests left is part of it.
    let mark = Mark::now();
    let mut operator = Operator::start(installation, "second");
    operator.idle(&CONTROLLERS).await;
    let requests = mark.requests();
    let writes: Vec<&Request> = requests.iter().filter(|request| request.is_write()).collect();
    assert!(writes.is_empty(), "writes after a restart: {writes:#?}");
    let gets: Vec<&Request> = requests.iter().filter(|request| request.verb == "get").collect();
    assert!(gets.is_empty(), "reads after a restart: {gets:#?}");
    let mut lists = BTreeMap::<&str, usize>::new();
    for request in requests.iter().filter(|request| request.verb == "list") {
        *lists.entry(&request.resource).or_default() += 1;
    }
    assert!(lists.values().all(|count| *count == 1), "{lists:?}");
    // Four kinds, the types of their children, and the definitions of types.
    assert!((15..=24).contains(&lists.len()), "{lists:?}");
    assert!(!lists.contains_key("secrets"), "{lists:?}");

    // Without warning, and while nobody looks: what drifted meanwhile is mended, once.
    operator.kill();
    tenant.delete("Service", "etl-master").await;
    tenant.delete("RoleBinding", "polder-admin").await;
    let mark = Mark::now();
    let mut operator = Operator::start(installation, "second");
    operator.idle(&CONTROLLERS).await;
    tenant.until("Service", "etl-master", "to be there", |_| true).await;
    tenant.until("RoleBinding", "polder-admin", "to be there", |_| true).await;
    let mut mended: Vec<String> = mark
        .writes()
        .iter()
        .filter(|request| !request.resource.ends_with("/status"))
        .map(|request| format!("{} {} {}", request.code, request.resource, request.name))
        .collect();
    mended.sort();
    assert_eq!(mended, ["201 rolebindings polder-admin", "201 services etl-master"]);
    assert!(operator.terminate(), "{}", operator.tail(""));
}

/// All children as they are, with what differs from one domain to the other masked.
async fn state(tenant: &Tenant) -> BTreeMap<String, Value> {
    let mut state = BTreeMap::new();
    let mut roots = Vec::new();
    for (kind, name) in WORKLOADS.into_iter().chain([("Domain", tenant.name.as_str())]) {
        let root = tenant.get(kind, name).await.unwrap();
        roots.push(root["metadata"]["uid"].as_str().unwrap().to_owned());
    }
    for kind in CHILDREN {
        for object in tenant.list(kind, "app.kubernetes.io/managed-by=polder").await {
            let mut text = essence(&object).to_string().replace(&tenant.name, "NAME");
            for uid in &roots {
                text = text.replace(uid, "UID");
            }
            let name = object["metadata"]["name"].as_str().unwrap();
            state.insert(
                mask(&format!("{kind} {name}").replace(&tenant.name, "NAME")),
                mask_all(&text),
            );
        }
    }
    state
}

/// Names of runs and of generated secrets hold hashes of uids.
fn mask(text: &str) -> String {
    let is_hash = |part: &str| part.len() == 8 && part.chars().all(|c| c.is_ascii_hexdigit());
    text.split('-')
        .map(|part| if is_hash(part) { "HASH" } else { part })
        .collect::<Vec<_>>()
        .join("-")
}

fn mask_all(text: &str) -> Value {
    fn walk(value: &mut Value) {
        match value {
            Value::String(text) => {
                let masked: Vec<String> = text.split('\n').map(mask_words).collect();
                *text = masked.join("\n");
            }
            Value::Array(items) => items.iter_mut().for_each(walk),
            Value::Object(fields) => {
                // Set by the server, differently each time.
                for server in [
                    "clusterIP",
                    "clusterIPs",
                    "volumeName",
                    "polder.dev/config-hash",
                    "batch.kubernetes.io/controller-uid",
                    "controller-uid",
                ] {
                    fields.remove(server);
                }
                fields.values_mut().for_each(walk);
            }
            _ => {}
        }
    }
    let mut value: Value = serde_json::from_str(text).unwrap();
    walk(&mut value);
    value
}

fn mask_words(line: &str) -> String {
    line.split_inclusive([' ', '=', '/', ':', '.', '"']).map(mask).collect()
}

#[tokio::test]
async fn killed_at_any_write_it_comes_to_the_same_end() {
    let _alone = alone().await;
    let installation = installation().await;
    let mut operator = Operator::start(installation, "undisturbed");
    // While no operator runs, the namespace has no policy yet.
    let reference = Tenant::alone("t-reference").await.past_policies();
    reference.clean().await;
    apply_everything(&reference).await;
    wait_everything(&reference).await;
    let tenant = Tenant::alone("t-killed").await.past_policies();
    tenant.clean().await;
    operator.kill();

    let mark = Mark::now();
    apply_everything(&tenant).await;
    for writes in [1, 4, 9, 15, 21, 26, 32] {
        let mut operator = Operator::start(installation, "undisturbed");
        tenant
            .wait(&format!("write {writes}"), async || {
                (mark.writes_of("t-killed").len() >= writes).then_some(())
            })
            .await;
        operator.kill();
    }
    let mut operator = Operator::start(installation, "undisturbed");
    wait_everything(&tenant).await;

    let (expected, found) = (state(&reference).await, state(&tenant).await);
    assert!(expected.len() > 20, "{:?}", expected.keys());
    assert_eq!(
        expected.keys().collect::<Vec<_>>(),
        found.keys().collect::<Vec<_>>(),
        "other children than without a kill"
    );
    for (name, object) in &expected {
        assert_eq!(object, &found[name], "{name} is not what it is without a kill");
    }
    // A request that is cut off may have made its object, though the log says 504.
    let runs: Vec<Request> = mark
        .writes_of("t-killed")
        .into_iter()
        .filter(|request| request.resource == "jobs" && matches!(request.code, 201 | 504))
        .collect();
    let names: BTreeSet<&str> = runs.iter().map(|request| request.name.as_str()).collect();
    assert_eq!(names.len(), 1, "runs: {runs:#?}");
    assert!(runs.iter().filter(|request| request.code == 201).count() <= 1, "{runs:#?}");
    let jobs = tenant.list("Job", "app.kubernetes.io/instance=load").await;
    assert_eq!(jobs.len(), 1, "{jobs:#?}");
    assert_eq!(
        tenant.get("BatchJob", "load").await.unwrap()["status"]["runs"].as_array().unwrap().len(),
        1
    );
    let secrets = tenant.list("Secret", "").await;
    assert_eq!(secrets.len(), 1, "{secrets:#?}");
    assert_eq!(operator.log("BUG"), Vec::<String>::new());
    assert!(operator.terminate(), "{}", operator.tail(""));
}

const LEADS: &str = "polder_leader_election_master_status{name=\"polder\"}";

#[tokio::test]
async fn a_standby_takes_over_and_nothing_is_done_twice() {
    let _alone = alone().await;
    let installation = installation().await;
    let mut first = Operator::start(installation, "replica-a");
    first.ready().await;
    let leads = |operator: &Operator| operator.metric(LEADS) == Some(1.0);
    let led = eventually(Duration::from_mins(1), async || leads(&first).then_some(())).await;
    assert!(led.is_some(), "nobody leads; {}", first.tail(""));
    let mut second = Operator::start(installation, "replica-b");
    second.ready().await;
    assert_eq!(second.metric(LEADS), Some(0.0), "{}", second.tail(""));
    let tenant = Tenant::alone("t-leader").await;
    tenant.clean().await;

    let mark = Mark::now();
    tenant.apply(DOMAIN).await;
    tenant
        .wait("the first writes", async || (mark.writes_of("t-leader").len() >= 5).then_some(()))
        .await;
    first.kill();
    // The first may have come to the end before: that the Domain is Ready says nothing yet.
    let led = eventually(Duration::from_mins(1), async || leads(&second).then_some(())).await;
    assert!(led.is_some(), "the standby does not lead; {}", second.tail(""));
    tenant.wait_ready("Domain", "t-leader").await;
    for yaml in [CLUSTER, ENDPOINT, JOB, SCHEDULED] {
        tenant.apply(yaml).await;
    }
    wait_everything(&tenant).await;
    let mut made: Vec<(String, String)> = mark
        .writes_of("t-leader")
        .into_iter()
        .filter(Request::is_creation)
        .map(|request| (request.resource, request.name))
        .collect();
    made.sort();
    let count = made.len();
    made.dedup();
    assert_eq!(made.len(), count, "made twice: {made:?}");

    // A leader that ends in order hands over at once.
    let mut third = Operator::start(installation, "replica-c");
    third.ready().await;
    quiet(&second).await;
    let mark = Mark::now();
    assert!(second.terminate(), "{}", second.tail(""));
    let led = eventually(Duration::from_secs(10), async || leads(&third).then_some(())).await;
    assert!(led.is_some(), "the lease was not handed over; {}", third.tail(""));
    third.idle(&CONTROLLERS).await;
    assert_eq!(mark.writes_of("t-leader"), []);
    assert!(third.terminate(), "{}", third.tail(""));
}
