//! Who can talk to whom, as an analyser understands the policies that are in the API server:
//! cyclonus, whose code is not ours (dev/go/netpol). The network of a simulated node enforces
//! nothing.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{install::run, manifests::JOB, tenant::Tenant};

const A: &str = "iso-a";
const B: &str = "iso-b";
const PORTS: [u16; 6] = [53, 443, 5432, 6443, 7078, 10000];

/// From, to, ports, protocols: what is to be possible. Nobody else reaches a pod of a domain, and
/// no pod of a domain reaches anybody else.
const ALLOWED: &[(&str, &str, &[u16], &[&str])] = &[
    // Inside.
    ("a1", "a2 driver", &PORTS, &["TCP", "UDP"]),
    ("a2", "a1 driver", &PORTS, &["TCP", "UDP"]),
    ("driver", "a1 a2", &PORTS, &["TCP", "UDP"]),
    ("b1", "b2", &PORTS, &["TCP", "UDP"]),
    ("b2", "b1", &PORTS, &["TCP", "UDP"]),
    // DNS, to whoever resolves names; the other domain lets nothing in, on this port neither.
    ("a1 a2 driver b1 b2", "dns bi db other web lan elsewhere client api", &[53], &["TCP", "UDP"]),
    // The lists.
    ("bi", "a1 a2 driver", &[10000], &["TCP"]),
    ("client", "a1 a2 driver", &PORTS, &["TCP", "UDP"]),
    ("a1 a2 driver", "db", &[5432], &["TCP"]),
    ("a1 a2 driver", "lan", &[5432], &["TCP"]),
    // The API server, wherever it is, for drivers. Without its address nothing closer can be said.
    ("driver", "api dns bi db other web lan elsewhere client", &[443, 6443], &["TCP"]),
];

/// Labels of a driver's pod, from the Job that the operator made.
async fn driver_labels(tenant: &Tenant) -> Value {
    tenant.apply(JOB).await;
    let jobs = tenant.wait("the driver's Job", async || {
        let jobs = tenant.list("Job", "").await;
        (!jobs.is_empty()).then_some(jobs)
    });
    jobs.await[0]["spec"]["template"]["metadata"]["labels"].clone()
}

async fn policies(tenant: &Tenant) -> Vec<Value> {
    tenant.list("NetworkPolicy", "").await
}

/// Pods and addresses, by name.
fn peers(labels: &Value) -> Value {
    let pod = |namespace: &str, ip: &str, labels: Value| {
        json!({"namespace": namespace, "ip": ip, "labels": labels,
            "namespaceLabels": {"kubernetes.io/metadata.name": namespace}})
    };
    let plain = |name: &str| json!({"app": name});
    json!({
        "a1": pod(A, "10.244.1.1", plain("a1")), "a2": pod(A, "10.244.1.2", plain("a2")),
        "driver": pod(A, "10.244.1.3", labels.clone()),
        "b1": pod(B, "10.244.2.1", plain("b1")), "b2": pod(B, "10.244.2.2", plain("b2")),
        "bi": pod("iso-bi", "10.244.3.1", plain("bi")), "db": pod("iso-db", "10.244.4.1", plain("db")),
        "other": pod("iso-other", "10.244.5.1", plain("other")),
        "dns": pod("kube-system", "10.244.6.1", json!({"k8s-app": "kube-dns"})),
        "api": {"ip": "172.16.0.1"}, "web": {"ip": "93.184.216.34"}, "client": {"ip": "10.1.2.3"},
        "lan": {"ip": "10.20.3.4"}, "elsewhere": {"ip": "10.21.0.1"},
    })
}

fn line(from: &str, to: &str, port: u16, protocol: &str) -> String {
    format!("{from} -> {to} {protocol} {port}")
}

