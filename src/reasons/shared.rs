//! Reasons that several kinds share.

use super::{Group, Place, act, asked, either, fine, wait};

/// Of every kind.
pub(super) const ALL: Group = Group {
    title: "All kinds",
    text: "On `Ready`, `Reconciling` and `Stalled`.",
    place: Place::Ready,
    reasons: &[
        fine("Ready", "it serves"),
        asked(
            "Suspended",
            "told to stand still, and does; storage and identity are kept",
            "to go on, unset `suspend`, here or in the Domain",
        ),
        wait("Suspending", "told to stand still, and something still stops", "wait"),
        wait("Waiting", "an older object of a name that is needed is still being deleted", "wait"),
        wait(
            "ApplyFailed",
            "a request failed; it is tried again",
            "wait; the message says what the API server answered",
        ),
        act(
            "Conflict",
            "an object of a name that is needed exists and is not Polder's; it was left as it is",
            "rename or delete that object",
        ),
        act(
            "Rejected",
            "the API server refused an object for good",
            "the message is the API server's: mend the field that it names",
        ),
        act(
            "SecretExposed",
            "a credential stands in an address, a property or `sparkConf`, where others can read it",
            "the message says where to give it instead; then change the credential",
        ),
        act(
            "SecretIsFiles",
            "a variable or a catalog names a secret that the Domain brings from Vault as files",
            "mount it, or bring it with `external`",
        ),
        act(
            "ReservedKey",
            "a property is Polder's own, or belongs to a catalog of the Domain",
            "remove it, and use the field that the message names; name your own catalog otherwise",
        ),
        act(
            "KeyInvalid",
            "a key cannot be one of a Secret or a ConfigMap",
            "use letters, digits, dots, dashes and underscores",
        ),
        act(
            "TooShort",
            "a duration is shorter than anything can act on",
            "the message names the least",
        ),
        act(
            "Undecodable",
            "the object does not fit the schema of this version of Polder",
            "mend the field that the message names, and apply it again",
        ),
        act(
            "InternalError",
            "a bug; it is tried again, and others go on",
            "report it with the operator's log",
        ),
    ],
};

/// Of workloads, before anything of them runs.
pub(super) const WORKLOADS: Group = Group {
    title: "What the Domain lets a workload do",
    text: "On `Ready`, `Reconciling` and `Stalled` of SparkClusters, SqlEndpoints and BatchJobs. What \
           already runs goes on.",
    place: Place::Ready,
    reasons: &[
        act(
            "DomainNotFound",
            "the namespace belongs to no Domain",
            "make a Domain for it, or move the object to the namespace of one",
        ),
        wait(
            "DomainNotReady",
            "quota, isolation or access of the Domain are not in force yet",
            "wait; the Domain's conditions say what for",
        ),
        wait("DomainDeleting", "the namespace is being deleted", "wait"),
        wait(
            "DomainFrozen",
            "the Domain lets nothing new start; it starts by itself once it does",
            "wait, or have `spec.frozen` of the Domain unset",
        ),
        either(
            "QuotaExceeded",
            "pods or volumes do not fit into what is free, or into a quota at all",
            "the message names resource, requested and free; it starts by itself when room appears, otherwise ask for less or for more quota",
        ),
        act(
            "NodePoolNotFound",
            "the Domain has no node pool of that name",
            "use one that the message lists",
        ),
        act(
            "CatalogNotFound",
            "the Domain has no catalog of that name",
            "use one that the message lists",
        ),
        act(
            "VersionUnknown",
            "the operator has no image for that version of Spark",
            "use a version that the message lists, or name an `image`",
        ),
        act(
            "ImageNotAllowed",
            "the Domain does not allow the image, or no longer",
            "use one that the message allows, or have `spec.compute.images` extended",
        ),
        act(
            "StorageClassNotAllowed",
            "the Domain does not allow the storage class, or no longer",
            "use one that the message allows, or have `spec.compute.storageClasses` extended",
        ),
        act(
            "PriorityClassNotAllowed",
            "the Domain does not allow the priority class, or no longer",
            "use one that the message allows, or have `spec.compute.priorityClasses` extended",
        ),
        act(
            "TooManyExecutors",
            "more executors or workers than the Domain allows",
            "ask for fewer, or have `spec.compute.maxExecutors` raised",
        ),
        act(
            "LimitExceeded",
            "a container asks for more than `spec.limits.max` of the Domain",
            "ask for less, or have it raised",
        ),
        act("TooLittleMemory", "Spark cannot start with so little", "the message names the least"),
        act(
            "InvalidValue",
            "the value of a Spark property holds a line break or another control character",
            "remove it",
        ),
        act("PathTaken", "a mount is at the path of a volume of the Domain", "choose another path"),
        act(
            "ClusterNotFound",
            "`clusterRef` names no SparkCluster of the namespace",
            "use one that the message lists",
        ),
        wait(
            "ClusterNotReady",
            "`clusterRef` names a SparkCluster that is not ready",
            "wait; the SparkCluster's conditions say what for",
        ),
        act(
            "ExecutorTooLarge",
            "no worker of the SparkCluster offers what an executor asks for",
            "ask for less than the message offers, or give the workers more",
        ),
    ],
};

/// Of pods, mostly in Kubernetes' own words.
pub(super) const PODS: Group = Group {
    title: "What pods say",
    text: "On `Ready`, `Reconciling` and `Stalled` of workloads, and on runs. Reasons that Kubernetes adds \
           later are passed on as they are.",
    place: Place::Ready,
    reasons: &[
        act(
            "ErrImagePull",
            "an image cannot be pulled",
            "the message names image and cause: a wrong name, or a registry that needs `imagePullSecrets`",
        ),
        act(
            "ImagePullBackOff",
            "an image cannot be pulled, and Kubernetes waits before it tries again",
            "the message names the image; check its name, the registry and `imagePullSecrets`",
        ),
        act(
            "ErrImageNeverPull",
            "the image is not on the node, and may not be pulled",
            "load it, or let it be pulled",
        ),
        act("InvalidImageName", "the name of an image cannot be read", "mend it"),
        act(
            "CreateContainerConfigError",
            "a Secret, a ConfigMap or a key of one is not there",
            "the message names it: make it",
        ),
        act(
            "CreateContainerError",
            "the container cannot be made",
            "the message is Kubernetes' own",
        ),
        act(
            "RunContainerError",
            "the container cannot be started",
            "the message is Kubernetes' own: often a command that is not in the image",
        ),
        act(
            "CrashLoopBackOff",
            "the program ends again and again",
            "the message has exit code and last lines; all of them: `polder logs`, with `--previous`",
        ),
        act(
            "SecretMissing",
            "a Secret of a catalog, or its key, is not in the namespace",
            "make it; the message names it. A BatchJob has to be run again",
        ),
        wait(
            "SecretChanged",
            "a rotated Secret made the process start again, more than once in a short time",
            "wait",
        ),
        wait(
            "Unschedulable",
            "no node has room or fits the node pool",
            "add nodes, or ask for less",
        ),
        wait(
            "SchedulerError",
            "the scheduler could not bind a pod to its node, and tries again",
            "wait; if it lasts, the message is the scheduler's: mostly a volume that cannot be made or bound",
        ),
        act(
            "OOMKilled",
            "a container used more memory than its limit",
            "give it more `memory`, or let it hold less at once",
        ),
        act(
            "Error",
            "the program ended with an exit code that is not 0",
            "read the last lines it printed: `polder logs`, with `--previous` if it was started again",
        ),
    ],
};
