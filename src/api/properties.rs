//! Properties of catalogs, and keys that tell of a credential.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// What keys of credentials hold, in lower case. A blank stands for a dot, a dash, an underscore,
/// or nothing.
const SECRET: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "token",
    "credential",
    "authorization",
    "access key",
    "account key",
    "api key",
    "private key",
    "connection string",
];

/// How keys end that say something about a credential and hold none, in lower case:
/// `client.credentials-provider`, `token-refresh-enabled`.
const HARMLESS: &[&str] = &[
    "provider",
    "enabled",
    "-ms",
    "uri",
    "url",
    "endpoint",
    "type",
    "class",
    "path",
    "file",
    "name",
    "mechanism",
    "duration",
    "seconds",
    "regex",
    "interval",
    "binding",
    "ratio",
    "wait",
    "size",
];

/// What keys look like that are properties of a catalog.
const KEY: &str = "^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$";

/// Whether a key tells that its value is a credential; the same rule as the schema's.
pub fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    let holds = |word: &&str| match word.split_once(' ') {
        None => key.contains(*word),
        Some((one, other)) => ["", ".", "-", "_"]
            .iter()
            .any(|between| key.contains(&format!("{one}{between}{other}"))),
    };
    SECRET.iter().any(holds) && !HARMLESS.iter().any(|end| key.ends_with(end))
}

/// CEL that tells whether the key `k` is one of a credential.
pub(super) fn is_secret_rule() -> String {
    let words = SECRET.join("|").replace(' ', "[._-]?");
    let ends = HARMLESS.join("|");
    format!("k.lowerAscii().matches('{words}') && !k.lowerAscii().matches('({ends})$')")
}

/// Whether a text is an address with credentials in it: `//user:password@host`, or a parameter that
/// says password.
pub fn has_credentials(text: &str) -> bool {
    let lower = text.to_lowercase();
    let authority = lower.split_once("//").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?', ';']).next().unwrap_or_default();
    let is_in_authority = authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'));
    let parameters = lower.split(['?', '&', ';']).skip(1);
    is_in_authority
        || parameters
            .filter_map(|parameter| parameter.split_once('='))
            .any(|(key, _)| key.contains("password") || key == "pwd")
}

/// Whether a key can be a property of a catalog; the same rule as the schema's.
pub fn is_key(key: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    key.len() <= 200
        && key.starts_with(|c: char| c.is_ascii_alphanumeric())
        && key.chars().all(is_inner)
        && !key.to_lowercase().starts_with("spark.")
}

/// Properties of a catalog, key to value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Properties(pub BTreeMap<String, String>);

impl Properties {
    /// Nothing is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl JsonSchema for Properties {
    fn schema_name() -> Cow<'static, str> {
        "Properties".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let is_secret = is_secret_rule();
        let is_key = format!("k.matches('{KEY}') && !k.lowerAscii().startsWith('spark.')");
        json_schema!({
            "type": "object",
            "maxProperties": 48,
            "additionalProperties": {
                "type": "string",
                "maxLength": 1024,
                // Control characters could break out of a properties file.
                "pattern": r"^[^\x00-\x1f\x7f]*$",
            },
            "x-kubernetes-validations": [
                {
                    "rule": format!("self.all(k, {is_key})"),
                    // For keys with a line break, which messages must not hold.
                    "message": "keys are properties of this catalog: letters, digits, dots, dashes and underscores, without spark.sql.catalog.<name>. in front",
                    "messageExpression": format!(
                        "'keys are properties of this catalog: letters, digits, dots, dashes and \
                         underscores, without spark.sql.catalog.<name>. in front: ' \
                         + self.filter(k, !({is_key}))[0]"
                    ),
                },
                {
                    "rule": format!("!self.exists(k, {is_secret})"),
                    "message": "a credential would be readable here; give it with secretProperties",
                    "messageExpression": format!(
                        "'a credential would be readable here; give it with secretProperties: ' \
                         + self.filter(k, {is_secret})[0]"
                    ),
                },
                {
                    "rule": "!self.exists(k, self[k].matches('(?i)//[^/?;@]*:[^/?;@]*@|[?&;][a-z.]*(password|pwd)='))",
                    "message": "the address holds a password, which would be readable here; give it with secretProperties",
                },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{is_key, is_secret};

    #[test]
    fn credentials_are_known_by_their_keys() {
        for key in [
            "password",
            "jdbc.password",
            "s3.access-key-id",
            "s3.secret-access-key",
            "s3.session-token",
            "adls.sas-token.account",
            "adls.connection-string.account",
            "header.Authorization",
            "spark.hadoop.fs.s3a.access.key",
            "spark.hadoop.fs.azure.account.key.a.dfs.core.windows.net",
            "spark.ssl.keyStorePassword",
            "client.Credentials",
        ] {
            assert!(is_secret(key), "{key}");
        }
        for key in [
            "io-impl",
            "s3.endpoint",
            "token-refresh-enabled",
            "token-expires-in-ms",
            "client.credentials-provider",
            "spark.hadoop.fs.s3a.aws.credentials.provider",
            "oauth2-server-uri",
            "cache.expiration-interval-ms",
            "spark.sql.shuffle.partitions",
        ] {
            assert!(!is_secret(key), "{key}");
        }
    }

    #[test]
    fn properties_stay_in_their_catalog() {
        for key in ["io-impl", "s3.endpoint", "table-default.write.format.default", "a"] {
            assert!(is_key(key), "{key}");
        }
        for key in ["", "spark.master", "Spark.sql.extensions", ".x", "a b", "a=b", "a\nb", "ü"] {
            assert!(!is_key(key), "{key:?}");
        }
        assert!(!is_key(&"x".repeat(201)));
    }
}
