use futures::FutureExt;
use serde_json::{Value, json};

use super::*;
use crate::engine::decode::Decoder;

const ROOTS: ResourceType =
    ResourceType { group: "x", version: "v1", kind: "Root", plural: "roots", namespaced: true };
const PODS: ResourceType =
    ResourceType { group: "", version: "v1", kind: "Pod", plural: "pods", namespaced: true };
const ROOT: usize = 0;
const POD: usize = 1;

struct Fixture {
    world: World,
    decoders: Vec<Decoder>,
}

impl Fixture {
    fn new() -> Self {
        let metrics = Metrics::new().unwrap();
        let entries = [
            TypeEntry { resource: ROOTS, selector: None, root: Some((TypeId::of::<()>(), 0)) },
            TypeEntry { resource: PODS, selector: Some("by=us"), root: None },
        ];
        let queue = Arc::new(Queue::new("root", metrics.clone()));
        let decoder = |resource, root: bool| Decoder {
            resource,
            keep: if root { &[] } else { &["/status"] },
            managers: Arc::from(["polder/root"]),
            root: root.then(|| {
                let decode: Arc<crate::engine::decode::DecodeRoot> = Arc::new(|_| {
                    Ok(crate::engine::decode::Decoded {
                        object: Arc::new(()),
                        face: None,
                        home: None,
                    })
                });
                decode
            }),
            shards: 1,
        };
        Self {
            world: World::new(&entries, vec![queue], metrics),
            decoders: vec![decoder(ROOTS, true), decoder(PODS, false)],
        }
    }

    fn decode(&self, index: usize, object: &Value) -> Incoming {
        self.decoders[index].decode(&object.to_string()).unwrap()
    }

    fn watched(&self, index: usize, object: &Value) {
        self.world.put_watched(index, self.decode(index, object));
    }

    fn listed(&self, index: usize, objects: &[Value], version: u64) {
        self.world.begin_list(index);
        for object in objects {
            self.world.put_listed(index, self.decode(index, object));
        }
        self.world.end_list(index, version);
    }

    /// The roots woken since the last call.
    fn woken(&self) -> Vec<String> {
        let mut woken = Vec::new();
        let queue = &self.world.queues[0];
        while let Some(path) = queue.next().now_or_never() {
            queue.done(&path, None);
            woken.push(path.to_string());
        }
        woken.sort();
        woken
    }

    fn names(&self, index: usize) -> Vec<String> {
        let stored = self.world.in_namespace(index, "n", None);
        stored.into_iter().map(|stored| stored.record.key.name.clone()).collect()
    }
}

fn root(name: &str, version: u64) -> Value {
    json!({"metadata": {"name": name, "namespace": "n", "uid": format!("uid-{name}"),
        "resourceVersion": version.to_string(), "generation": 1}})
}

fn pod(name: &str, version: u64, owner: &str, phase: &str) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "n", "uid": format!("uid-{name}"),
            "resourceVersion": version.to_string(),
            "labels": {"by": "us", "app.kubernetes.io/name": "app", "app.kubernetes.io/instance": owner},
            "ownerReferences": [{"uid": format!("uid-{owner}"), "controller": true}]},
        "status": {"phase": phase},
    })
}

fn id(name: &str) -> RootId {
    RootId { controller: 0, path: format!("n/{name}").into() }
}

#[test]
fn a_change_wakes_the_owner_and_who_looked_and_nobody_else() {
    let f = Fixture::new();
    for name in ["owner", "looker", "grouper", "lister", "other"] {
        f.watched(ROOT, &root(name, 1));
    }
    assert_eq!(f.woken().len(), 5);
    f.world.look(POD, "n/p", Some(&id("looker")));
    f.world.in_group(POD, Dep::group(POD, "n", "app", "owner"), Some(&id("grouper")));
    f.world.in_namespace(POD, "n", Some((&id("lister"), Dep::namespace(POD, "n"))));
    f.world.look(POD, "n/q", Some(&id("other")));
    let concerned = ["n/grouper", "n/lister", "n/looker", "n/owner"];

    f.watched(POD, &pod("p", 10, "owner", "Pending"));
    assert_eq!(f.woken(), concerned, "created");
    f.watched(POD, &pod("p", 11, "owner", "Running"));
    assert_eq!(f.woken(), concerned, "a kept part changed");
    f.watched(POD, &pod("p", 12, "owner", "Running"));
    assert!(f.woken().is_empty(), "nothing kept changed");
    f.watched(POD, &pod("p", 9, "owner", "Pending"));
    assert!(f.woken().is_empty(), "an old event");
    f.world.remove(POD, "n/p", 13);
    assert_eq!(f.woken(), concerned, "deleted");
    f.world.retain_deps(&id("looker"), &HashSet::new());
    f.watched(POD, &pod("p", 14, "owner", "Pending"));
    assert_eq!(f.woken(), ["n/grouper", "n/lister", "n/owner"], "looked no more");
}

