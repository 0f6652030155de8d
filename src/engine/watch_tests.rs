use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body, extract::State, http::Uri, response::Response};
use futures::{StreamExt, stream};
use serde_json::{Value, json};

use super::*;
use crate::{
    engine::{Engine, EngineBuilder, Options, ResourceType, Served, Watch, client, context::lock},
    telemetry::{Health, Metrics},
};

const THINGS: ResourceType =
    ResourceType { group: "x", version: "v1", kind: "Thing", plural: "things", namespaced: true };

/// What an API server answers, in order: lists and watches. A watch that ends with `null` stays
/// open.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<(VecDeque<Value>, Vec<String>)>>);

async fn answer(State(script): State<Script>, uri: Uri) -> Response {
    let step = {
        let mut state = lock(&script.0);
        state.1.push(uri.query().unwrap_or_default().to_owned());
        state.0.pop_front()
    };
    let respond = |code: u16, body: Body| Response::builder().status(code).body(body).unwrap();
    let nothing_more = stream::pending::<Result<String, io::Error>>();
    match step {
        Some(Value::Array(lines)) => {
            let open = lines.last().is_some_and(Value::is_null);
            let lines: Vec<_> = lines
                .into_iter()
                .filter(|line| !line.is_null())
                .map(|line| Ok::<_, io::Error>(format!("{line}\n")))
                .collect();
            let tail = nothing_more.take(usize::from(open));
            respond(200, Body::from_stream(stream::iter(lines).chain(tail)))
        }
        Some(status) if status["code"].is_u64() => {
            let code = u16::try_from(status["code"].as_u64().unwrap()).unwrap();
            respond(code, Body::from(status.to_string()))
        }
        Some(list) => respond(200, Body::from(list.to_string())),
        None => respond(200, Body::from_stream(nothing_more)),
    }
}

fn thing(name: &str, version: u64) -> Value {
    let version = version.to_string();
    json!({"metadata": {"name": name, "namespace": "n", "uid": name, "resourceVersion": version}})
}

fn list(version: u64, next: &str, items: &[Value]) -> Value {
    json!({"metadata": {"resourceVersion": version.to_string(), "continue": next}, "items": items})
}

fn event(kind: &str, object: &Value) -> Value {
    json!({"type": kind, "object": object})
}

/// Runs the script and waits until these are known; returns the queries.
async fn play(steps: Vec<Value>, expected: &[&str]) -> Vec<String> {
    let (queries, _) = play_as(steps, expected, EngineBuilder::watch).await;
    queries
}

/// The same for a type that is registered in one way or the other; also returns whether it is
/// served in the end.
async fn play_as(
    steps: Vec<Value>,
    expected: &[&str],
    register: fn(EngineBuilder, Watch) -> EngineBuilder,
) -> (Vec<String>, Served) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let script = Script(Arc::new(Mutex::new((steps.into(), Vec::new()))));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let router = Router::new().fallback(answer).with_state(script.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let options = Options::new(Metrics::new().unwrap(), Health::new());
    let builder = Engine::builder(client(kube::Config::new(url)).unwrap(), options);
    let watch = Watch { resource: THINGS, selector: Some("a=b"), keep: &[] };
    let engine = register(builder, watch).build().unwrap();
    let context = engine.context().clone();
    let (filled, _done) = mpsc::channel(1);
    let task = tokio::spawn(run(context.clone(), 0, filled));
    let names = || -> Vec<String> {
        let stored = context.world.in_namespace(0, "n", None);
        stored.iter().map(|s| format!("{}@{}", s.record.key.name, s.version)).collect()
    };
    let deadline = Instant::now() + Duration::from_secs(10);
    while names() != expected || !lock(&script.0).0.is_empty() {
        assert!(Instant::now() < deadline, "{:?} is not {expected:?}", names());
        context.world.note_definition();
        sleep(Duration::from_millis(5)).await;
    }
    task.abort();
    let queries = lock(&script.0).1.clone();
    (queries, context.world.served(0, None))
}

#[test]
fn query_values_are_encoded() {
    assert_eq!(encode("a.b/c=d,e"), "a.b%2Fc%3Dd%2Ce");
}

