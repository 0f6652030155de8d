//! `polder audit` behind a real API server: one of its own, on the same etcd, with the policy file
//! that the documentation gives and its audit log to compare with.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use kube::{Client, Config};
use serde_json::{Value, json};

use crate::{
    api::{Api, documents, path},
    cluster::{eventually, request},
    install::{installation, run},
    tenant::{PATIENCE, Tenant},
};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/how-to/audit");
const TOKEN: &str = "a-token-of-the-tests-0123456789";
/// Content that must be in no file.
const MARKER: &str = "bm90LWZvci1hdWRpdA==";

/// A process that ends with the test.
struct Process(Child);

impl Process {
    fn start(program: &str, arguments: &[String], kubeconfig: &Path, log: &Path) -> Self {
        let output = File::options().append(true).create(true).open(log).unwrap();
        let mut command = Command::new("sh");
        // Ends what it runs when this process does, however that happens.
        let script = "\"$@\" & child=$!; trap 'kill -9 $child 2>/dev/null' EXIT
            if read -r word; then kill -TERM $child; wait $child; exit $?; fi";
        command.args(["-c", script, "sh"]);
        let child = command
            .arg(program)
            .args(arguments)
            .env("KUBECONFIG", kubeconfig)
            .env("NO_COLOR", "1")
            .stdin(Stdio::piped())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn();
        Self(child.unwrap())
    }