#[tokio::test(start_paused = true)]
async fn who_looked_aside_is_woken_once_and_not_at_once() {
    let f = Fixture::new();
    for name in ["owner", "aside", "both"] {
        f.watched(ROOT, &root(name, 1));
    }
    f.woken();
    let dep = Dep::object(POD, "n/p").aside();
    f.world.look_by(POD, "n/p", Some((&id("aside"), dep)));
    f.world.look_by(POD, "n/p", Some((&id("both"), dep)));
    f.world.look(POD, "n/p", Some(&id("both")));
    f.watched(POD, &pod("p", 10, "owner", "Pending"));
    assert_eq!(f.woken(), ["n/both", "n/owner"]);
    tokio::time::advance(ASIDE / 2).await;
    f.watched(POD, &pod("p", 11, "owner", "Running"));
    assert_eq!(f.woken(), ["n/both", "n/owner"]);
    tokio::time::advance(ASIDE / 2).await;
    assert_eq!(f.woken(), ["n/aside"], "once, a second after the first change");
    tokio::time::advance(ASIDE * 2).await;
    assert!(f.woken().is_empty());
}

#[test]
fn who_asked_for_a_type_is_woken_when_it_comes_and_goes() {
    let f = Fixture::new();
    for name in ["asker", "other"] {
        f.watched(ROOT, &root(name, 1));
    }
    f.watched(POD, &pod("p", 10, "nobody", "Running"));
    f.woken();
    assert_eq!(f.world.served(POD, Some(&id("asker"))), Served::Yes);
    assert!(!f.world.set_served(POD, Served::Yes));
    assert!(f.woken().is_empty(), "no news");
    assert!(f.world.set_served(POD, Served::NotInstalled));
    assert_eq!(f.woken(), ["n/asker"]);
    assert!(f.names(POD).is_empty(), "what is not served is not there");
    assert_eq!(f.world.served(POD, Some(&id("asker"))), Served::NotInstalled);
    f.world.set_served(POD, Served::Yes);
    assert_eq!(f.woken(), ["n/asker"]);
}

#[test]
fn ones_own_write_is_no_news() {
    let f = Fixture::new();
    f.watched(ROOT, &root("owner", 1));
    f.watched(ROOT, &root("other", 2));
    f.world.look(POD, "n/p", Some(&id("other")));
    f.woken();

    // The answer comes first.
    f.world.begin_write(POD, "n/p", &id("owner"));
    f.world.end_write(POD, f.decode(POD, &pod("p", 10, "owner", "a")), &id("owner"));
    f.watched(POD, &pod("p", 10, "owner", "a"));
    assert_eq!(f.woken(), ["n/other"]);

    // The event comes first.
    f.world.begin_write(POD, "n/p", &id("owner"));
    f.watched(POD, &pod("p", 11, "owner", "b"));
    f.world.end_write(POD, f.decode(POD, &pod("p", 11, "owner", "b")), &id("owner"));
    assert_eq!(f.woken(), ["n/other"]);

    // Somebody changes it before the answer comes.
    f.world.begin_write(POD, "n/p", &id("owner"));
    f.watched(POD, &pod("p", 12, "owner", "c"));
    f.watched(POD, &pod("p", 13, "owner", "d"));
    f.world.end_write(POD, f.decode(POD, &pod("p", 12, "owner", "c")), &id("owner"));
    assert_eq!(f.woken(), ["n/other", "n/owner"]);
    assert_eq!(f.world.get(POD, "n/p").unwrap().version, 13);

    // Nobody knows what became of the write.
    f.world.begin_write(POD, "n/p", &id("owner"));
    f.watched(POD, &pod("p", 14, "owner", "e"));
    f.world.abort_write(POD, "n/p", &id("owner"));
    assert_eq!(f.woken(), ["n/other", "n/owner"]);
}

