//! Traces of reconciles, as a collector gets them.

use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
};

use crate::{
    install::installation, manifests::DOMAIN, operator::Operator, receiver::body, tenant::Tenant,
    turn::alone,
};

#[tokio::test]
async fn a_collector_gets_a_span_with_the_name_of_the_object() {
    let _turn = alone().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("--otlp-endpoint=http://{}", listener.local_addr().unwrap());
    let received: Arc<Mutex<Vec<u8>>> = Arc::default();
    let spans = Arc::clone(&received);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            spans.lock().unwrap().extend(body(stream));
        }
    });
    // Texts stand in Protobuf as they are.
    let has = |text: &str| {
        let spans = received.lock().unwrap();
        spans.windows(text.len()).any(|bytes| bytes == text.as_bytes())
    };

    let mut operator = Operator::start_with(installation().await, "traced", &[endpoint]);
    operator.ready().await;
    let tenant = Tenant::alone("m-traces").await;
    tenant.clean().await;
    tenant.apply(DOMAIN).await;
    tenant.wait_ready("Domain", "m-traces").await;
    // What is still in hand is sent at the end.
    assert!(operator.terminate(), "{}", operator.tail(""));
    for text in
        ["service.name", "reconcile", "Domain m-traces", "request", "ResourceQuota", "apply"]
    {
        assert!(has(text), "no {text:?} in the spans; {}", operator.tail(""));
    }
    let line = operator.log("Domain m-traces").pop().expect("a line about the domain");
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    let id = line["traceID"].as_str().unwrap_or_else(|| panic!("no trace: {line}"));
    assert_eq!(id.len(), 32, "{line}");
}
