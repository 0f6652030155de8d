//! What the examples become: one snapshot for each Polder object in `examples/`, so that a review
//! sees what a change does to a user's cluster. `cargo insta review`, or INSTA_UPDATE=always,
//! accepts what changed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod ci;
mod docs;
mod guide;
mod health;
mod lint;
mod logs;
#[path = "../apiserver/manifests.rs"]
#[allow(dead_code, reason = "made for tests that wait")]
mod manifests;
mod ownership;
mod plan;
mod reasons;
mod render;
mod rules;
mod values;

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};

use render::{World, documents};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");

/// YAML files below a folder, in order.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut entries: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let (folders, files): (Vec<_>, Vec<_>) = entries.into_iter().partition(|path| path.is_dir());
    let is_yaml = |path: &std::path::PathBuf| {
        path.extension().is_some_and(|extension| extension == "yaml")
            && path.file_name().is_some_and(|name| name != "kustomization.yaml")
    };
    files
        .into_iter()
        .filter(is_yaml)
        .chain(folders.iter().flat_map(|folder| self::files(folder)))
        .collect()
}

/// The Polder objects of an example, in the namespace of its domain.
fn roots(example: &Path) -> Vec<Value> {
    let all: Vec<Value> = files(example)
        .iter()
        .flat_map(|file| documents(&fs::read_to_string(file).unwrap()))
        .filter(|object| object["apiVersion"] == "polder.dev/v1alpha1")
        .collect();
    let domain = all.iter().find(|object| object["kind"] == "Domain");
    let domain = domain.unwrap_or_else(|| panic!("{} has no Domain", example.display()));
    let namespace = domain["spec"]["namespace"]["name"].as_str();
    let namespace = namespace.or(domain["metadata"]["name"].as_str()).unwrap().to_owned();
    all.into_iter()
        .map(|mut object| {
            if object["kind"] != "Domain" {
                object["metadata"]["namespace"] = json!(namespace);
            }
            object
        })
        .collect()
}

fn examples() -> Vec<(String, Vec<Value>)> {
    let mut folders: Vec<_> =
        fs::read_dir(EXAMPLES).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
        .iter()
        .filter(|path| path.is_dir())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), roots(path)))
        .collect()
}

#[test]
fn every_example_becomes_what_its_snapshot_says() {
    let mut names = BTreeSet::new();
    for (example, roots) in examples() {
        let world = World::new(&roots);
        for root in &roots {
            let kind = root["kind"].as_str().unwrap().to_lowercase();
            let name = format!("{example}-{kind}-{}", root["metadata"]["name"].as_str().unwrap());
            let children: Vec<Value> = world.children(root).iter().map(render::shown).collect();
            insta::with_settings!({
                snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden"),
                prepend_module_to_snapshot => false,
                omit_expression => true,
            }, { insta::assert_yaml_snapshot!(name.clone(), children) });
            names.insert(name);
        }
    }
    assert!(names.len() >= 6, "{names:?}");
}

#[test]
fn every_snapshot_has_its_example() {
    let known: BTreeSet<String> = examples()
        .iter()
        .flat_map(|(example, roots)| {
            roots.iter().map(move |root| {
                let kind = root["kind"].as_str().unwrap().to_lowercase();
                format!("{example}-{kind}-{}", root["metadata"]["name"].as_str().unwrap())
            })
        })
        .collect();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = file.strip_suffix(".snap") else { continue };
        // Those of the unit tests of the kind.
        let is_other = matches!(name, "domain-full" | "domain-status");
        assert!(is_other || known.contains(name), "{file}: no example makes it; delete it");
    }
}