#[test]
fn a_change_just_before_ones_own_write_is_news() {
    let f = Fixture::new();
    f.watched(ROOT, &root("owner", 1));
    f.woken();
    let changed = |version: u64, generation: u64| {
        let mut root = root("owner", version);
        root["metadata"]["generation"] = json!(generation);
        root
    };

    // Its event comes while the write is on its way.
    f.world.begin_write(ROOT, "n/owner", &id("owner"));
    f.watched(ROOT, &changed(10, 2));
    f.world.end_write(ROOT, f.decode(ROOT, &changed(11, 2)), &id("owner"));
    assert_eq!(f.woken(), ["n/owner"]);
    f.watched(ROOT, &changed(11, 2));
    assert!(f.woken().is_empty());

    // Its event comes after the answer, and is too old to be one.
    f.world.begin_write(ROOT, "n/owner", &id("owner"));
    f.world.end_write(ROOT, f.decode(ROOT, &changed(21, 3)), &id("owner"));
    assert_eq!(f.woken(), ["n/owner"]);
    f.watched(ROOT, &changed(20, 3));
    f.watched(ROOT, &changed(21, 3));
    assert!(f.woken().is_empty());

    // Both again for the state of a child.
    f.watched(POD, &pod("p", 30, "owner", "a"));
    f.woken();
    f.world.begin_write(POD, "n/p", &id("owner"));
    f.watched(POD, &pod("p", 31, "owner", "b"));
    f.world.end_write(POD, f.decode(POD, &pod("p", 32, "owner", "b")), &id("owner"));
    assert_eq!(f.woken(), ["n/owner"]);
    f.world.begin_write(POD, "n/p", &id("owner"));
    f.world.end_write(POD, f.decode(POD, &pod("p", 42, "owner", "c")), &id("owner"));
    assert_eq!(f.woken(), ["n/owner"]);
}

#[test]
fn a_late_answer_brings_no_deleted_object_back() {
    let f = Fixture::new();
    f.watched(ROOT, &root("owner", 1));
    f.woken();
    f.world.begin_write(POD, "n/p", &id("owner"));
    f.watched(POD, &pod("p", 10, "owner", "a"));
    f.world.remove(POD, "n/p", 11);
    f.world.end_write(POD, f.decode(POD, &pod("p", 10, "owner", "a")), &id("owner"));
    assert!(f.world.get(POD, "n/p").is_none());
    assert_eq!(f.woken(), ["n/owner"]);

    // An object that its watch will not show is not kept either.
    let mut unlabelled = pod("p", 20, "owner", "a");
    unlabelled["metadata"]["labels"] = json!({});
    f.world.end_write(POD, f.decode(POD, &unlabelled), &id("owner"));
    assert!(f.world.get(POD, "n/p").is_none());
}

#[test]
fn a_relist_notices_what_was_deleted_meanwhile() {
    let f = Fixture::new();
    f.watched(ROOT, &root("owner", 1));
    f.listed(POD, &[pod("a", 10, "owner", "x"), pod("b", 11, "owner", "x")], 12);
    f.woken();
    // Our own answer, newer than the list, which was taken before it.
    f.world.begin_list(POD);
    f.world.end_write(POD, f.decode(POD, &pod("c", 30, "owner", "x")), &id("owner"));
    f.world.put_listed(POD, f.decode(POD, &pod("a", 10, "owner", "x")));
    f.world.end_list(POD, 20);
    assert_eq!(f.names(POD), ["a", "c"]);
    assert_eq!(f.woken(), ["n/owner"]);
    assert_eq!(f.world.owned_by("uid-owner").len(), 2);
    f.listed(POD, &[], 40);
    assert!(f.names(POD).is_empty());
    assert!(f.world.owned_by("uid-owner").is_empty());
}

#[test]
fn a_recreated_root_owns_nothing_of_its_predecessor() {
    let f = Fixture::new();
    f.watched(ROOT, &root("r", 1));
    f.watched(POD, &pod("p", 2, "r", "x"));
    let mut again = root("r", 3);
    again["metadata"]["uid"] = json!("uid-new");
    f.watched(ROOT, &again);
    f.woken();
    f.watched(POD, &pod("p", 4, "r", "y"));
    assert!(f.woken().is_empty(), "the old uid is nobody's");
    assert!(f.world.owned_by("uid-new").is_empty());
}

#[test]
fn a_deletion_of_an_older_object_leaves_the_new_one() {
    let f = Fixture::new();
    f.watched(POD, &pod("p", 20, "r", "x"));
    f.world.remove(POD, "n/p", 15);
    assert!(f.world.get(POD, "n/p").is_some());
}

#[test]
fn equal_labels_and_fields_are_one() {
    let f = Fixture::new();
    f.watched(POD, &pod("a", 1, "r", "x"));
    f.watched(POD, &pod("b", 2, "r", "x"));
    let (a, b) = (f.world.get(POD, "n/a").unwrap(), f.world.get(POD, "n/b").unwrap());
    assert!(Arc::ptr_eq(&a.record.labels, &b.record.labels));
}

#[test]
fn namespaces_do_not_run_into_each_other() {
    let f = Fixture::new();
    for (namespace, version) in [("n", 1), ("n-1", 2), ("n0", 3), ("m", 4)] {
        let mut object = pod("p", version, "r", "x");
        object["metadata"]["namespace"] = json!(namespace);
        f.watched(POD, &object);
    }
    assert_eq!(f.world.in_namespace(POD, "n", None).len(), 1);
    assert_eq!(f.world.in_namespace(POD, "n-1", None).len(), 1);
}
