//! The pages of conditions and of events, made of the table of reasons.

use std::fmt::Write;

use super::markdown::{MARK, cell};
use crate::reasons::{GROUPS, Group, Place, Reason};

const CONDITIONS: &str = "\
# Conditions and reasons

Every kind has the three conditions of kstatus, each with `observedGeneration`, `reason` and
`message`. At most one of them is `True`.

| condition | True means |
|---|---|
| `Ready` | it serves now: quota in force, pods registered, endpoint answering, run not failed |
| `Reconciling` | it gets there by itself; nobody has to act |
| `Stalled` | nothing more happens until somebody acts; the message says what to do |

An object that nobody has looked at yet has `observedGeneration: -1`. The three share a reason, which
is one of these:

- nothing in the second column: all is as it was asked for;
- *waits*: it goes on by itself;
- *act*: somebody has to act.

`polder why` and `polder status` say the same of an object at hand;
[troubleshooting](../how-to/troubleshoot.md) says more, reason by reason.
";

const EVENTS: &str = "\
# Events

An object gets an event when its readiness, or the reason of it, changes; so one that fails a hundred
times in the same way has one. The note is the message of the condition. What is said again within six
minutes, note and all, counts on in `series.count` instead. Events are kept for an hour, unless the
cluster says otherwise: what is true now stands in the [conditions](conditions.md).

```sh
kubectl get events -n weather --field-selector type=Warning
kubectl get events -n default --field-selector involvedObject.kind=Domain    # those of Domains
kubectl events -n weather --for batchjob/load
```

| of an event | is |
|---|---|
| `type` | `Warning` if the object is `Stalled`, that is if somebody has to act; else `Normal` |
| `reason` | the reason of `Ready`, as below |
| `action` | `Reconcile` |
| `reportingController` | `polder` |
| `regarding` | the Domain, SparkCluster, SqlEndpoint or BatchJob; at the end of a Domain its Namespace |
| namespace | that of the object; for Domains and Namespaces, which have none, `default`, and for the Namespace of a deleted Domain itself |

There is no storm of them. `Warning`s and the last word on a Namespace are at most 100 at once and 10
a second after that, for a whole operator; news that somebody need not act on, 25 and 5. What is above
is dropped, since conditions say it too, and counted: `polder_events_total` has `sent`, `dropped` and
`failed`. Alert on conditions, not on events.
";

/// `conditions.md`.
pub(super) fn conditions() -> String {
    let mut page = format!("{MARK}{CONDITIONS}");
    for group in GROUPS.iter().filter(|group| group.place != Place::Event) {
        heading(&mut page, group);
        page.push_str("| reason | | what it means | what to do |\n|---|---|---|---|\n");
        for Reason { name, need, meaning, remedy } in group.reasons {
            let (need, meaning, remedy) = (need.word(), cell(meaning), cell(remedy));
            let _ = writeln!(page, "| `{name}` | {need} | {meaning} | {remedy} |");
        }
    }
    page
}

/// `events.md`.
pub(super) fn events() -> String {
    let mut page = format!("{MARK}{EVENTS}");
    for group in GROUPS.iter().filter(|group| group.place != Place::Elsewhere) {
        heading(&mut page, group);
        page.push_str("| reason | type | when | what to do |\n|---|---|---|---|\n");
        for Reason { name, need, meaning, remedy } in group.reasons {
            let remedy = if remedy.is_empty() { "nothing" } else { remedy };
            let (type_, meaning, remedy) = (need.event(), cell(meaning), cell(remedy));
            let _ = writeln!(page, "| `{name}` | {type_} | {meaning} | {remedy} |");
        }
    }
    page
}

fn heading(page: &mut String, group: &Group) {
    let _ = writeln!(page, "\n## {}\n\n{}\n", group.title, group.text);
}
