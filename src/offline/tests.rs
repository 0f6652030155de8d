use std::path::PathBuf;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use rstest::rstest;

use super::{
    cel::{self, Rules},
    lint::{Outcome, Set},
    manifest,
};
use crate::{api::crds, operator::Installation};

/// Every schema inside a schema, itself included.
fn each<'a>(schema: &'a JSONSchemaProps, found: &mut Vec<&'a JSONSchemaProps>) {
    found.push(schema);
    schema.properties.iter().flat_map(|all| all.values()).for_each(|it| each(it, found));
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items {
        each(items, found);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &schema.additional_properties {
        each(values, found);
    }
}

#[test]
fn every_rule_and_pattern_of_every_crd_can_be_read() {
    let (rules, crds) = (Rules::new().unwrap(), crds::all());
    let mut all = Vec::new();
    for crd in &crds {
        let schema = crd.spec.versions[0].schema.as_ref().unwrap();
        each(schema.open_api_v3_schema.as_ref().unwrap(), &mut all);
    }
    let brackets = regex::Regex::new(r"\[[^\]]*\]").unwrap();
    let (mut count, mut patterns) = (0, 0);
    for schema in all {
        for rule in schema.x_kubernetes_validations.iter().flatten() {
            for text in [Some(&rule.rule), rule.message_expression.as_ref()].into_iter().flatten() {
                rules.program(text).unwrap_or_else(|error| panic!("{text}: {error}"));
                count += 1;
            }
        }
        if let Some(pattern) = &schema.pattern {
            cel::regex(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
            // Outside of brackets the classes of Go and Rust differ.
            let outside = brackets.replace_all(pattern, "");
            assert!(![r"\s", r"\w", r"\d"].iter().any(|it| outside.contains(it)), "{pattern}");
            patterns += 1;
        }
    }
    assert!(count > 100 && patterns > 50, "{count} rules, {patterns} patterns");
}

fn lint(files: &[(&str, &str)]) -> Outcome {
    let mut input = manifest::Input::default();
    for (file, text) in files {
        let one = manifest::of_text(file, text);
        input.manifests.extend(one.manifests);
        input.findings.extend(one.findings);
        input.passed_over += one.passed_over;
        input.files += one.files;
    }
    Set::new(input, None, Installation::default()).unwrap().lint()
}

/// Findings as `file:line rule field`.
fn found(outcome: &Outcome) -> Vec<String> {
    let findings = outcome.findings.iter();
    findings
        .map(|it| format!("{}:{} {} {}", it.place.file, it.place.line, it.rule, it.field))
        .collect()
}

const DOMAIN: &str = "\
apiVersion: polder.dev/v1alpha1
kind: Domain
metadata: {name: sales}
spec:
  compute: {images: [registry.example.com/*], maxExecutors: 3}
";

const JOB: &str = "\
apiVersion: polder.dev/v1alpha1
kind: BatchJob
metadata:
  name: dbt
  namespace: sales
spec:
  container:
    image: registry.example.com/dbt:1
    resources: {cpu: 1, memory: 1Gi}
";

const CLUSTER: &str = "\
apiVersion: polder.dev/v1alpha1
kind: SparkCluster
metadata: {name: etl}
spec:
  master: {resources: {cpu: 500m, memory: 1Gi}, storage: {size: 1Gi}}
  workers:
  - {name: w, replicas: 1, resources: {cpu: 1, memory: 2Gi}}
";

const ON_CLUSTER: &str = "\
apiVersion: polder.dev/v1alpha1
kind: SqlEndpoint
metadata: {name: bi}
spec:
  driver: {resources: {cpu: 1, memory: 2Gi}}
  clusterRef: {name: etl}
";

#[rstest]
#[case::examples("examples/quickstart", 6)]
#[case::secrets("examples/secrets", 3)]
fn examples_are_right(#[case] folder: &str, #[case] objects: usize) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let input = manifest::read(&[folder]).unwrap();
    let outcome = Set::new(input, None, Installation::default()).unwrap().lint();
    assert!(outcome.findings.is_empty(), "{:#?}", outcome.findings);
    assert_eq!((outcome.summary.objects, outcome.summary.without_domain), (objects, 0));
}

#[rstest]
#[case::typo("namespace: sales", "namspace: sales", "job:5 UnknownField metadata.namspace")]
#[case::typo_of_kind("kind: BatchJob", "kind: BatchJobs", "job:2 UnknownKind kind")]
#[case::typo_of_group("polder.dev", "poldr.dev", "job:1 UnknownKind apiVersion")]
#[case::version("v1alpha1", "v1", "job:1 UnknownKind apiVersion")]
#[case::boolean_by_accident("name: dbt", "name: yes", "job:4 WrongType metadata.name")]
#[case::unit("memory: 1Gi", "memory: 1GB", "job:9 RuleBroken spec.container.resources.memory")]
#[case::rule("cpu: 1,", "cpu: 1, cpuLimit: 500m,", "job:9 RuleBroken spec.container.resources")]
#[case::policy("registry.example.com", "docker.io", "job:8 ImageNotAllowed spec.container.image")]
#[case::near_namespace(
    "namespace: sales",
    "namespace: slaes",
    "job:5 DomainNotFound metadata.namespace"
)]
#[case::twice("metadata:\n", "kind: BatchJob\nmetadata:\n", "job:3 Duplicate kind")]
#[case::syntax("resources: {", "resources: {{", "job:9 Unreadable ")]
fn a_mistake_is_found_where_it_stands(
    #[case] right: &str,
    #[case] wrong: &str,
    #[case] expected: &str,
) {
    let outcome = lint(&[("domain", DOMAIN), ("job", JOB)]);
    assert!(outcome.findings.is_empty(), "{:#?}", outcome.findings);
    let outcome = lint(&[("domain", DOMAIN), ("job", &JOB.replacen(right, wrong, 1))]);
    assert_eq!(found(&outcome).len(), 1, "{:#?}", outcome.findings);
    let told = found(&outcome).remove(0);
    assert!(told.starts_with(expected), "{told}");
}

#[test]
fn a_broken_file_in_the_middle_hides_nothing_else() {
    let broken = format!("{DOMAIN}---\nkind: [\n---\n{}", JOB.replace("dbt", "DBT"));
    let outcome = lint(&[("a", JOB), ("b", &broken), ("c", "kind: ConfigMap\napiVersion: v1\n")]);
    let rules: Vec<&str> = outcome.findings.iter().map(|it| it.rule).collect();
    assert_eq!(rules, ["Unreadable", "RuleBroken", "NoMatch"], "{:#?}", outcome.findings);
    let summary = &outcome.summary;
    assert_eq!((summary.objects, summary.passed_over, summary.files), (3, 1, 3));
}

#[test]
fn what_others_lack_is_told_only_if_they_are_here() {
    // Its domain and its cluster may be anywhere.
    let alone = lint(&[("sql", ON_CLUSTER)]);
    assert!(alone.findings.is_empty() && alone.summary.without_domain == 1, "{alone:#?}");
    let whole = lint(&[("domain", DOMAIN), ("sql", ON_CLUSTER), ("etl", CLUSTER)]);
    assert!(whole.findings.is_empty(), "{whole:#?}");
    let missing = lint(&[("domain", DOMAIN), ("sql", ON_CLUSTER)]);
    assert_eq!(found(&missing), ["sql:6 ClusterNotFound spec.clusterRef.name"]);
    // One that is broken is no second finding.
    let broken =
        lint(&[("domain", DOMAIN), ("sql", ON_CLUSTER), ("etl", &CLUSTER.replace("2Gi", "2G i"))]);
    assert_eq!(found(&broken), ["etl:7 RuleBroken spec.workers[0].resources.memory"]);
}

#[test]
fn the_same_object_twice_and_lists() {
    let list = |items: &str| {
        format!("apiVersion: v1\nkind: List\nitems:\n- {}", items.replace('\n', "\n  "))
    };
    let outcome = lint(&[("domain", DOMAIN), ("a", JOB), ("b", &list(JOB))]);
    assert_eq!(found(&outcome), ["b:4 Duplicate "]);
    assert!(outcome.findings[0].message.contains("a:1"), "{outcome:?}");
    let outcome = lint(&[("b", &list(&JOB.replace("1Gi", "x")))]);
    assert_eq!(found(&outcome), ["b:12 RuleBroken spec.container.resources.memory"]);
}
