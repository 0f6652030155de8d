//! The rules that manifests are held to, by the names that findings have: what each means, and what
//! to do.

use crate::reasons::{self, Reason, act};

/// Rules about what is written, each manifest for itself.
pub const WRITTEN: &[Reason] = &[
    act(
        "Unreadable",
        "a file or document is not text, YAML or JSON, or does not fit the kind that it names",
        "mend what stands at this line; tabs, a bracket left open and `{{ }}` of a template are frequent",
    ),
    act(
        "UnknownKind",
        "`kind` or `apiVersion` is none of Polder's, and nearly is",
        "write them as the message says",
    ),
    act(
        "UnknownField",
        "there is no such field; the API server would drop it without a word",
        "take the field that the message names, or see `kubectl explain` or the page of the kind",
    ),
    act("Required", "a field that must be set is not", "set it"),
    act(
        "WrongType",
        "a value is of another type than its field, such as `yes` where a text is wanted",
        "put it in quotes if it is meant as text; without them `1`, `1.10`, `yes` and `on` are none",
    ),
    act(
        "NotSupported",
        "the field takes one of a few values, and this is none of them",
        "take one that the message lists; case counts",
    ),
    act(
        "NoMatch",
        "a text is not of the form that its field has, such as a name with capitals",
        "write it as the pattern in the message says",
    ),
    act("TooLong", "a text has more characters than its field takes", "shorten it"),
    act(
        "TooShort",
        "a text has fewer characters than its field needs, or a span of time is shorter than anything can act on",
        "the message names the least",
    ),
    act("TooSmall", "a number is below the least that its field takes", "raise it to that"),
    act("TooLarge", "a number is above the most that its field takes", "lower it to that"),
    act("TooMany", "a list or mapping has more entries than its field takes", "leave some out"),
    act(
        "TooFew",
        "a list or mapping has fewer entries than its field needs",
        "add what is missing",
    ),
    act(
        "Duplicate",
        "the same object, key, item or name stands twice, and only one of them would hold",
        "keep one; overlays are to be checked as they are applied: `kubectl kustomize DIR | polder lint -f -`",
    ),
    act(
        "RuleBroken",
        "the fields do not go together, or a quantity is none; the API server would refuse it in the same words",
        "the message says what goes; `kubectl explain` tells of the fields",
    ),
];

/// Reasons that the operator would give for an object, given the others that are here.
pub const JUDGED: &[&str] = &[
    "CatalogNotFound",
    "ClusterNotFound",
    "CronInvalid",
    "DomainNotFound",
    "ExecutorTooLarge",
    "ForeignMember",
    "ImageNotAllowed",
    "InvalidAnnotation",
    "InvalidLabel",
    "InvalidMember",
    "InvalidNetwork",
    "InvalidQuantity",
    "InvalidValue",
    "KeyInvalid",
    "LimitExceeded",
    "LimitsContradict",
    "NamespaceExists",
    "NamespaceReserved",
    "NamespaceTaken",
    "NodePoolNotFound",
    "NotANumber",
    "PathTaken",
    "PriorityClassNotAllowed",
    "PropertyInvalid",
    "QuotaContradicts",
    "ReservedKey",
    "SecretExposed",
    "SecretIsFiles",
    "StorageClassNotAllowed",
    "SystemMember",
    "TimeZoneUnknown",
    "TooLittleMemory",
    "TooManyExecutors",
    "UnknownResource",
    "VersionUnknown",
    "VolumeImmutable",
];

/// A rule by its name.
pub fn find(name: &str) -> Option<&'static Reason> {
    WRITTEN.iter().find(|rule| rule.name == name).or_else(|| reasons::find(name))
}

/// Where a rule is explained.
pub fn page(name: &str) -> String {
    const PAGE: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/reference/lint.md");
    format!("{PAGE}#{}", name.to_lowercase())
}
