//! What manifests become: the children of each, given the others.

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    finding::{Finding, Name, Place},
    lint::Set,
    manifest::Manifest,
};
use crate::engine::{Child, Ownership, Refused, digest::normalise};

/// What a manifest becomes.
#[derive(Debug, Serialize)]
pub struct Planned {
    /// The object.
    pub object: Name,
    /// Where it stands.
    #[serde(flatten)]
    pub place: Place,
    /// Its children, in the order they are sent in. The operator adds owner references and a digest.
    pub children: Vec<Value>,
}

/// What each object that is right becomes, in the order of the files, and what is wrong with the
/// others.
pub fn plan(set: &Set) -> (Vec<Planned>, Vec<Finding>) {
    let (mut planned, mut findings) = (Vec::new(), set.findings.clone());
    for manifest in set.right() {
        match set.world.children(&manifest.value()) {
            Ok(children) => planned.push(Planned {
                object: manifest.name.clone(),
                place: manifest.place.clone(),
                children: children.iter().map(shown).collect(),
            }),
            Err(refused) => findings.extend(told(manifest, refused)),
        }
    }
    findings.sort();
    (planned, findings)
}

fn told(manifest: &Manifest, refused: Refused) -> Vec<Finding> {
    match refused {
        Refused::Unreadable(error) => vec![manifest.finding("Unreadable", "", error.to_string())],
        Refused::Problems(problems) => problems
            .into_iter()
            .map(|it| match it.reason {
                "DomainNotFound" => manifest.finding(
                    it.reason,
                    it.field,
                    match manifest.home() {
                        Some(_) => {
                            "its Domain is not among the files; name the files of the Domain too"
                        }
                        None => "names no namespace; set it, or give --namespace",
                    },
                ),
                reason => manifest.finding(reason, it.field, it.message),
            })
            .collect(),
    }
}

/// A child as it is sent, without what is or could be secret.
pub fn shown(child: &Child) -> Value {
    let mut object = normalise(child.object.clone());
    if let Value::Object(fields) = &mut object
        && child.resource.kind == "Secret"
    {
        fields.remove("data");
        fields.remove("stringData");
        if let Ownership::Generated { key, bytes, .. } = &child.ownership {
            let what = format!("{bytes} random bytes, made in the cluster and never shown");
            fields.insert("stringData".to_owned(), json!({key: what}));
        }
    }
    object
}
