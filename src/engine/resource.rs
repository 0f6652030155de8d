//! Names of types and objects.

use std::fmt;

/// A Kubernetes resource type, as the engine needs it to make URLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceType {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// API version.
    pub version: &'static str,
    /// Kind, CamelCase.
    pub kind: &'static str,
    /// Plural, as in URLs.
    pub plural: &'static str,
    /// Whether objects live in a namespace.
    pub namespaced: bool,
}

impl ResourceType {
    /// The types that others add to a cluster.
    pub(crate) const DEFINITION: Self = Self {
        group: "apiextensions.k8s.io",
        version: "v1",
        kind: "CustomResourceDefinition",
        plural: "customresourcedefinitions",
        namespaced: false,
    };

    /// A namespaced type, from its k8s-openapi type.
    pub const fn namespaced<T: k8s_openapi::Resource>() -> Self {
        Self::new::<T>(true)
    }

    /// A cluster-scoped type, from its k8s-openapi type.
    pub const fn cluster<T: k8s_openapi::Resource>() -> Self {
        Self::new::<T>(false)
    }

    const fn new<T: k8s_openapi::Resource>(namespaced: bool) -> Self {
        Self {
            group: T::GROUP,
            version: T::VERSION,
            kind: T::KIND,
            plural: T::URL_PATH_SEGMENT,
            namespaced,
        }
    }

    /// `v1` or `group/version`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }
}

/// Whether the API server shows us the objects of a type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Served {
    /// It does.
    #[default]
    Yes,
    /// It does not know the type: no CustomResourceDefinition, or not in this version.
    NotInstalled,
    /// It knows the type, or would not say, and our role does not let us read it.
    Forbidden,
}

/// Which object: its type, namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey {
    /// Type.
    pub resource: ResourceType,
    /// Namespace; `None` for cluster-scoped objects.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
}

impl ObjectKey {
    /// Key of a namespaced object.
    pub fn namespaced(
        resource: ResourceType,
        namespace: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        Self { resource, namespace: Some(namespace.into()), name: name.into() }
    }

    /// Key of a cluster-scoped object.
    pub fn cluster(resource: ResourceType, name: impl Into<String>) -> Self {
        Self { resource, namespace: None, name: name.into() }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.resource.kind, self.name),
            None => write!(f, "{} {}", self.resource.kind, self.name),
        }
    }
}
