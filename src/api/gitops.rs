//! Where a domain's workloads come from, if they come from Git.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who brings the workloads of a domain from Git.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GitOps {
    /// Argo CD, which must be installed, and which the operator must have been installed to use:
    /// Polder makes an AppProject and an Application `<domain>-gitops` in Argo CD's namespace. They
    /// let the repository bring SparkClusters, SqlEndpoints, BatchJobs and ConfigMaps into the
    /// domain's namespace, and nothing else anywhere.
    /// Source: <https://argo-cd.readthedocs.io/en/stable/user-guide/projects/>
    pub argocd: ArgoCd,
}

/// What Argo CD syncs into the domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ArgoCd {
    /// The Git repository, as `https://`, `ssh://`, `file://` or `git@host:path`. Argo CD keeps the
    /// credentials.
    /// Source: <https://argo-cd.readthedocs.io/en/stable/user-guide/private-repositories/>
    #[schemars(
        length(min = 1, max = 1024),
        regex(
            pattern = r"^((https?|ssh|file)://|[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:)[A-Za-z0-9@:._/~+%-]+$"
        )
    )]
    #[x_kube(
        validation = Rule::new("!self.matches('^(https?://[^/]*@|ssh://[^/@]*:[^/]*@)')")
            .message("a credential would be readable here; leave it out, and give it to Argo CD in a repository Secret")
    )]
    pub repo: String,
    /// Folder of the repository with the manifests, a Helm chart or a kustomization. Default: its
    /// root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024), regex(pattern = r"^[A-Za-z0-9_.][A-Za-z0-9._/ -]*$"))]
    #[x_kube(
        validation = Rule::new("!self.matches('(^|/)[.][.](/|$)')")
            .message(".. would leave the repository; give a folder in it, such as teams/sales")
    )]
    pub path: Option<String>,
    /// Branch, tag or commit. Default: HEAD, the repository's own default branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._/+-]*$"))]
    pub revision: Option<String>,
}
