//! What shells and kubectl are told of how a command line may go on.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

use rstest::rstest;
use serde_json::json;

use super::{Said, member, path_with_plugins};
use crate::{
    install::installation,
    manifests::{CLUSTER, SCHEDULED},
    tenant::Tenant,
};

/// Each calls what the script has registered as the shell would, and prints what it may offer.
const BASH: &str = r#"
source <(polder completion bash)
[[ $(complete -p polder) == *' -F _clap_complete_polder '* ]] || exit 1
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_TYPE=9
_clap_complete_polder polder "${!#}" && printf '%s\n' "${COMPREPLY[@]}""#;
const ZSH: &str = r#"
autoload -U compinit && compinit -u -D && source <(polder completion zsh)
[[ $_comps[polder] == _clap_dynamic_completer_polder ]] || exit 1
_describe() { print -l -- ${(P)3} }
words=("$@") CURRENT=$#
_clap_dynamic_completer_polder"#;
const FISH: &str = "polder completion fish | source; complete -C (string join ' ' -- $argv)";

/// Asks a shell how these words may go on; the names, without what it says of them.
fn completed(shell: &str, kubeconfig: &Path, words: &[&str]) -> Vec<String> {
    let script = match shell {
        "bash" => [BASH, "bash"].as_slice(),
        "zsh" => &[ZSH, "zsh"],
        "fish" => &[FISH],
        _ => panic!("no shell: {shell}"),
    };
    let output = Command::new(shell)
        .arg(if shell == "zsh" { "-fc" } else { "-c" })
        .args(script)
        .arg("polder")
        .args(words)
        .env("PATH", path_with_plugins())
        .env("KUBECONFIG", kubeconfig)
        .output()
        .unwrap();
    let said = Said::of(&output);
    assert_eq!(said.err, "", "{shell}");
    let lines = said.ended(0).lines().filter(|line| !line.is_empty());
    let names = lines.map(|line| line.split(['\t', ':']).next().unwrap());
    // zsh adds the slash itself.
    let mut names: Vec<String> = names.map(|name| name.trim_end_matches('/').to_owned()).collect();
    names.sort();
    names
}

fn administrator() -> PathBuf {
    std::env::var("KUBECONFIG").unwrap().into()
}

#[rstest]
#[tokio::test]
async fn a_shell_completes_names_of_objects(#[values("bash", "zsh", "fish")] shell: &str) {
    let name = format!("cli-in-{shell}");
    let tenant = Tenant::ready(&name).await;
    for yaml in [CLUSTER, SCHEDULED] {
        tenant.apply(yaml).await;
    }
    let root = administrator();
    let words = |words: &[&str]| completed(shell, &root, words);
    assert_eq!(words(&["why", "-n", &name, ""]), ["domain", "etl", "nightly"]);
    assert_eq!(words(&["tree", "-n", &name, "spc/"]), ["spc/etl"]);
    assert_eq!(words(&["suspend", "-n", &name, "bjob", ""]), ["nightly"]);
    assert_eq!(words(&["run", "-n", &name, ""]), ["nightly"]);
    assert_eq!(words(&["status", &name[..8]]), [name.as_str()]);
    assert_eq!(words(&["why", "-n", &name[..8]]), [name.as_str()]);
    assert!(!words(&["why", "etl", "--context", ""]).is_empty());
    // Who may not see Domains is offered the workloads all the same.
    let leads = member("leads").await;
    assert_eq!(completed(shell, &leads, &["logs", "-n", &name, ""]), ["etl", "nightly"]);
    tenant.end();
}

#[tokio::test]
async fn kubectl_completes_words_of_the_plugin() {
    let tenant = Tenant::ready("cli-plugin-words").await;
    tenant.apply(CLUSTER).await;
    let path = path_with_plugins();
    let words = |words: &[&str]| {
        let mut kubectl = Command::new("kubectl");
        let kubectl = kubectl.args(["__complete", "polder"]).args(words).env("PATH", path);
        Said::of(&kubectl.output().unwrap()).out
    };
    assert!(words(&["sup"]).starts_with("support-bundle\tCollect all"), "{}", words(&["sup"]));
    assert_eq!(words(&["status", "--output", ""]), "table\njson\nyaml\n:4\n");
    let place = ["-n", "cli-plugin-words"];
    assert_eq!(words(&[&["why"], &place[..], &["e"]].concat()), "etl\tSparkCluster\n:4\n");
    assert_eq!(words(&["why", "domain/cli-plugin-w"]), "domain/cli-plugin-words\tDomain\n:4\n");
    assert_eq!(words(&["status", "cli-plugin-w"]), "cli-plugin-words\n:4\n");
    tenant.end();
}

#[tokio::test]
async fn without_a_cluster_no_names_are_offered_and_nothing_is_said() {
    // Takes connections and does not answer.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = |server: &str| {
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "dead",
            "contexts": [{"name": "dead", "context": {"cluster": "dead", "user": "x"}}],
            "clusters": [{"name": "dead", "cluster": {"server": server}}], "users": [],
        })
    };
    let folder = &installation().await.folder;
    for (name, server) in [
        ("mute", format!("https://{}", mute.local_addr().unwrap())),
        ("closed", "https://127.0.0.1:1".to_owned()),
    ] {
        let kubeconfig = folder.join(format!("kubeconfig-{name}"));
        fs::write(&kubeconfig, config(&server).to_string()).unwrap();
        assert_eq!(completed("bash", &kubeconfig, &["why", ""]), ["domain"]);
        assert_eq!(completed("bash", &kubeconfig, &["why", "--context", ""]), ["dead"]);
    }
    assert_eq!(completed("bash", Path::new("/nowhere"), &["why", "bat"]), ["batchjob"]);
}