    /// At once, without warning.
    fn kill(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

impl Process {
    /// As Kubernetes stops a pod; whether it ended well.
    fn terminate(mut self) -> bool {
        self.0.stdin.take().unwrap().write_all(b"stop\n").unwrap();
        self.0.wait().unwrap().success()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Files and addresses of one run.
struct Stage {
    folder: PathBuf,
    receiver: u16,
    health: u16,
    api_server: u16,
    kubeconfig: PathBuf,
}

impl Stage {
    async fn new(api: &Api) -> Self {
        let folder = installation().await.folder.join("audit");
        fs::create_dir_all(&folder).unwrap();
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (receiver, health, api_server) = (free(), free(), free());
        let file = |name: &str| folder.join(name).display().to_string();
        let subject = ["-subj", "/CN=audit", "-addext", "subjectAltName=IP:127.0.0.1"];
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        let (key_file, certificate) = (file("tls.key"), file("tls.crt"));
        let mut arguments =
            vec!["req", "-x509", "-days", "2", "-keyout", &key_file, "-out", &certificate];
        arguments.extend(subject.iter().chain(&key));
        run("openssl", &arguments, "");
        fs::write(folder.join("token"), TOKEN).unwrap();
        let webhook = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "audit",
            "clusters": [{"name": "audit", "cluster": {"server": format!("https://127.0.0.1:{receiver}/audit"), "certificate-authority": certificate}}],
            "users": [{"name": "audit", "user": {"token": TOKEN}}],
            "contexts": [{"name": "audit", "context": {"cluster": "audit", "user": "audit"}}],
        });
        fs::write(folder.join("webhook.yaml"), webhook.to_string()).unwrap();
        let kubeconfig = receivers_kubeconfig(api, &folder);
        Self { folder, receiver, health, api_server, kubeconfig }
    }

    fn receiver(&self) -> Process {
        let file = |name: &str| self.folder.join(name).display().to_string();
        let arguments = [
            "audit".to_owned(),
            format!("--directory={}", file("files")),
            format!("--https-address=127.0.0.1:{}", self.receiver),
            format!("--http-address=127.0.0.1:{}", self.health),
            format!("--tls-cert={}", file("tls.crt")),
            format!("--tls-key={}", file("tls.key")),
            format!("--token-file={}", file("token")),
            "--max-file-size=32Ki".to_owned(),
        ];
        let log = self.folder.join("receiver.log");
        Process::start(env!("CARGO_BIN_EXE_polder"), &arguments, &self.kubeconfig, &log)
    }

    /// The cluster's API server once more, with a port, a policy and a log of its own.
    fn api_server(&self) -> Process {
        let log = PathBuf::from(std::env::var("POLDER_AUDIT_LOG").unwrap());
        let record = log.parent().unwrap().join("../pids/kube-apiserver.json");
        let record: Value = serde_json::from_str(&fs::read_to_string(record).unwrap()).unwrap();
        let line = fs::read(format!("/proc/{}/cmdline", record["pid"])).unwrap();
        let line = String::from_utf8(line).unwrap();
        let mut words = line.split('\0').filter(|word| !word.is_empty()).map(str::to_owned);
        let program = words.next().unwrap();
        let mut arguments: Vec<String> = words
            .filter(|word| !word.starts_with("--secure-port") && !word.starts_with("--audit-"))
            .collect();
        arguments.extend([
            format!("--secure-port={}", self.api_server),
            format!("--audit-policy-file={DOCS}/policy.yaml"),
            format!("--audit-log-path={}", self.folder.join("own.log").display()),
            "--audit-log-mode=blocking".to_owned(),
            "--audit-log-maxsize=10000".to_owned(),
            format!("--audit-webhook-config-file={}", self.folder.join("webhook.yaml").display()),
            // The defaults, but quicker and in smaller pieces.
            "--audit-webhook-batch-max-wait=200ms".to_owned(),
            "--audit-webhook-batch-max-size=10".to_owned(),
            "--audit-webhook-initial-backoff=2s".to_owned(),
        ]);
        Process::start(&program, &arguments, &self.kubeconfig, &self.folder.join("apiserver.log"))
    }

    /// The administrator, through that API server.
    async fn client(&self) -> Client {
        let mut config = Config::infer().await.unwrap();
        config.cluster_url = format!("https://127.0.0.1:{}", self.api_server).parse().unwrap();
        let client = Client::try_from(config).unwrap();
        let version = http::Request::get("/readyz").body(Vec::new()).unwrap();
        let ready = eventually(PATIENCE, async || client.request_text(version.clone()).await.ok());
        let log = || fs::read_to_string(self.folder.join("apiserver.log")).unwrap_or_default();
        assert!(ready.await.is_some(), "the API server is not ready:\n{}", log());
        client
    }

    /// Sends something to the receiver as an API server would, with this token.
    async fn send(&self, token: &str, body: &str) -> Result<String, String> {
        let mut config =
            Config::new(format!("https://127.0.0.1:{}", self.receiver).parse().unwrap());
        config.accept_invalid_certs = true;
        config.auth_info.token = Some(token.to_owned().into());
        let client = Client::try_from(config).unwrap();
        let request = http::Request::post("/audit").body(body.as_bytes().to_vec()).unwrap();
        client.request_text(request).await.map_err(|error| format!("{error:?}"))
    }

    /// Events that were kept for a stream, by identity, and how often.
    fn kept(&self, stream: &str) -> BTreeMap<String, usize> {
        let folder = self.folder.join("files").join(stream);
        let mut files: Vec<_> = fs::read_dir(folder)
            .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
            .unwrap_or_default();
        files.sort();
        let text: String = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
        count(text.lines().map(|line| serde_json::from_str(line).unwrap()))
    }

    /// Events of a domain in the API server's own log.
    fn logged(&self, domain: &str) -> BTreeMap<String, usize> {
        let text = fs::read_to_string(self.folder.join("own.log")).unwrap();
        let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let events = whole.map(|line| serde_json::from_str::<Value>(line).unwrap());
        count(events.filter(|event| {
            let object = &event["objectRef"];
            object["namespace"] == domain
                || (object["resource"] == "domains" && object["name"] == domain)
        }))
    }
}

fn count(events: impl Iterator<Item = Value>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for event in events {
        let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
        let object = &event["objectRef"];
        let about = format!("{}/{}/{}", object["namespace"], object["resource"], object["name"]);
        let identity =
            [text("auditID"), text("stage"), text("stageTimestamp"), text("verb"), about];
        *counts.entry(identity.join(" ")).or_default() += 1;
    }
    counts
}

/// Of the service account in the documentation, with its rights and no other.
fn receivers_kubeconfig(_: &Api, folder: &Path) -> PathBuf {
    let all = documents(&fs::read_to_string(format!("{DOCS}/receiver.yaml")).unwrap());
    let wanted = ["ServiceAccount", "ClusterRole", "ClusterRoleBinding"];
    let items: Vec<&Value> =
        all.iter().filter(|it| wanted.contains(&it["kind"].as_str().unwrap())).collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    run("kubectl", &["apply", "--server-side", "-f", "-"], &list.to_string());
    // The rest is checked, and not made.
    let rest: Vec<&Value> =
        all.iter().filter(|it| !wanted.contains(&it["kind"].as_str().unwrap())).collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": rest});
    let check = ["apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-"];
    run("kubectl", &check, &list.to_string());
    let token = run("kubectl", &["create", "token", "polder-audit", "-n", "polder-system"], "");
    let view = ["config", "view", "--minify", "--raw", "-o", "json"];
    let mut config: Value = serde_json::from_str(&run("kubectl", &view, "")).unwrap();
    config["users"][0]["user"] = json!({"token": token.trim()});
    let target = folder.join("kubeconfig");
    fs::write(&target, config.to_string()).unwrap();
    target
}

/// Makes and removes something in a domain, and looks at the Domain.
async fn work(client: &Client, domain: &str, number: usize) {
    let name = format!("audit-{number}");
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": {"k": MARKER}});
    request(client, "POST", &path("Secret", domain, ""), Some(&secret)).await.unwrap();
    request(client, "GET", &path("Secret", domain, &name), None).await.unwrap();
    request(client, "DELETE", &path("Secret", domain, &name), None).await.unwrap();
    request(client, "GET", &path("Domain", "", domain), None).await.unwrap();
    // Refused ones belong to the domain too.
    request(client, "GET", &path("ConfigMap", domain, "nothing"), None).await.unwrap_err();
}

#[tokio::test]
async fn each_event_is_kept_once_with_its_domain_though_the_receiver_is_killed() {
    const DOMAINS: [&str; 2] = ["audit-a", "audit-b"];
    let (a, b) = (Tenant::ready(DOMAINS[0]).await, Tenant::ready(DOMAINS[1]).await);
    let stage = Stage::new(&a.api).await;
    let mut receiver = stage.receiver();
    let _api_server = stage.api_server();
    let client = stage.client().await;
    for number in 0..30 {
        for domain in DOMAINS {
            work(&client, domain, number).await;
        }
        match number {
            10 => receiver.kill(),
            20 => receiver = stage.receiver(),
            _ => {}
        }
    }
    let complete = async |patience: Duration| {
        eventually(patience, async || {
            DOMAINS
                .iter()
                .all(|domain| {
                    let kept = stage.kept(&format!("domains/{domain}"));
                    stage.logged(domain).keys().all(|event| kept.contains_key(event))
                })
                .then_some(())
        })
        .await
    };
    let done = complete(PATIENCE).await;
    let log = fs::read_to_string(stage.folder.join("receiver.log")).unwrap();
    for domain in DOMAINS {
        let (kept, logged) = (stage.kept(&format!("domains/{domain}")), stage.logged(domain));
        // 30 rounds of five requests.
        assert!(logged.len() >= 150, "the API server logged {} events", logged.len());
        let missing: Vec<_> = logged.keys().filter(|event| !kept.contains_key(*event)).collect();
        assert!(done.is_some() && missing.is_empty(), "{domain} lacks {missing:#?}\n{log}");
        // Once, and none of anybody else's.
        assert_eq!(kept, logged, "{domain}\n{log}");
    }
    for file in ["own.log", "files"] {
        let found =
            Command::new("grep").args(["-rF", MARKER]).arg(stage.folder.join(file)).output();
        assert!(found.unwrap().stdout.is_empty(), "content of a Secret is in {file}");
    }
    // Everything else is apart, and what is noise is nowhere.
    request(&client, "GET", "/api/v1/namespaces", None).await.unwrap();
    request(&client, "GET", "/apis/coordination.k8s.io/v1/leases", None).await.unwrap();
    let others = eventually(PATIENCE, async || {
        Some(stage.kept("cluster")).filter(|others| !others.is_empty())
    });
    let others = others.await.expect("the list of namespaces is kept");
    let is_noise = |event: &&String| event.contains("\"leases\"") || event.contains("readyz");
    assert_eq!(others.keys().find(is_noise), None);

    refusals(&stage).await;
    drop(client);
    assert!(receiver.terminate(), "the receiver does not end in order\n{log}");
    a.end();
    b.end();
}

/// What is not an API server's, or is sent again.
async fn refusals(stage: &Stage) {
    let event = json!({"kind": "Event", "auditID": "x", "objectRef": {"namespace": "audit-a", "resource": "pods"}});
    let list =
        |kind: &str| json!({"apiVersion": "audit.k8s.io/v1", "kind": kind, "items": [event]});
    let before = stage.kept("domains/audit-a").len();
    let said = stage.send("a-token-of-somebody-else", &list("EventList").to_string()).await;
    assert!(said.unwrap_err().contains("401"));
    let said = stage.send(TOKEN, &list("Event").to_string()).await;
    assert!(said.unwrap_err().contains("send EventList of audit.k8s.io/v1"));
    let said = stage.send(TOKEN, &"x".repeat(17 << 20)).await;
    assert!(said.unwrap_err().contains("413"));
    assert_eq!(stage.kept("domains/audit-a").len(), before);
    for _ in 0..2 {
        stage.send(TOKEN, &list("EventList").to_string()).await.unwrap();
        assert_eq!(stage.kept("domains/audit-a").len(), before + 1);
        assert!(stage.kept("domains/audit-a").values().all(|count| *count == 1));
    }
}
