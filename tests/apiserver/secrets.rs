//! Secrets of a Domain: brought by the real External Secrets Operator, and as the Secrets Store CSI
//! driver is told to bring them.

use std::{
    fs::File,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use serde_json::json;

use crate::{
    api::{Api, condition, documents},
    cluster::install_crd,
    install::{installation, run},
    tenant::Tenant,
};

const EXTERNAL: &str = "
apiVersion: polder.dev/v1alpha1
kind: Domain
metadata: {name: NAME}
spec:
  deletionPolicy: Delete
  secrets:
  - name: s3
    external: {store: {name: STORE}, keys: {id: 'data/s3#id', word: data/word}, refresh: 1s}
";

const VAULT: &str = "
apiVersion: polder.dev/v1alpha1
kind: Domain
metadata: {name: NAME}
spec:
  deletionPolicy: Delete
  secrets:
  - name: files
    vault: {address: 'https://vault:8200', role: sales, authPath: k8s, keys: {a.pem: 'secret/data/a#pem'}}
";

/// What the Secrets Store CSI driver documents of its type, and nothing more: server-side apply
/// refuses fields that a schema does not name.
/// Source: <https://secrets-store-csi-driver.sigs.k8s.io/concepts>
const PROVIDER_CLASSES: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: secretproviderclasses.secrets-store.csi.x-k8s.io}
spec:
  group: secrets-store.csi.x-k8s.io
  scope: Namespaced
  names: {kind: SecretProviderClass, listKind: SecretProviderClassList, plural: secretproviderclasses, singular: secretproviderclass}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              provider: {type: string}
              parameters: {type: object, additionalProperties: {type: string}}
";

/// The External Secrets Operator, for as long as a test needs it.
struct ExternalSecrets {
    process: Child,
    /// Ends it if this process ends without doing so.
    watchdog: Child,
}

impl ExternalSecrets {
    /// Installs its types and starts it, as the administrator.
    async fn start(api: &Api) -> Self {
        let program = run("sh", &["-c", "readlink -f \"$(command -v external-secrets)\""], "");
        let program = PathBuf::from(program.trim());
        for file in std::fs::read_dir(program.with_file_name("bases")).unwrap() {
            let path = file.unwrap().path();
            for crd in documents(&std::fs::read_to_string(&path).unwrap()) {
                if crd["kind"] == "CustomResourceDefinition" {
                    install_crd(&api.client, &crd).await;
                }
            }
        }
        let log = installation().await.folder.join("external-secrets.log");
        let output = File::create(&log).unwrap();
        let process = Command::new(program)
            .args(["--metrics-addr=0", "--concurrent=4", "--enable-push-secret-reconciler=false"])
            .args(["--enable-cluster-external-secret-reconciler=false"])
            .args(["--enable-cluster-push-secret-reconciler=false"])
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let watchdog = Command::new("sh")
            .args(["-c", "cat >/dev/null; kill -9 $0 2>/dev/null", &process.id().to_string()])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        eprintln!("the log of the External Secrets Operator is {}", log.display());
        Self { process, watchdog }
    }
}

impl Drop for ExternalSecrets {
    fn drop(&mut self) {
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn store(name: &str) -> String {
    format!(
        "
apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata: {{name: {name}}}
spec:
  provider:
    fake:
      data:
      - {{key: data/s3, value: '{{\"id\": \"value-of-s3\"}}'}}
      - {{key: data/word, value: value-of-word}}
"
    )
}

/// Waits until the Domain's `SecretsReady` says this, and returns its message.
async fn secrets_ready(tenant: &Tenant, status: &str, reason: &str) -> String {
    let what = format!("to have SecretsReady={status} {reason}");
    let domain = tenant
        .until("Domain", &tenant.name, &what, |domain| {
            let found = condition(domain, "SecretsReady");
            found["status"] == status && found["reason"] == reason
        })
        .await;
    condition(&domain, "SecretsReady")["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_external_secrets_operator_brings_a_secret() {
    let tenant = Tenant::new("s-external").await;
    let _running = ExternalSecrets::start(&tenant.api).await;
    tenant.api.apply("", &store("s-external")).await;
    tenant.apply(&EXTERNAL.replace("STORE", "NAME")).await;
    secrets_ready(&tenant, "True", "Ready").await;
    tenant.wait_ready("Domain", "s-external").await;
    let secret = tenant.get("Secret", "s3").await.unwrap();
    // "value-of-s3" and "value-of-word".
    assert_eq!(secret["data"], json!({"id": "dmFsdWUtb2YtczM=", "word": "dmFsdWUtb2Ytd29yZA=="}));

    // No value of it is where Polder writes.
    for kind in ["Domain", "ExternalSecret", "ConfigMap", "Event"] {
        for object in tenant.api.list(kind, "s-external", "").await {
            assert!(!object.to_string().contains("value-of-"), "{object:#}");
        }
    }

    // A store that is not there is told with the other operator's reason.
    tenant.apply(&EXTERNAL.replace("STORE", "no-such-store")).await;
    let message = secrets_ready(&tenant, "False", "SecretSyncedError").await;
    assert!(message.contains("s3: ") && message.contains("External Secrets Operator"), "{message}");
    tenant.wait_reason("Domain", "s-external", "SecretSyncedError").await;

    // Without the entry, the Secret goes.
    tenant.patch("Domain", "s-external", json!({"spec": {"secrets": null}})).await;
    tenant.wait_gone("ExternalSecret", "s3").await;
    tenant.wait_gone("Secret", "s3").await;
    secrets_ready(&tenant, "True", "NoSecrets").await;
    tenant.end();
}

#[tokio::test]
async fn a_type_that_comes_later_is_used_then() {
    let tenant = Tenant::new("s-vault").await;
    let name = "secretproviderclasses.secrets-store.csi.x-k8s.io";
    tenant.api.delete("CustomResourceDefinition", "", name).await;
    tenant.apply(VAULT).await;
    let message = secrets_ready(&tenant, "False", "SecretsStoreNotInstalled").await;
    assert!(message.contains("secretproviderclasses.secrets-store.csi.x-k8s.io/v1"), "{message}");
    // Everything else is in place.
    let domain = tenant.get("Domain", "s-vault").await.unwrap();
    assert_eq!(condition(&domain, "AccessGranted")["status"], "True", "{domain:#}");

    install_crd(&tenant.api.client, &documents(PROVIDER_CLASSES)[0]).await;
    secrets_ready(&tenant, "True", "Ready").await;
    tenant.wait_ready("Domain", "s-vault").await;
    let class = tenant.get("SecretProviderClass", "files").await.unwrap();
    let objects = r#"[{"objectName":"a.pem","secretKey":"pem","secretPath":"secret/data/a"}]"#;
    assert_eq!(
        class["spec"],
        json!({"provider": "vault", "parameters": {
            "vaultAddress": "https://vault:8200", "roleName": "sales",
            "vaultKubernetesMountPath": "k8s", "objects": objects,
        }})
    );
    tenant.end();
}
