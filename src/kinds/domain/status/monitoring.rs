//! Whether the workloads of the domain are measured.

use crate::{
    build::types,
    engine::{Report, Served},
};

use super::{
    super::{Resolved, scope::Scope},
    conditions::{Verdict, fault, no, yes},
};

/// MonitoringReady; `None` where the Domain asks for nothing of the kind. Workloads run and serve
/// their metrics whatever it says, so it is not part of Ready.
pub fn monitoring(scope: &Scope<'_>, resolved: &Resolved, report: &Report) -> Option<Verdict> {
    scope.spec.is_monitored().then(|| {
        fault(report, |key| key.resource == types::POD_MONITOR).unwrap_or_else(|| match resolved
            .prometheus_operator
        {
            Served::Yes => yes(
                "Monitored",
                "a PodMonitor has the Prometheus Operator scrape the web port of every Spark pod",
            ),
            Served::NotInstalled => no(
                "PrometheusOperatorNotInstalled",
                "Spark serves its metrics and network policies let Prometheus in, but this cluster \
                 does not serve podmonitors.monitoring.coreos.com/v1; install the Prometheus \
                 Operator, or have your Prometheus scrape the pods itself",
            ),
            Served::Forbidden => no(
                "PrometheusOperatorNotAllowed",
                "Spark serves its metrics and network policies let Prometheus in, but Polder may \
                 not make PodMonitors; set monitoring.podMonitors.enabled in the values of \
                 Polder's chart",
            ),
        })
    })
}
