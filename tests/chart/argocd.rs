//! A Domain that asks for Argo CD: where Polder may not use it, where there is none, and where it comes.

use std::{path::PathBuf, time::Duration};

use serde_json::{Value, json};

use crate::{
    api::{Api, condition, is_current},
    cluster::eventually,
    helm::alone,
    manifests::DOMAIN,
    process::run,
    release::{Version, remove, upgrade, upgrade_with},
};

const PATIENCE: Duration = Duration::from_mins(2);
const NAME: &str = "c-gitops";
const ARGO_CD: &str = "argocd";

/// Waits until this condition of the Domain has this reason, and returns the Domain.
async fn told(api: &Api, type_: &str, reason: &str) -> Value {
    let mut last = Value::Null;
    let found = eventually(PATIENCE, async || {
        last = api.get("Domain", "", NAME).await?;
        let is_so = is_current(&last) && condition(&last, type_)["reason"] == reason;
        is_so.then(|| last.clone())
    });
    let found = found.await;
    found.unwrap_or_else(|| panic!("{type_} is not {reason}: {:#}", last["status"]))
}

#[tokio::test]
async fn a_domain_says_what_it_lacks_of_argo_cd_until_that_is_there() {
    let _alone = alone().await;
    let (api, this) = (Api::new().await, Version::this());
    upgrade("helm", &this.chart);
    let operator = this.operator().await;
    let domain = format!("{DOMAIN}  gitops: {{argocd: {{repo: https://git.example.com/x.git}}}}\n");
    api.apply("", &domain.replace("NAME", NAME)).await;
    let domain = told(&api, "GitOpsReady", "ArgoCdNotAllowed").await;
    let ready = condition(&domain, "Ready");
    assert_eq!(ready["reason"], "ArgoCdNotAllowed", "{ready:#}");
    assert!(ready["message"].as_str().unwrap().contains("set argocd.enabled"), "{ready:#}");
    assert_eq!(condition(&domain, "Stalled")["status"], "True");
    // The namespace serves all the same.
    assert_eq!(condition(&domain, "NamespaceReady")["status"], "True");
    operator.stop();

    run("kubectl", &["create", "namespace", ARGO_CD], "");
    upgrade_with("helm", &this.chart, &["--set", "argocd.enabled=true"]);
    let operator = this.operator().await;
    let domain = told(&api, "GitOpsReady", "ArgoCdNotInstalled").await;
    let message = condition(&domain, "Ready")["message"].to_string();
    assert!(message.contains("install it, or take spec.gitops out"), "{message}");

    // Its definitions come, and the running operator sees it.
    let program = run("sh", &["-c", "readlink -f \"$(command -v argocd)\""], "");
    let definitions = PathBuf::from(program.trim()).with_file_name("crds");
    let definitions = definitions.to_str().unwrap();
    run("kubectl", &["apply", "--server-side", "-k", definitions], "");
    told(&api, "GitOpsReady", "Pending").await;
    told(&api, "Ready", "Ready").await;
    let made = eventually(PATIENCE, async || {
        api.get("Application", ARGO_CD, &format!("{NAME}-gitops")).await
    });
    let made = made.await.expect("the Application is made");
    assert_eq!(made["spec"]["source"]["repoURL"], json!("https://git.example.com/x.git"));

    api.delete("Domain", "", NAME).await;
    let gone =
        eventually(PATIENCE, async || api.get("Domain", "", NAME).await.is_none().then_some(()));
    gone.await.expect("the domain goes");
    operator.stop();
    remove("helm");
    run("kubectl", &["delete", "-k", definitions], "");
    run("kubectl", &["delete", "namespace", ARGO_CD], "");
}
