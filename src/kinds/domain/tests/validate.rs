use rstest::rstest;
use serde_json::json;

use super::{FULL, domain, in_place, operator, record, with_namespace};
use crate::{
    api::Domain,
    kinds::domain::{Resolved, scope::Scope, validate::validate},
};

fn problems(domain: &Domain, resolved: &Resolved) -> Vec<String> {
    validate(domain, resolved, &operator())
        .into_iter()
        .map(|problem| format!("{} {}", problem.reason, problem.field))
        .collect()
}

#[rstest]
#[case("", &[])]
#[case(FULL, &[])]
#[case("namespace: {name: polder-system}", &["NamespaceReserved spec.namespace.name"])]
#[case("namespace: {name: kube-public}", &["NamespaceReserved spec.namespace.name"])]
#[case("namespace: {labels: {tier: 'Very good'}}", &["InvalidLabel spec.namespace.labels[tier]"])]
#[case("namespace: {labels: {'a b': x}}", &["InvalidLabel spec.namespace.labels[a b]"])]
#[case("namespace: {annotations: {'a b': x, ok: 'any text'}}", &["InvalidAnnotation spec.namespace.annotations[a b]"])]
#[case("members: [{role: Admin, subjects: [{kind: Group, name: 'system:authenticated'}]}]", &["SystemMember spec.members[0].subjects[0].name"])]
#[case("members: [{role: Admin, subjects: [{kind: User, name: 'system:serviceaccount:a:b'}]}]", &["SystemMember spec.members[0].subjects[0].name"])]
#[case("members: [{role: Admin, subjects: [{kind: User, name: ''}]}]", &["InvalidMember spec.members[0].subjects[0].name"])]
#[case("members: [{role: Admin, subjects: [{kind: Robot, name: r2}]}]", &["InvalidMember spec.members[0].subjects[0].kind"])]
#[case("members: [{role: Admin, subjects: [{kind: ServiceAccount, name: a}]}]", &["InvalidMember spec.members[0].subjects[0].namespace"])]
#[case("members: [{role: Admin, subjects: [{kind: Group, name: 'system:masters'}]}]", &["SystemMember spec.members[0].subjects[0].name"])]
#[case("members: [{role: Admin, subjects: [{kind: User, name: 'system:kube-scheduler'}]}]", &["SystemMember spec.members[0].subjects[0].name"])]
#[case("members: [{role: Admin, subjects: [{kind: User, name: a, namespace: ci}]}]", &["InvalidMember spec.members[0].subjects[0].namespace"])]
#[case("members: [{role: Engineer, subjects: [{kind: ServiceAccount, name: a, namespace: sales}]}]", &[])]
#[case("members: [{role: Engineer, subjects: [{kind: ServiceAccount, name: a, namespace: ci}]}]", &[])]
#[case("members: [{role: Engineer, subjects: [{kind: ServiceAccount, name: a, namespace: other}]}]", &["ForeignMember spec.members[0].subjects[0].namespace"])]
#[case("members: [{role: Engineer, subjects: [{kind: ServiceAccount, name: a, namespace: kube-system}]}]", &["ForeignMember spec.members[0].subjects[0].namespace"])]
#[case("members: [{role: Engineer, subjects: [{kind: ServiceAccount, name: polder, namespace: polder-system}]}]", &["ForeignMember spec.members[0].subjects[0].namespace"])]
#[case("members: [{role: Admin, subjects: [{kind: User, name: a, apiGroup: example.com}]}]", &["InvalidMember spec.members[0].subjects[0].apiGroup"])]
#[case("members: [{role: Admin, subjects: [{kind: User, name: a}]}, {role: Admin, subjects: [{kind: User, name: b}]}]", &["Duplicate spec.members[1].role"])]
#[case("quota: {hard: {requests.gpu: 1}}", &["UnknownResource spec.quota.hard[requests.gpu]"])]
#[case("quota: {hard: {requests.nvidia.com/gpu: 1, count/batchjobs.polder.dev: 3, hugepages-2Mi: 1Gi}}", &[])]
#[case("quota: {hard: {pods: '1.5'}}", &["InvalidQuantity spec.quota.hard[pods]"])]
#[case("quota: {hard: {requests.cpu: '1.5'}}", &[])]
#[case("quota: {storage: [{class: fast, size: 2Ti, claims: 3}], objects: {batchJobs: 3}, perPriority: [{priorityClass: low, hard: {pods: 1, limits.cpu: 3}}]}", &[])]
#[case("quota: {hard: {fast.storageclass.storage.k8s.io/requests.storage: 1Ti}, storage: [{class: fast, size: 2Ti, claims: 3}]}", &["QuotaContradicts spec.quota.storage[0].size"])]
#[case("quota: {hard: {fast.storageclass.storage.k8s.io/persistentvolumeclaims: 1}, storage: [{class: fast, claims: 3}]}", &["QuotaContradicts spec.quota.storage[0].claims"])]
#[case("quota: {hard: {count/sparkclusters.polder.dev: 1}, objects: {sparkClusters: 1, batchJobs: 2}}", &["QuotaContradicts spec.quota.objects.sparkClusters"])]
#[case("quota: {storage: [{class: fast, size: much}]}", &["InvalidQuantity spec.quota.storage[0].size"])]
#[case("quota: {storage: [{class: fast, claims: 1}, {class: fast, size: 1Gi}]}", &["Duplicate spec.quota.storage[1].class"])]
#[case("quota: {perPriority: [{priorityClass: low, hard: {requests.storage: 1Gi, pods: '1.5'}}, {priorityClass: low, hard: {pods: 1}}]}", &["InvalidQuantity spec.quota.perPriority[0].hard[pods]", "UnknownResource spec.quota.perPriority[0].hard[requests.storage]", "Duplicate spec.quota.perPriority[1].priorityClass"])]
#[case("quota: {hard: {requests.cpu: much, pods: -1}}", &["InvalidQuantity spec.quota.hard[pods]", "InvalidQuantity spec.quota.hard[requests.cpu]"])]
#[case("limits: {default: {cpu: 2}, max: {cpu: 1500m}}", &["LimitsContradict spec.limits.default[cpu]"])]
#[case("limits: {default: {cpu: 1}, defaultRequest: {cpu: 2}}", &["LimitsContradict spec.limits.defaultRequest[cpu]"])]
#[case("limits: {max: {pods: 1}}", &["UnknownResource spec.limits.max[pods]"])]
#[case("volumes: [{name: a, size: 0, path: /a}]", &["InvalidQuantity spec.volumes[0].size"])]
#[case("volumes: [{name: a, size: 1Gi, path: /a}, {name: b, size: 1Gi, path: /a/}]", &["Duplicate spec.volumes[1].path"])]
#[case("catalogs: [{name: a, hive: {uri: 'thrift://a:1'}}, {name: a, hive: {uri: 'thrift://b:1'}}]", &["Duplicate spec.catalogs[1].name"])]
#[case("catalogs: [{name: a, iceberg: {jdbc: {uri: 'jdbc:postgresql://pg/x?user=u&password=p', warehouse: w}}}]", &["SecretExposed spec.catalogs[0].iceberg.jdbc.uri"])]
#[case("catalogs: [{name: a, iceberg: {rest: {uri: 'https://u:p@cat/x'}}}]", &["SecretExposed spec.catalogs[0].iceberg.rest.uri"])]
#[case("catalogs: [{name: a, iceberg: {rest: {uri: 'https://cat:443/x?a=b@c:d'}}}]", &[])]
#[case("catalogs: [{name: a, class: a.B, properties: {Spark.master: x, 'b c': y, d: \"e\\nf\"}}]", &["PropertyInvalid spec.catalogs[0].properties[Spark.master]", "PropertyInvalid spec.catalogs[0].properties[b c]", "PropertyInvalid spec.catalogs[0].properties[d]"])]
#[case("catalogs: [{name: a, class: a.B, properties: {token: x, url: 'https://u:p@c', type: t}}]", &["SecretExposed spec.catalogs[0].properties[url]", "SecretExposed spec.catalogs[0].properties[token]"])]
#[case("catalogs: [{name: a, iceberg: {rest: {uri: 'https://c'}}, properties: {type: t}, secretProperties: [{property: credential, secret: {name: s, key: k}}]}]", &["ReservedKey spec.catalogs[0].properties[type]", "ReservedKey spec.catalogs[0].secretProperties[0].property"])]
#[case("catalogs: [{name: a, class: a.B, properties: {b: c}, secretProperties: [{property: b, secret: {name: s, key: k}}]}]", &["Duplicate spec.catalogs[0].secretProperties[0].property"])]
#[case("compute: {sparkConf: {spark.hadoop.fs.s3a.secret.key: x, spark.a: 'https://u:p@x', spark.b: x}}", &["SecretExposed spec.compute.sparkConf[spark.a]", "SecretExposed spec.compute.sparkConf[spark.hadoop.fs.s3a.secret.key]"])]
#[case("network: {allowTo: [{cidr: 10.0.0.0/33}], allowFrom: [{namespace: Bi}]}", &["InvalidNetwork spec.network.allowFrom[0].namespace", "InvalidNetwork spec.network.allowTo[0].cidr"])]
fn specs(#[case] spec: &str, #[case] expected: &[&str]) {
    assert_eq!(problems(&domain(spec), &Resolved::default()), expected);
}

