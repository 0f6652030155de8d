//! An hour in which nobody commits: Argo CD looks all the time, and finds and does nothing.

use std::{collections::BTreeMap, env, time::Duration};

use futures::{StreamExt, TryStreamExt};
use kube::{
    api::{ApiResource, DynamicObject},
    core::GroupVersionKind,
    runtime::{WatchStreamExt, watcher},
};
use serde_json::{Value, json};

use super::{
    argocd::{ACCOUNT, NAMESPACE, application, argocd, forget, stands},
    one_application::{follow, in_wave, start},
    repository::Repository,
};
use crate::{
    api::CHILDREN,
    audit::{Mark, Request},
    manifests::{CLUSTER, DOMAIN, ENDPOINT, JOB, SCHEDULED, WORKLOADS},
    tenant::Tenant,
};

/// How long it goes on, in minutes.
const MINUTES: &str = "POLDER_RESYNC_MINUTES";
/// How often somebody has Argo CD forget what it knows of Git and of the cluster.
const HARD_REFRESH: Duration = Duration::from_mins(2);

/// Version of each object of the domain, its own included.
async fn versions(tenant: &Tenant) -> BTreeMap<String, String> {
    let roots = ["Namespace", "Domain", "SparkCluster", "SqlEndpoint", "BatchJob", "Pod"];
    let mut found = BTreeMap::new();
    for kind in roots.iter().chain(CHILDREN) {
        for object in tenant.list(kind, "").await {
            let metadata = &object["metadata"];
            let is_ours = metadata["namespace"] == json!(tenant.name)
                || metadata["name"] == json!(tenant.name);
            if is_ours {
                let text = |field: &str| metadata[field].as_str().unwrap().to_owned();
                found.insert(format!("{kind} {}", text("name")), text("resourceVersion"));
            }
        }
    }
    found
}

/// Looks at every version of an Application for this long; returns how many times Argo CD compared.
async fn observe(tenant: &Tenant, name: &str, commit: &str, duration: Duration) -> usize {
    let kind = GroupVersionKind::gvk("argoproj.io", "v1alpha1", "Application");
    let resource = ApiResource::from_gvk(&kind);
    let client = tenant.api.client.clone();
    let api = kube::Api::<DynamicObject>::namespaced_with(client, NAMESPACE, &resource);
    let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let mut seen = watcher(api, config).default_backoff().applied_objects().boxed();
    let end = tokio::time::sleep(duration);
    tokio::pin!(end);
    let (mut looks, mut last, mut first) = (0, Value::Null, None);
    loop {
        let version = tokio::select! {
            () = &mut end => return looks,
            version = seen.try_next() => serde_json::to_value(version.unwrap().unwrap()).unwrap(),
        };
        assert!(stands(&version, commit, "Synced", "Healthy"), "{name}: {version:#}");
        assert!(version["operation"].is_null(), "{name}: {version:#}");
        let operations = json!([version["status"]["history"], version["status"]["operationState"]]);
        let before = first.get_or_insert_with(|| operations.clone());
        assert_eq!(*before, operations, "{name} was synced again");
        if version["status"]["reconciledAt"] != last {
            last = version["status"]["reconciledAt"].clone();
            looks += 1;
        }
    }
}

/// Has Argo CD begin from nothing now and then, until this is dropped.
async fn refresh_hard(tenant: &Tenant, names: [&str; 2]) {
    loop {
        tokio::time::sleep(HARD_REFRESH).await;
        for name in names {
            let refresh =
                json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "hard"}}});
            tenant.api.patch("Application", NAMESPACE, name, refresh).await;
        }
    }
}

/// Writes of Argo CD to anything but its Applications.
fn writes_of_argo_cd(mark: Mark) -> Vec<Value> {
    let account = format!("system:serviceaccount:{NAMESPACE}:{ACCOUNT}");
    let is_write = |event: &Value| {
        let verb = event["verb"].as_str().unwrap();
        event["user"]["username"] == account.as_str()
            && !matches!(verb, "get" | "list" | "watch")
            // It asks what it may do.
            && event["objectRef"]["apiGroup"] != "authorization.k8s.io"
            && event["objectRef"]["apiGroup"] != "argoproj.io"
            && event["objectRef"]["resource"] != "events"
    };
    mark.all().into_iter().filter(is_write).collect()
}

#[tokio::test]
#[ignore = "takes an hour, or POLDER_RESYNC_MINUTES"]
async fn an_hour_of_resyncs() {
    let minutes = env::var(MINUTES).map_or(60, |text| text.parse().unwrap());
    let (tenant, repository) = start("g-hour").await;
    // The Domain from one repository, and a team's workloads from another.
    let team = format!("{}-gitops", tenant.name);
    forget(&tenant.api, &team).await;
    let workloads = Repository::new(&argocd().await.folder, "g-hour-team");
    let source = json!({"argocd": {"repo": workloads.url(), "revision": "main"}});
    let domain = format!("{DOMAIN}  monitoring: {{enabled: true}}\n  gitops: {source}\n");
    let commit = repository.push(&[
        ("domain.yaml", &in_wave(&tenant, &domain, "0")),
        ("cluster.yaml", &in_wave(&tenant, CLUSTER, "1")),
        ("job.yaml", &in_wave(&tenant, JOB, "1")),
    ]);
    let theirs = workloads.push(&[("endpoint.yaml", ENDPOINT), ("nightly.yaml", SCHEDULED)]);
    follow(&tenant, &repository).await;
    for (name, commit) in [(&tenant.name, &commit), (&team, &theirs)] {
        application(&tenant.api, name, "to be Healthy", |it| {
            stands(it, commit, "Synced", "Healthy")
                && it["status"]["operationState"]["phase"] == "Succeeded"
        })
        .await;
    }
    for (kind, name) in WORKLOADS {
        tenant.wait_ready(kind, name).await;
    }
    // The Domain's status tells of both.
    let told = |it: &Value| {
        it["status"]["workloads"]["summary"] == "4/4 ready" && it.to_string().contains("\"Synced\"")
    };
    tenant.until("Domain", &tenant.name, "to tell of its workloads", told).await;
    application(&tenant.api, &tenant.name, "to be Healthy with them", |it| {
        stands(it, &commit, "Synced", "Healthy")
    })
    .await;

    let (before, mark) = (versions(&tenant).await, Mark::now());
    let hour = Duration::from_mins(minutes);
    let (platform, teams) = tokio::select! {
        looks = async {
            tokio::join!(
                observe(&tenant, &tenant.name, &commit, hour),
                observe(&tenant, &team, &theirs, hour),
            )
        } => looks,
        () = refresh_hard(&tenant, [&tenant.name, &team]) => unreachable!("it goes on for ever"),
    };
    eprintln!("{minutes} minutes: {platform} looks at the Domain's, {teams} at the team's");
    let enough = usize::try_from(minutes / 3).unwrap();
    assert!(platform > enough && teams > enough, "Argo CD hardly looked: {platform}, {teams}");
    assert_eq!(versions(&tenant).await, before);
    let writes: Vec<Request> = mark.writes_of(&tenant.name);
    assert_eq!(writes, [], "the operator wrote");
    assert_eq!(writes_of_argo_cd(mark), Vec::<Value>::new(), "Argo CD wrote");
    tenant.end();
}
