//! Reasons of Domains.

use super::{Group, Place, act, fine, wait};

/// Of the three conditions that all kinds have.
pub(super) const READY: Group = Group {
    title: "Domain",
    text: "On `Ready`, `Reconciling` and `Stalled`.",
    place: Place::Ready,
    reasons: &[
        wait("NamespacePending", "the namespace is being made", "wait"),
        wait(
            "NamespaceTerminating",
            "the namespace is being deleted, and is made anew once it is gone",
            "wait; if it lasts: `kubectl describe namespace`",
        ),
        wait("Applying", "what bounds the namespace is being made", "wait"),
        wait(
            "QuotaPending",
            "a quota is not in force yet, or does not count objects of Polder's kinds yet",
            "wait; if it lasts, the cluster's quota controller (kube-controller-manager) does not work",
        ),
        wait(
            "SecretsPending",
            "a secret of the Domain is being brought",
            "wait; if it lasts, the operator that brings it does not work",
        ),
        act(
            "NamespaceExists",
            "a namespace of that name exists and is not Polder's",
            "label it `polder.dev/domain=<domain>` to hand it over, or choose another `spec.namespace.name`",
        ),
        act(
            "NamespaceTaken",
            "another Domain has the namespace",
            "delete that Domain, or choose another name",
        ),
        act(
            "NamespaceReserved",
            "the namespace is the cluster's or Polder's own",
            "make the Domain again with another `spec.namespace.name`",
        ),
        act(
            "InvalidLabel",
            "a label of `spec.namespace` is none that Kubernetes accepts",
            "the message says what labels are made of",
        ),
        act(
            "InvalidAnnotation",
            "an annotation of `spec.namespace` has a key that Kubernetes does not accept",
            "name it otherwise",
        ),
        act(
            "InvalidMember",
            "a subject of `spec.members` cannot be bound",
            "mend the part that the message names",
        ),
        act(
            "SystemMember",
            "a subject of `spec.members` is one of Kubernetes' own, and stands for everybody or for a part of the cluster",
            "name your own users and groups",
        ),
        act(
            "ForeignMember",
            "a service account of another namespace is a member: whoever runs pods there would be one",
            "use an account of the domain, or have `members.serviceAccountNamespaces` of the chart extended",
        ),
        act("Duplicate", "a name stands twice in a list", "remove or rename one"),
        act(
            "UnknownResource",
            "`quota` or `limits` name what Kubernetes does not count there",
            "use a resource that the message lists",
        ),
        act(
            "InvalidQuantity",
            "a quantity is below zero, too precise, or no size",
            "write it as `500m`, `4` or `16Gi`",
        ),
        act(
            "QuotaContradicts",
            "a smaller bound in `quota` is larger than the one around it",
            "the message names the field and what would be allowed",
        ),
        act(
            "LimitsContradict",
            "a default in `limits` is larger than the bound",
            "the message names the field and what would be allowed",
        ),
        act(
            "InvalidNetwork",
            "`spec.network` names no range of addresses or no namespace",
            "write `10.20.0.0/16`, or the name of a namespace",
        ),
        act(
            "PropertyInvalid",
            "a property of a catalog would leave its catalog or its line",
            "write keys without `spark.sql.catalog.<name>.`, and values without control characters",
        ),
        act(
            "VolumeImmutable",
            "a shared volume is to become what a volume cannot",
            "put back what the message names, or add a volume under another name and move the data",
        ),
        act(
            "VolumeLost",
            "the volume behind a claim is lost",
            "restore it, or delete the claim to begin with an empty one",
        ),
        act(
            "ExternalSecretsNotInstalled",
            "`spec.secrets` asks for the External Secrets Operator, which is not installed",
            "install it, or take those secrets out",
        ),
        act(
            "ExternalSecretsNotAllowed",
            "Polder may not use the External Secrets Operator",
            "set `externalSecrets.enabled` in the chart's values",
        ),
        act(
            "SecretsStoreNotInstalled",
            "`spec.secrets` asks for the Secrets Store CSI driver, which is not installed",
            "install it with Vault's provider, or take those secrets out",
        ),
        act(
            "SecretsStoreNotAllowed",
            "Polder may not use the Secrets Store CSI driver",
            "set `secretsStore.enabled` in the chart's values",
        ),
        act(
            "SecretSyncedError",
            "the External Secrets Operator cannot bring a secret",
            "the message is its own: mostly a store, a path or a right that is missing",
        ),
        act(
            "ArgoCdNotInstalled",
            "`spec.gitops` asks for Argo CD, which is not installed",
            "install it, or take `spec.gitops` out",
        ),
        act(
            "ArgoCdNotAllowed",
            "Polder may not use Argo CD",
            "set `argocd.enabled` in the chart's values",
        ),
        wait(
            "Deleting",
            "workloads still stop, or the namespace still goes",
            "wait; the message names what for",
        ),
        wait(
            "DeletionBlocked",
            "the Domain is being deleted, and something in its namespace has a finalizer that others set",
            "whoever set the finalizer that the message names has to remove it",
        ),
    ],
};

/// Of its other conditions.
pub(super) const CONDITIONS: Group = Group {
    title: "Other conditions of a Domain",
    text: "On `NamespaceReady`, `QuotaEnforced`, `AccessGranted`, `NetworkIsolated`, `CatalogsReady`, \
           `SecretsReady`, `GitOpsReady` and `MonitoringReady`, beside those above.",
    place: Place::Elsewhere,
    reasons: &[
        wait("NamespaceNotReady", "all waits for the namespace", "wait; see `NamespaceReady`"),
        wait("Pending", "it is being made, or made last", "wait; the message says what for"),
        fine("Enforced", "every quota is in force"),
        fine("NoQuota", "`spec.quota` is not set: nothing bounds the domain"),
        fine("Granted", "members have their roles"),
        fine("NoMembers", "`spec.members` is empty: only administrators have access"),
        fine(
            "PoliciesInPlace",
            "network policies are there; the cluster's network plugin enforces them",
        ),
        fine("IsolationOff", "`spec.network.isolation` is `None`: pods may talk to anybody"),
        fine("Configured", "catalogs are offered to workloads; nobody has probed them"),
        fine("NoCatalogs", "`spec.catalogs` is empty"),
        fine("NoSecrets", "`spec.secrets` is empty"),
        fine("Synced", "the namespace is what Git says"),
        wait("OutOfSync", "Git and the namespace differ", "wait: Argo CD is about to sync"),
        act(
            "SyncFailed",
            "Argo CD could not sync; what runs goes on as it was",
            "mend in Git what the message names",
        ),
        fine("Monitored", "Prometheus is told to scrape the domain's Spark pods"),
        act(
            "PrometheusOperatorNotInstalled",
            "`spec.monitoring` asks for a PodMonitor, and the Prometheus Operator is not installed",
            "install it, or have your Prometheus scrape the pods itself",
        ),
        act(
            "PrometheusOperatorNotAllowed",
            "Polder may not make PodMonitors",
            "set `monitoring.podMonitors.enabled` in the chart's values",
        ),
    ],
};

/// Of the event that outlives a Domain.
pub(super) const FAREWELL: Group = Group {
    title: "The namespace of a Domain that was deleted",
    text: "An event on the Namespace, and none of a condition.",
    place: Place::Event,
    reasons: &[fine(
        "Retained",
        "the Domain was deleted, and its namespace stays; the note lists what was kept, and how to remove it",
    )],
};
