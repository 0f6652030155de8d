//! A real Prometheus scrapes the operator, and a real Alertmanager tells who wants to know: the alert
//! fires when a domain breaks, and is resolved when it heals.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

use super::groups;
use crate::{
    operator::{free_port, get},
    program::start,
    receiver::body,
    tenant::Tenant,
    turn::shared_port,
};

/// Takes what Alertmanager sends, as pairs of status and alert.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Vec<Value>>>);

impl Receiver {
    fn listen() -> (Self, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let receiver = Self::default();
        let alerts = Arc::clone(&receiver.0);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let told = serde_json::from_slice::<Value>(&body(stream)).unwrap();
                alerts.lock().unwrap().extend(told["alerts"].as_array().unwrap().clone());
            }
        });
        (receiver, port)
    }

    fn find(&self, alert: &str, domain: &str, status: &str) -> Option<Value> {
        let alerts = self.0.lock().unwrap();
        let is_it = |it: &&Value| {
            it["labels"]["alertname"] == alert
                && it["labels"]["domain"] == domain
                && it["status"] == status
        };
        alerts.iter().find(is_it).cloned()
    }
}

fn write(folder: &Path, name: &str, content: &Value) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content.to_string()).unwrap();
    path
}

/// The chart's alerts, with a second for what must last minutes.
fn hasty_rules() -> Value {
    let mut groups = groups();
    for group in groups["groups"].as_array_mut().unwrap() {
        for rule in group["rules"].as_array_mut().unwrap() {
            if let Some(lasts) = rule.get_mut("for") {
                *lasts = json!("1s");
            }
        }
    }
    groups
}

#[tokio::test]
async fn an_alert_fires_when_a_domain_breaks_and_is_resolved_when_it_heals() {
    let tenant = Tenant::ready("m-alerts").await;
    let folder = std::env::temp_dir().join(format!("polder-prometheus-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (receiver, hook) = Receiver::listen();
    let (prometheus, alertmanager) = (free_port(), free_port());
    let config = json!({
        "route": {"receiver": "test", "group_by": ["..."], "group_wait": "0s",
                  "group_interval": "1s", "repeat_interval": "1h"},
        "receivers": [{"name": "test", "webhook_configs": [
            {"url": format!("http://127.0.0.1:{hook}/"), "send_resolved": true}]}],
    });
    let _alertmanager = start(
        "prometheus-alertmanager",
        &folder,
        &[
            format!("--config.file={}", write(&folder, "alertmanager.yml", &config).display()),
            format!("--storage.path={}", folder.join("alertmanager").display()),
            format!("--web.listen-address=127.0.0.1:{alertmanager}"),
            "--cluster.listen-address=".to_owned(),
        ],
        &[],
    );
    let rules = write(&folder, "alerts.yaml", &hasty_rules());
    let config = json!({
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [rules],
        "alerting": {"alertmanagers": [
            {"static_configs": [{"targets": [format!("127.0.0.1:{alertmanager}")]}]}]},
        "scrape_configs": [{"job_name": "polder", "static_configs": [
            {"targets": [format!("127.0.0.1:{}", shared_port().unwrap())]}]}],
    });
    let _prometheus = start(
        "prometheus",
        &folder,
        &[
            format!("--config.file={}", write(&folder, "prometheus.yml", &config).display()),
            format!("--storage.tsdb.path={}", folder.join("prometheus").display()),
            format!("--web.listen-address=127.0.0.1:{prometheus}"),
            "--rules.alert.resend-delay=1s".to_owned(),
        ],
        &[],
    );
    // It asks for OpenMetrics, and takes nothing of an answer that it cannot parse.
    tenant
        .wait("the operator to be scraped", async || {
            let answer = get(prometheus, "/api/v1/query?query=up")?;
            let answer: Value = serde_json::from_str(&answer).ok()?;
            (answer["data"]["result"][0]["value"][1] == "1").then_some(())
        })
        .await;

    let broken = json!({"spec": {"quota": {"hard": {"unicorns": "3"}}}});
    tenant.patch("Domain", "m-alerts", broken).await;
    tenant.wait_reason("Domain", "m-alerts", "UnknownResource").await;
    let alert = tenant
        .wait("the alert to fire", async || {
            receiver.find("PolderDomainStalled", "m-alerts", "firing")
        })
        .await;
    assert_eq!(alert["labels"]["severity"], "warning");
    let told = alert["annotations"]["description"].as_str().unwrap();
    assert!(told.contains("kubectl describe domain m-alerts"), "{told}");

    let healed = json!({"spec": {"quota": {"hard": {"unicorns": null}}}});
    tenant.patch("Domain", "m-alerts", healed).await;
    tenant.wait_ready("Domain", "m-alerts").await;
    tenant
        .wait("the alert to be resolved", async || {
            receiver.find("PolderDomainStalled", "m-alerts", "resolved")
        })
        .await;
    assert!(receiver.find("PolderDown", "", "firing").is_none());
    std::fs::remove_dir_all(&folder).unwrap();
    tenant.end();
}
