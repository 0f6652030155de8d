//! Addresses of objects and collections.

use super::resource::ResourceType;

/// Which object.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub resource: &'a ResourceType,
    pub namespace: Option<&'a str>,
    pub name: &'a str,
}

impl Target<'_> {
    pub(super) fn url(&self) -> String {
        format!("{}/{}", collection(self.resource, self.namespace), self.name)
    }
}

pub(crate) fn collection(resource: &ResourceType, namespace: Option<&str>) -> String {
    let base = if resource.group.is_empty() {
        format!("/api/{}", resource.version)
    } else {
        format!("/apis/{}/{}", resource.group, resource.version)
    };
    match namespace {
        Some(namespace) => format!("{base}/namespaces/{namespace}/{}", resource.plural),
        None => format!("{base}/{}", resource.plural),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_those_of_the_api() {
        let claims = ResourceType {
            group: "",
            version: "v1",
            kind: "PersistentVolumeClaim",
            plural: "persistentvolumeclaims",
            namespaced: true,
        };
        let target = Target { resource: &claims, namespace: Some("n"), name: "a" };
        assert_eq!(target.url(), "/api/v1/namespaces/n/persistentvolumeclaims/a");
        let roles = ResourceType { group: "rbac.authorization.k8s.io", plural: "roles", ..claims };
        assert_eq!(collection(&roles, None), "/apis/rbac.authorization.k8s.io/v1/roles");
    }
}