#[rstest]
#[case(Some("sales"), None, &[])]
#[case(None, None, &["NamespaceExists spec.namespace.name"])]
#[case(Some("other"), None, &["NamespaceExists spec.namespace.name"])]
#[case(Some("other"), Some("other"), &["NamespaceTaken spec.namespace.name"])]
fn namespaces(#[case] label: Option<&str>, #[case] rival: Option<&str>, #[case] expected: &[&str]) {
    let domain = domain("");
    let mut resolved = with_namespace(&domain, label);
    resolved.rival = rival.map(str::to_owned);
    assert_eq!(problems(&domain, &resolved), expected);
}

#[test]
fn the_way_out_is_told() {
    let domain = domain("");
    let problems = validate(&domain, &with_namespace(&domain, None), &operator());
    assert_eq!(
        problems[0].message,
        "namespace sales exists and is not Polder's; to hand it over to this Domain: kubectl label \
         namespace sales polder.dev/domain=sales; or delete this Domain and make it again with \
         another spec.namespace.name"
    );
}

#[rstest]
#[case("{name: a, size: 10Gi, class: fast, path: /a}", &[])]
#[case("{name: a, size: 11Gi, path: /a}", &[])]
#[case("{name: a, size: 1Gi, class: fast, path: /a}", &["VolumeImmutable spec.volumes[0].size"])]
#[case("{name: a, size: 10Gi, class: slow, path: /a}", &["VolumeImmutable spec.volumes[0].class"])]
#[case("{name: a, size: 10Gi, class: fast, path: /a, accessMode: ReadWriteOnce}", &["VolumeImmutable spec.volumes[0].accessMode"])]
fn volumes_that_exist(#[case] volume: &str, #[case] expected: &[&str]) {
    let domain = domain(&format!("volumes: [{volume}]"));
    let key = Scope::of(&domain).claim_key(&domain.spec.volumes[0]);
    let claim = json!({"spec": {
        "storageClassName": "fast",
        "accessModes": ["ReadWriteMany"],
        "resources": {"requests": {"storage": "10Gi"}},
    }});
    let mut resolved = in_place(&domain);
    resolved.claims.insert(key.name.clone(), record(key, Some("sales"), claim));
    assert_eq!(problems(&domain, &resolved), expected);
}
