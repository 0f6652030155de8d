//! What a list of RBAC rules allows in a namespace.
//! Source: <https://kubernetes.io/docs/reference/access-authn-authz/rbac/>

use k8s_openapi::api::rbac::v1::PolicyRule;
use serde::Serialize;

/// Polder's workloads.
const WORKLOADS: &[(&str, &str)] =
    &[("polder.dev", "batchjobs"), ("polder.dev", "sparkclusters"), ("polder.dev", "sqlendpoints")];
const RBAC: &str = "rbac.authorization.k8s.io";

/// What somebody may do, in the words of `polder access`. Empty: nothing of that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Abilities {
    /// BatchJobs, SparkClusters, SqlEndpoints: `see`, `run`, `delete`.
    pub workloads: Vec<&'static str>,
    /// Pods: `see`, `create`, `delete`, `exec`, `forward`.
    pub pods: Vec<&'static str>,
    /// Logs: `read`.
    pub logs: Vec<&'static str>,
    /// Secrets: `read`, `write`.
    pub secrets: Vec<&'static str>,
    /// SQL endpoints, through a port forward: `use`.
    pub sql: Vec<&'static str>,
    /// More rights, for themselves or others: `bind`, `tokens`, `impersonate`.
    pub grants: Vec<&'static str>,
}

impl Abilities {
    /// What these rules allow.
    pub fn of(rules: &[PolicyRule]) -> Self {
        let may = |verb: &str, group: &str, resource: &str| {
            rules.iter().any(|rule| allows(rule, verb, group, resource))
        };
        let any = |verbs: &[&str], resources: &[(&str, &str)]| {
            verbs.iter().any(|verb| resources.iter().any(|(group, it)| may(verb, group, it)))
        };
        let words = |all: &[(&'static str, bool)]| {
            all.iter().filter(|(_, may)| *may).map(|(word, _)| *word).collect()
        };
        let forward = any(&["create", "get"], &[("", "pods/portforward"), ("", "pods/proxy")]);
        let bindings = [(RBAC, "rolebindings"), (RBAC, "roles")];
        let is_unlimited = any(&["bind", "escalate"], &[(RBAC, "roles"), (RBAC, "clusterroles")]);
        Self {
            workloads: words(&[
                ("see", any(&["get", "list", "watch"], WORKLOADS)),
                ("run", any(&["create", "update", "patch"], WORKLOADS)),
                ("delete", any(&["delete", "deletecollection"], WORKLOADS)),
            ]),
            pods: words(&[
                ("see", any(&["get", "list", "watch"], &[("", "pods")])),
                ("create", makes_pods(&any)),
                ("delete", any(&["delete", "deletecollection"], &[("", "pods")])),
                ("exec", any(&["create", "get"], &[("", "pods/exec"), ("", "pods/attach")])),
                ("forward", forward),
            ]),
            logs: words(&[("read", any(&["get", "list"], &[("", "pods/log")]))]),
            secrets: words(&[
                ("read", any(&["get", "list", "watch"], &[("", "secrets")])),
                ("write", any(&["create", "update", "patch", "delete"], &[("", "secrets")])),
            ]),
            sql: words(&[("use", forward && any(&["get"], &[("polder.dev", "sqlendpoints")]))]),
            grants: words(&[
                ("bind", is_unlimited || any(&["create", "update", "patch"], &bindings)),
                ("tokens", any(&["create"], &[("", "serviceaccounts/token")])),
                (
                    "impersonate",
                    any(
                        &["impersonate"],
                        &[("", "users"), ("", "groups"), ("", "serviceaccounts")],
                    ),
                ),
            ]),
        }
    }

    /// Nothing at all.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// What several allow together.
    #[must_use]
    pub fn names(&self) -> [(&'static str, &[&'static str]); 6] {
        [
            ("WORKLOADS", &self.workloads),
            ("PODS", &self.pods),
            ("LOGS", &self.logs),
            ("SECRETS", &self.secrets),
            ("SQL", &self.sql),
            ("GRANTS", &self.grants),
        ]
    }
}

/// Pods, and whatever makes pods.
fn makes_pods(any: &impl Fn(&[&str], &[(&str, &str)]) -> bool) -> bool {
    let verbs = ["create", "update", "patch"];
    let makers = [
        ("", "pods/ephemeralcontainers"),
        ("", "replicationcontrollers"),
        ("apps", "deployments"),
        ("apps", "daemonsets"),
        ("apps", "replicasets"),
        ("apps", "statefulsets"),
        ("batch", "jobs"),
        ("batch", "cronjobs"),
    ];
    any(&["create"], &[("", "pods")]) || any(&verbs, &makers)
}

/// Whether a rule allows a verb on objects of a kind: all of them, or those it names.
fn allows(rule: &PolicyRule, verb: &str, group: &str, resource: &str) -> bool {
    let subresource = resource.split_once('/').map(|(_, subresource)| format!("*/{subresource}"));
    let has = |list: Option<&Vec<String>>, wanted: &[&str]| {
        list.is_some_and(|list| list.iter().any(|it| it == "*" || wanted.contains(&it.as_str())))
    };
    has(Some(&rule.verbs), &[verb])
        && has(rule.api_groups.as_ref(), &[group])
        && has(rule.resources.as_ref(), &[resource, subresource.as_deref().unwrap_or(resource)])
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::rbac::v1::PolicyRule;
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::Abilities;

    fn of(rules: &Value) -> String {
        let rules: Vec<PolicyRule> = serde_json::from_value(rules.clone()).unwrap();
        let abilities = Abilities::of(&rules);
        let words = abilities.names();
        let shown = words.iter().filter(|(_, words)| !words.is_empty());
        shown
            .map(|(area, words)| format!("{area} {}", words.join(",")))
            .collect::<Vec<_>>()
            .join("; ")
    }

    #[rstest]
    #[case(json!([]), "")]
    #[case(json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["one"]}]), "SECRETS read")]
    #[case(json!([{"verbs": ["get"], "apiGroups": ["apps"], "resources": ["secrets"]}]), "")]
    #[case(json!([{"verbs": ["get"], "nonResourceURLs": ["*"]}]), "")]
    #[case(json!([{"verbs": ["create"], "apiGroups": [""], "resources": ["*/exec"]}]), "PODS exec")]
    #[case(json!([{"verbs": ["create"], "apiGroups": [""], "resources": ["serviceaccounts/token"]}]), "GRANTS tokens")]
    #[case(json!([{"verbs": ["create"], "apiGroups": ["apps"], "resources": ["deployments"]}]), "PODS create")]
    #[case(json!([{"verbs": ["bind"], "apiGroups": ["*"], "resources": ["clusterroles"]}]), "GRANTS bind")]
    #[case(json!([{"verbs": ["get"], "apiGroups": ["polder.dev"], "resources": ["sqlendpoints"]}, {"verbs": ["create"], "apiGroups": [""], "resources": ["pods/portforward"]}]), "WORKLOADS see; PODS forward; SQL use")]
    #[case(
        json!([{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]),
        "WORKLOADS see,run,delete; PODS see,create,delete,exec,forward; LOGS read; SECRETS read,write; SQL use; GRANTS bind,tokens,impersonate"
    )]
    fn abilities(#[case] rules: Value, #[case] expected: &str) {
        assert_eq!(of(&rules), expected);
    }
}