/// Every connection that is possible to or from a pod of a domain.
fn analysed(policies: &[Value], peers: &Value) -> BTreeSet<String> {
    let mut traffic = Vec::new();
    let in_domain = |name: &str| [A, B].contains(&peers[name]["namespace"].as_str().unwrap_or(""));
    for from in peers.as_object().unwrap().keys() {
        for to in peers.as_object().unwrap().keys().filter(|to| *to != from) {
            if !in_domain(from) && !in_domain(to) {
                continue;
            }
            for (port, protocol) in PORTS.iter().flat_map(|port| [(port, "TCP"), (port, "UDP")]) {
                traffic.push(json!({"from": from, "to": to, "port": port, "protocol": protocol}));
            }
        }
    }
    let question = json!({"policies": policies, "peers": peers, "traffic": traffic});
    let verdicts: Vec<Value> =
        serde_json::from_str(&run("netpol", &[], &question.to_string())).unwrap();
    assert_eq!(verdicts.len(), traffic.len());
    let allowed = traffic
        .iter()
        .zip(&verdicts)
        .filter(|(_, verdict)| verdict["egress"] == true && verdict["ingress"] == true);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    allowed
        .map(|(it, _)| {
            let port = u16::try_from(it["port"].as_u64().unwrap()).unwrap();
            line(&text(&it["from"]), &text(&it["to"]), port, &text(&it["protocol"]))
        })
        .collect()
}

fn expected() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (from, to, ports, protocols) in ALLOWED {
        for (from, to) in from.split(' ').flat_map(|from| to.split(' ').map(move |to| (from, to))) {
            for (port, protocol) in
                ports.iter().flat_map(|p| protocols.iter().map(move |it| (p, it)))
            {
                all.insert(line(from, to, *port, protocol));
            }
        }
    }
    all
}

#[tokio::test]
async fn an_analyser_finds_the_ways_that_are_listed_and_no_other() {
    let (a, b) = (Tenant::new(A).await, Tenant::new(B).await);
    let domain = |network: &str| {
        format!(
            "apiVersion: polder.dev/v1alpha1\nkind: Domain\nmetadata: {{name: NAME}}\n\
             spec: {{deletionPolicy: Delete, network: {network}}}"
        )
    };
    let lists = "{allowFrom: [{namespace: iso-bi, ports: [10000]}, {cidr: 10.1.0.0/16}], \
                 allowTo: [{namespace: iso-db, ports: [5432]}, {cidr: 10.20.0.0/16, ports: [5432]}]}";
    a.apply(&domain(lists)).await;
    b.apply(&domain("{isolation: Strict}")).await;
    a.wait_ready("Domain", A).await;
    b.wait_ready("Domain", B).await;
    let peers = peers(&driver_labels(&a).await);
    let (of_a, of_b) = (policies(&a).await, policies(&b).await);
    let both = [of_a.clone(), of_b.clone()].concat();
    let (found, wanted) = (analysed(&both, &peers), expected());
    let more: Vec<_> = found.difference(&wanted).collect();
    let less: Vec<_> = wanted.difference(&found).collect();
    assert!(
        more.is_empty() && less.is_empty(),
        "open and not listed: {more:#?}\nlisted and closed: {less:#?}"
    );

    // The analyser can find a way: without policies it does.
    let open = analysed(&[], &peers);
    for way in [
        line("a1", "b1", 7078, "TCP"),
        line("b1", "a1", 443, "TCP"),
        line("a1", "api", 6443, "TCP"),
    ] {
        assert!(open.contains(&way) && !found.contains(&way), "{way}");
    }
    // Each domain holds by itself: what one lets out, the other does not let in.
    let only_b = analysed(&of_b, &peers);
    assert!(!only_b.contains(&line("a1", "b1", 7078, "TCP")));
    assert!(only_b.contains(&line("other", "a1", 7078, "TCP")));
    let only_a = analysed(&of_a, &peers);
    assert!(!only_a.contains(&line("a1", "b1", 7078, "TCP")));
    a.end();
    b.end();
}
