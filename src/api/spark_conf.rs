//! Spark configuration of users, and the keys that are the operator's.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::properties;

/// Keys (or, with a trailing dot or dash, prefixes) that the operator sets itself, in lower case.
/// A user who sets one would break what other fields promise, so they are refused by name.
/// Keys: <https://spark.apache.org/docs/latest/configuration.html>
const OWNED: &[&str] = &[
    "spark.master",
    "spark.submit.",
    "spark.local.dir",
    "spark.authenticate",
    "spark.network.crypto.",
    "spark.deploy.",
    "spark.worker.",
    "spark.master.",
    "spark.shuffle.service.",
    "spark.driver.host",
    "spark.driver.port",
    "spark.driver.bindaddress",
    "spark.driver.blockmanager.port",
    "spark.blockmanager.port",
    "spark.driver.memory",
    "spark.driver.cores",
    "spark.executor.memory",
    "spark.executor.cores",
    "spark.executor.instances",
    "spark.cores.max",
    "spark.dynamicallocation.enabled",
    "spark.dynamicallocation.minexecutors",
    "spark.dynamicallocation.maxexecutors",
    "spark.dynamicallocation.initialexecutors",
    "spark.dynamicallocation.executoridletimeout",
    "spark.dynamicallocation.shuffletracking.enabled",
    "spark.kubernetes.authenticate.",
    "spark.kubernetes.namespace",
    "spark.kubernetes.context",
    "spark.kubernetes.container.",
    "spark.kubernetes.driver.",
    "spark.kubernetes.executor.",
    "spark.kubernetes.node.selector.",
    "spark.kubernetes.scheduler.",
    "spark.plugins",
    "spark.ui.port",
    "spark.ui.enabled",
    "spark.connect.grpc.binding.",
];

/// Keys under an owned prefix that users may set all the same, in lower case: they tune, and
/// reach past no fence.
const ALLOWED: &[&str] = &[
    "spark.executor.memoryoverheadfactor",
    "spark.kubernetes.executor.missingpoddetectdelta",
    "spark.kubernetes.executor.enablepollingwithresourceversion",
    "spark.kubernetes.executor.rolltype",
];

/// Extra Spark configuration, key to value. Keys that the operator sets itself are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SparkConf(pub BTreeMap<String, String>);

impl SparkConf {
    /// Nothing is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Whether a key is the operator's own; the same rule as the schema's.
pub fn is_owned(key: &str) -> bool {
    let key = key.to_lowercase();
    !ALLOWED.contains(&key.as_str())
        && OWNED.iter().any(|owned| {
            if owned.ends_with('.') { key.starts_with(owned) } else { is_key_or_child(&key, owned) }
        })
}

/// Whether a value holds what could end its line; the same rule as the schema's.
pub fn breaks_lines(value: &str) -> bool {
    value.chars().any(|c| (c.is_control() && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}'))
}

/// `spark.executor.memory` also stands for `spark.executor.memoryOverhead`, and
/// `spark.authenticate` for all below it: such keys change what the operator computed.
fn is_key_or_child(key: &str, owned: &str) -> bool {
    key.strip_prefix(owned).is_some_and(|rest| {
        rest.is_empty() || rest.starts_with('.') || rest.starts_with("overhead")
    })
}

fn owned_pattern() -> String {
    let alternatives: Vec<String> = OWNED
        .iter()
        .map(|owned| {
            let escaped = owned.replace('.', "[.]");
            if owned.ends_with('.') { escaped } else { format!("{escaped}($|[.]|overhead)") }
        })
        .collect();
    format!("^({})", alternatives.join("|"))
}

fn allowed_pattern() -> String {
    let alternatives: Vec<String> = ALLOWED.iter().map(|key| key.replace('.', "[.]")).collect();
    format!("^({})$", alternatives.join("|"))
}

impl JsonSchema for SparkConf {
    fn schema_name() -> Cow<'static, str> {
        "SparkConf".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let (owned, allowed) = (owned_pattern(), allowed_pattern());
        let is_secret = properties::is_secret_rule();
        let is_owned =
            format!("k.lowerAscii().matches('{owned}') && !k.lowerAscii().matches('{allowed}')");
        json_schema!({
            "type": "object",
            "maxProperties": 256,
            "additionalProperties": {
                "type": "string",
                "maxLength": 4096,
                // No control characters but tabs, and no other line breaks of Unicode: they could
                // break out of a properties file, or of the file of another tool.
                "pattern": r"^(\t|[^\p{Cc}\p{Zl}\p{Zp}])*$",
            },
            "x-kubernetes-validations": [
                {
                    "rule": "self.all(k, k.matches('^spark[.][A-Za-z0-9._-]{1,240}$'))",
                    // For keys with a line break, which messages must not hold.
                    "message": "keys begin with \"spark.\" and hold letters, digits, dots, dashes and underscores",
                    "messageExpression":
                        "'keys begin with \"spark.\" and hold letters, digits, dots, dashes and underscores: ' \
                         + self.filter(k, !k.matches('^spark[.][A-Za-z0-9._-]{1,240}$'))[0]",
                },
                {
                    "rule": format!("!self.exists(k, {is_owned})"),
                    "messageExpression": format!(
                        "'Polder sets this key itself, from other fields of the spec; remove it: ' \
                         + self.filter(k, {is_owned})[0]"
                    ),
                },
                {
                    "rule": format!("!self.exists(k, {is_secret})"),
                    "message": "a credential would be readable here; give it with env or mounts from a Secret, or with a catalog of the Domain",
                    "messageExpression": format!(
                        "'a credential would be readable here; give it with env or mounts from a \
                         Secret, or with a catalog of the Domain: ' + self.filter(k, {is_secret})[0]"
                    ),
                },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::is_owned;

    #[test]
    fn keys_of_the_operator_are_known_in_any_case() {
        for key in [
            "spark.master",
            "spark.Executor.Memory",
            "spark.executor.memoryOverhead",
            "spark.authenticate.secret",
            "spark.kubernetes.executor.podTemplateFile",
            "spark.local.dir",
        ] {
            assert!(is_owned(key), "{key}");
        }
    }

    #[test]
    fn keys_that_tune_are_the_users() {
        for key in [
            "spark.sql.shuffle.partitions",
            "spark.executor.memoryOverheadFactor",
            "spark.kubernetes.allocation.batch.size",
            "spark.sql.catalog.mine",
            "spark.masterful",
        ] {
            assert!(!is_owned(key), "{key}");
        }
    }
}
