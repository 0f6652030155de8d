//! Labels of all children.
//!
//! Source: <https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/>

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};

use crate::api::domain::Owner;

/// Labels or annotations.
pub type Map = BTreeMap<String, String>;

/// Label of everything in a domain, with the Domain's name. On a Namespace it is also the
/// administrator's consent that the Domain of this name may take it.
pub const DOMAIN: &str = "polder.dev/domain";
/// Label that says who made an object.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Value of [`MANAGED_BY`].
pub const POLDER: &str = "polder";
/// Label with the kind of root: `spark-cluster`, `batch-job`, ...
pub const NAME: &str = "app.kubernetes.io/name";
/// Label with the name of the root.
pub const INSTANCE: &str = "app.kubernetes.io/instance";
/// Label with the role of a child.
pub const COMPONENT: &str = "app.kubernetes.io/component";
/// Label that says what it all is part of.
pub const PART_OF: &str = "app.kubernetes.io/part-of";

/// Label with the team that answers for a domain.
pub const TEAM: &str = "polder.dev/team";
/// Label with who pays for a domain.
pub const COST_CENTER: &str = "polder.dev/cost-center";
/// Label of a namespace with how long logs of the domain are kept.
pub const LOG_RETENTION: &str = "polder.dev/log-retention";
/// Annotation of a stateful set whose pods do not all find room in the quotas of the domain: how
/// many do.
pub const ROOM: &str = "polder.dev/room";

/// Labels that say who answers for a domain and who pays, so that cost tools and selectors find
/// what is theirs. A text that cannot be a label is left out.
pub fn ownership(owner: Option<&Owner>) -> Map {
    let labels = owner.into_iter().flat_map(|owner| {
        [(TEAM, owner.team.as_deref()), (COST_CENTER, owner.cost_center.as_deref())]
    });
    labels
        .filter_map(|(key, value)| Some((key, value.filter(|text| is_value(text))?)))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// Whether a text can be the value of a label, and says something.
/// Source: <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set>
pub fn is_value(text: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !text.is_empty()
        && text.len() <= 63
        && text.chars().all(is_inner)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
}

/// Who a child belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// `Kind::NAME` of the root.
    pub app: &'a str,
    /// Name of the root.
    pub instance: &'a str,
    /// Name of the Domain.
    pub domain: &'a str,
    /// Namespace of the children.
    pub namespace: &'a str,
    /// Labels with the domain's team and cost centre.
    pub owner: &'a Map,
}

impl Identity<'_> {
    /// Labels of a child with this role.
    pub fn labels(&self, component: &str) -> Map {
        let mut labels = self.lasting_labels(component);
        labels.extend(self.owner.clone());
        labels
    }

    /// The same without those of the domain's owner, which may change.
    pub fn lasting_labels(&self, component: &str) -> Map {
        [
            (NAME, self.app),
            (INSTANCE, self.instance),
            (COMPONENT, component),
            (MANAGED_BY, POLDER),
            (PART_OF, POLDER),
            (DOMAIN, self.domain),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
    }

    /// Selects the pods with this role.
    pub fn selector(&self, component: &str) -> Map {
        [(NAME, self.app), (INSTANCE, self.instance), (COMPONENT, component)]
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }

    /// The same as a label selector.
    pub fn label_selector(&self, component: &str) -> LabelSelector {
        LabelSelector { match_labels: Some(self.selector(component)), ..Default::default() }
    }

    /// Metadata of a namespaced child.
    pub fn meta(&self, name: &str, component: &str) -> ObjectMeta {
        ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(self.namespace.to_owned()),
            labels: Some(self.labels(component)),
            ..Default::default()
        }
    }
}
