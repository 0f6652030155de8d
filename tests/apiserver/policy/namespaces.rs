//! What a namespace says of its domain.

use serde_json::{Value, json};

use super::{
    asker::{Asker, accepted, refused},
    table::merge,
};
use crate::tenant::Tenant;

#[tokio::test]
async fn a_namespace_says_what_the_operator_wrote() {
    let tenant = Tenant::ready("v-namespace").await;
    let admin = Asker::admin("").await;
    let name = "v-namespace";
    let labels = |labels: Value| json!({"metadata": {"labels": labels}});
    let notes = |notes: Value| json!({"metadata": {"annotations": notes}});
    let changes = [
        (labels(json!({"polder.dev/domain": null})), "label polder.dev/domain"),
        (labels(json!({"polder.dev/domain": "other"})), "label polder.dev/domain"),
        (labels(json!({"polder.dev/team": "mine"})), "label polder.dev/team"),
        (
            labels(json!({"pod-security.kubernetes.io/enforce": "privileged"})),
            "label pod-security.kubernetes.io/enforce",
        ),
        (
            labels(json!({"pod-security.kubernetes.io/enforce": null})),
            "label pod-security.kubernetes.io/enforce",
        ),
        (
            labels(json!({"app.kubernetes.io/managed-by": "helm"})),
            "label app.kubernetes.io/managed-by",
        ),
        (
            notes(json!({"polder.dev/allowed-images": "evil.example.com/*"})),
            "annotation polder.dev/allowed-images",
        ),
        (notes(json!({"polder.dev/allowed-images": null})), "annotation polder.dev/allowed-images"),
        (notes(json!({"polder.dev/frozen": "false"})), "annotation polder.dev/frozen"),
        // The label off and the rest changed in one go: the new labels are those of no domain.
        (
            json!({"metadata": {"labels": {"polder.dev/domain": null, "pod-security.kubernetes.io/enforce": null},
                "annotations": {"polder.dev/storage-classes": "gold"}}}),
            "label ",
        ),
    ];
    for (patch, says) in changes {
        let before = admin.get("Namespace", name).await.unwrap();
        for more in ["", "/status"] {
            let what = format!("{more} {patch}");
            refused(
                &what,
                &admin.patch("Namespace", name, more, &patch).await,
                &[says, "for Polder to set"],
            );
        }
        let mut object = before.clone();
        merge(&mut object, &patch);
        for more in ["", "/status", "/finalize"] {
            let what = format!("PUT {more} {patch}");
            let answer = admin.send("PUT", "Namespace", name, more, Some(&object)).await;
            refused(&what, &answer, &[says]);
        }
        let after = admin.get("Namespace", name).await.unwrap();
        assert_eq!(after["metadata"]["labels"], before["metadata"]["labels"]);
        assert_eq!(after["metadata"]["annotations"], before["metadata"]["annotations"]);
    }
    refused("its end", &admin.delete("Namespace", name).await, &["belongs to Domain v-namespace"]);
    let theirs = json!({"metadata": {"labels": {"example.com/a": "b"}, "annotations": {"example.com/a": "b"}}});
    accepted("what is not Polder's", admin.patch("Namespace", name, "", &theirs).await);
    // What a Domain left behind is an administrator's again.
    tenant.patch("Domain", name, json!({"spec": {"deletionPolicy": "Retain"}})).await;
    tenant.delete("Domain", name).await;
    tenant.wait_gone("Domain", name).await;
    accepted("the end of what is left", admin.delete("Namespace", name).await);
    tenant.end();
}

#[tokio::test]
async fn handing_a_namespace_over_is_for_those_who_may_create_domains() {
    let tenant = Tenant::new("v-handover").await;
    let admin = Asker::admin("").await;
    let create = |name: &str, metadata: Value| {
        let mut object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
        object["metadata"]["name"] = json!(name);
        object
    };
    let consent = json!({"labels": {"polder.dev/domain": "v-handover"}});
    let dry = async |who: &Asker, object: &Value| {
        who.send("POST", "Namespace", "", "?dryRun=All", Some(object)).await
    };
    accepted("with the consent", dry(&admin, &create("v-handover", consent.clone())).await);
    let more = json!({"labels": {"polder.dev/domain": "v-handover"}, "annotations": {"polder.dev/allowed-images": "*"}});
    refused(
        "with a policy of one's own",
        &dry(&admin, &create("v-handover", more)).await,
        &["for Polder to set"],
    );
    accepted("a plain one", admin.create("Namespace", &create("v-handover", json!({}))).await);
    let patch = json!({"metadata": consent});
    for name in ["kube-system", "default", "polder-system"] {
        let answer = admin.patch("Namespace", name, "?dryRun=All", &patch).await;
        refused(name, &answer, &["cannot become a domain"]);
    }
    let rights = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: keeper}
rules: [{apiGroups: [""], resources: [namespaces], verbs: [get, patch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: keeper}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: keeper}
subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: kim}]
"#;
    tenant.apply(rights).await;
    let kim = Asker::person("", "kim", &["system:authenticated"]).await;
    let note = json!({"metadata": {"annotations": {"example.com/a": "b"}}});
    tenant
        .wait("the right", async || kim.patch("Namespace", "v-handover", "", &note).await.ok())
        .await;
    let answer = kim.patch("Namespace", "v-handover", "", &patch).await;
    refused("by kim", &answer, &["allowed for those who may create Domains"]);
    accepted("by the administrator", admin.patch("Namespace", "v-handover", "", &patch).await);
    tenant.delete("Namespace", "v-handover").await;
    tenant.end();
}