#[tokio::test]
async fn pages_are_listed_and_then_followed() {
    let steps = vec![
        list(10, "more/", &[thing("a", 3)]),
        list(10, "", &[thing("b", 4)]),
        json!([
            event("ADDED", &thing("c", 11)),
            event("MODIFIED", &thing("a", 12)),
            event("DELETED", &thing("b", 13)),
            null
        ]),
    ];
    let queries = play(steps, &["a@12", "c@11"]).await;
    assert_eq!(queries[0], "limit=500&labelSelector=a%3Db");
    assert_eq!(queries[1], "limit=500&labelSelector=a%3Db&continue=more%2F");
    assert!(queries[2].contains("resourceVersion=10&allowWatchBookmarks=true"), "{}", queries[2]);
}

#[tokio::test]
async fn a_closed_watch_is_resumed_where_it_ended() {
    let bookmark = json!({"metadata": {"resourceVersion": "20"}});
    let steps = vec![
        list(10, "", &[]),
        json!([event("ADDED", &thing("a", 11)), event("BOOKMARK", &bookmark)]),
        json!([event("ADDED", &thing("b", 21)), null]),
    ];
    let queries = play(steps, &["a@11", "b@21"]).await;
    assert!(queries[2].contains("resourceVersion=20&"), "{}", queries[2]);
}

#[tokio::test]
async fn too_old_a_version_means_a_new_list_that_shows_what_was_missed() {
    let gone = json!({"kind": "Status", "status": "Failure", "code": 410, "reason": "Expired"});
    for expired in [json!([event("ERROR", &gone)]), gone.clone()] {
        let steps = vec![
            list(10, "", &[thing("a", 3), thing("b", 4)]),
            expired,
            list(30, "", &[thing("b", 4), thing("c", 25)]),
        ];
        let queries = play(steps, &["b@4", "c@25"]).await;
        assert!(queries[2].starts_with("limit=500"), "{queries:?}");
    }
}

#[tokio::test]
async fn a_failing_server_is_asked_again() {
    let down = json!({"kind": "Status", "status": "Failure", "code": 503, "reason": "Down"});
    let steps = vec![
        down.clone(),
        list(10, "", &[thing("a", 3)]),
        down,
        json!([event("ADDED", &thing("b", 11)), null]),
    ];
    let queries = play(steps, &["a@3", "b@11"]).await;
    assert!(queries[3].contains("resourceVersion=10&"), "{queries:?}");
}

#[tokio::test]
async fn an_unreadable_object_is_left_out() {
    let steps = vec![
        list(10, "", &[json!({"metadata": {}}), thing("a", 3)]),
        json!([event("ADDED", &json!(1)), event("ADDED", &thing("b", 11)), null]),
    ];
    play(steps, &["a@3", "b@11"]).await;
}

fn refusal(code: u16) -> Value {
    json!({"kind": "Status", "status": "Failure", "code": code, "message": "no"})
}

#[tokio::test]
async fn an_optional_type_may_come_later() {
    let steps = vec![
        refusal(404),
        refusal(403),
        list(10, "", &[thing("a", 3)]),
        json!([event("ADDED", &thing("b", 11)), null]),
    ];
    let (_, served) = play_as(steps, &["a@3", "b@11"], EngineBuilder::optional_watch).await;
    assert_eq!(served, Served::Yes);
}

#[test]
fn a_type_that_we_may_not_see_is_asked_for_less_and_less() {
    let wait = |absences| ABSENT.ceiling(absences);
    assert_eq!([1, 2, 4].map(wait), [1, 2, 8].map(|times| ABSENT.base * times));
    assert_eq!([40, u32::MAX].map(wait), [LONG_RECHECK; 2]);
}

#[tokio::test]
async fn an_optional_type_may_go() {
    let steps = vec![list(10, "", &[thing("a", 3)]), refusal(404), refusal(404)];
    let (queries, served) = play_as(steps, &[], EngineBuilder::optional_watch).await;
    assert_eq!(served, Served::NotInstalled);
    assert!(queries[2].starts_with("limit=500"), "{queries:?}");
}

#[tokio::test]
async fn a_type_that_must_be_there_is_waited_for() {
    let steps = vec![refusal(404), list(10, "", &[thing("a", 3)])];
    let (_, served) = play_as(steps, &["a@3"], EngineBuilder::watch).await;
    assert_eq!(served, Served::Yes);
}
