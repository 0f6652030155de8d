//! What is secret goes before anything is written: by where it stands, and by what it is called.

use serde_json::{Map, Value};

use crate::api::properties;

/// What stands instead.
const REDACTED: &str = "REDACTED";
/// Fields that are never needed and may hold a copy of the rest.
const DROPPED: &[&str] = &["managedFields", "data", "stringData", "binaryData"];
/// Annotations that hold the whole object once more.
const COPIES: &[&str] = &["kubectl.kubernetes.io/last-applied-configuration"];
/// Fields whose texts are a program's arguments: anything can stand there.
const PROGRAMS: &[&str] = &["args", "command"];
/// Parts of names whose values are secret, beside those that no key of a catalog may have: here a
/// harmless ending saves nothing.
const SECRET: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "token",
    "credential",
    "apikey",
    "api-key",
    "api_key",
    "access.key",
    "private",
];
/// Names of things that only name a Secret.
const NAMES: &[&str] = &[
    "secretName",
    "secretKeyRef",
    "secretRef",
    "credentialSecret",
    "tokenSecret",
    "userSecret",
    "passwordSecret",
    "secretProperties",
    "secrets",
    "secret",
    "imagePullSecrets",
    "generatedSecrets",
    "onSecretChange",
    "automountServiceAccountToken",
    "serviceAccountToken",
    "projected",
];

/// An object without what is secret.
pub(super) fn object(mut object: Value) -> Value {
    walk(&mut object);
    object
}

fn walk(value: &mut Value) {
    match value {
        Value::Object(fields) => of_fields(fields),
        Value::Array(items) => items.iter_mut().for_each(walk),
        Value::String(text) => *text = line(text),
        _ => {}
    }
}

fn of_fields(fields: &mut Map<String, Value>) {
    for name in DROPPED.iter().chain(COPIES) {
        fields.remove(*name);
    }
    for (name, value) in fields.iter_mut() {
        match value {
            // Values of variables; what comes from a Secret stands in `valueFrom`.
            Value::Array(variables) if name == "env" => variables.iter_mut().for_each(variable),
            Value::Array(words) if PROGRAMS.contains(&name.as_str()) => {
                words.fill(REDACTED.into());
            }
            Value::String(text) if name == "sql" || is_secret(name) => REDACTED.clone_into(text),
            other => walk(other),
        }
    }
}

fn variable(variable: &mut Value) {
    if let Some(value) = variable.get_mut("value") {
        *value = REDACTED.into();
    }
}

fn is_secret(name: &str) -> bool {
    let lower = name.to_lowercase();
    let is_secret = SECRET.iter().any(|part| lower.contains(part)) || properties::is_secret(name);
    is_secret && !NAMES.contains(&name)
}

/// A log without what looks secret.
pub(super) fn log(text: &str) -> String {
    text.lines().map(|text| line(text) + "\n").collect()
}

/// `password=x`, `token: x`, `Bearer x` and `scheme://user:password@host`, without the secret.
fn line(text: &str) -> String {
    let mut hide = false;
    let words: Vec<String> = text
        .split(' ')
        .map(|word| {
            if hide && !word.is_empty() {
                hide = false;
                return REDACTED.to_owned();
            }
            hide = word.eq_ignore_ascii_case("bearer");
            without_password(&without_assignment(word, &mut hide))
        })
        .collect();
    words.join(" ")
}

/// `password=x` in a list of such; after `password:` the next word is hidden.
fn without_assignment(word: &str, hide_next: &mut bool) -> String {
    let parts: Vec<String> = word
        .split_inclusive([';', '&', ',', '?'])
        .map(|part| match part.split_once('=') {
            Some((name, value)) if is_secret(name) && !value.is_empty() => {
                let end = value.chars().last().filter(|c| matches!(c, ';' | '&' | ',' | '?'));
                format!("{name}={REDACTED}{}", end.map(String::from).unwrap_or_default())
            }
            _ => part.to_owned(),
        })
        .collect();
    if word.strip_suffix(':').is_some_and(|name| {
        let name = name.trim_matches(['"', '\'']).to_lowercase();
        ["password", "passwd", "token", "api-key", "apikey"].contains(&name.as_str())
    }) {
        *hide_next = true;
    }
    parts.concat()
}

fn without_password(word: &str) -> String {
    let hidden = || {
        let (scheme, rest) = word.split_once("://")?;
        let (user, place) = rest.split_once('@')?;
        let (user, _) = user.split_once(':')?;
        Some(format!("{scheme}://{user}:{REDACTED}@{place}"))
    };
    hidden().unwrap_or_else(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    const PLANTED: &str = "hunter2-planted";

    #[test]
    fn a_planted_secret_is_nowhere_and_the_rest_is() {
        let shown = object(json!({
            "metadata": {
                "name": "load",
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": PLANTED, "note": "kept"},
                "managedFields": [PLANTED],
            },
            "data": {"key": PLANTED},
            "stringData": {"key": PLANTED},
            "spec": {
                "sparkConf": {
                    "spark.hadoop.fs.s3a.secret.key": PLANTED,
                    "spark.hadoop.fs.s3a.access.key": PLANTED,
                    "spark.sql.shuffle.partitions": "4",
                },
                "containers": [{
                    "env": [{"name": "X", "value": PLANTED},
                            {"name": "Y", "valueFrom": {"secretKeyRef": {"name": "lake", "key": "user"}}}],
                    "args": ["--password", PLANTED],
                    "command": ["sh", "-c", PLANTED],
                }],
                "main": {"sql": PLANTED},
                "uri": format!("jdbc:postgresql://db/x?user=a&password={PLANTED}"),
                "url": format!("https://user:{PLANTED}@example.com/x"),
            },
            "status": {"message": format!("it ended with: Authorization: Bearer {PLANTED}")},
        }));
        let text = shown.to_string();
        assert!(!text.contains(PLANTED), "{shown:#}");
        for kept in
            ["load", "kept", "shuffle.partitions\":\"4", "lake", "\"key\":\"user\"", "example.com"]
        {
            assert!(text.contains(kept), "{kept} is gone: {shown:#}");
        }
    }

    #[rstest]
    #[case("password=hunter2 x=1", "password=REDACTED x=1")]
    #[case("a;token=hunter2;b", "a;token=REDACTED;b")]
    #[case("fs.azure.account.key=hunter2", "fs.azure.account.key=REDACTED")]
    #[case("s3.access_key=hunter2", "s3.access_key=REDACTED")]
    #[case("Password: hunter2", "Password: REDACTED")]
    #[case("postgres://me:hunter2@db:5432/x", "postgres://me:REDACTED@db:5432/x")]
    #[case(
        "Secret lake with key password is not there",
        "Secret lake with key password is not there"
    )]
    #[case("namespace=sales name=load", "namespace=sales name=load")]
    fn lines_keep_all_but_the_secret(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(line(text), expected);
    }
}
