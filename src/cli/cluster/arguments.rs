//! How a command line names what a command is about.

use std::marker::PhantomData;

use clap::{Arg, Args};

use kube::api::ListParams;

use super::{Cluster, Error, Object, RootKind, find::find, names};
use crate::build::labels;

/// Which of ours a command is for.
pub(in super::super) trait Which: 'static {
    const KINDS: &'static [RootKind];
    const VALUE_NAME: &'static str;
    const HELP: &'static str;
}

/// All of ours.
#[derive(Debug)]
pub(in super::super) struct Any;
/// What lives in a domain.
#[derive(Debug)]
pub(in super::super) struct Workload;
/// What runs to its end.
#[derive(Debug)]
pub(in super::super) struct Job;
/// What answers SQL.
#[derive(Debug)]
pub(in super::super) struct Endpoint;

impl Which for Any {
    const KINDS: &'static [RootKind] = &RootKind::ALL;
    const VALUE_NAME: &'static str = "OBJECT";
    const HELP: &'static str = "KIND/NAME, KIND NAME, or NAME where only one object has it; KIND is domain (dom), sparkcluster (spc), \
         sqlendpoint (sql) or batchjob (bjob)";
}

impl Which for Workload {
    const KINDS: &'static [RootKind] = &RootKind::WORKLOADS;
    const VALUE_NAME: &'static str = "OBJECT";
    const HELP: &'static str = "KIND/NAME, KIND NAME, or NAME where only one workload has it; KIND is sparkcluster (spc), \
         sqlendpoint (sql) or batchjob (bjob)";
}

impl Which for Job {
    const KINDS: &'static [RootKind] = &[RootKind::BatchJob];
    const VALUE_NAME: &'static str = "JOB";
    const HELP: &'static str = "Name of a BatchJob, alone or as batchjob/NAME";
}

impl Which for Endpoint {
    const KINDS: &'static [RootKind] = &[RootKind::SqlEndpoint];
    const VALUE_NAME: &'static str = "ENDPOINT";
    const HELP: &'static str = "Name of a SqlEndpoint, alone or as sqlendpoint/NAME";
}

/// One of ours.
#[derive(Debug, Args)]
pub(in super::super) struct Named<W: Which> {
    #[arg(required = true, num_args = 1..=2, value_name = W::VALUE_NAME, help = W::HELP)]
    #[arg(add = names::objects(W::KINDS))]
    object: Vec<String>,
    #[arg(skip)]
    which: PhantomData<W>,
}

impl<W: Which> Named<W> {
    /// The object, as the API server has it.
    pub(in super::super) async fn find(
        &self,
        cluster: &Cluster,
    ) -> Result<(RootKind, Object), Error> {
        find(cluster, &self.object, W::KINDS).await
    }
}

/// A Domain.
#[derive(Debug, Args)]
#[command(arg(no_namespace()))]
pub(in super::super) struct OneDomain {
    /// Name of the Domain.
    #[arg(value_name = "DOMAIN", add = names::domains())]
    domain: String,
}

impl OneDomain {
    pub(in super::super) fn name(&self) -> &str {
        &self.domain
    }

    /// It, as the API server has it.
    pub(in super::super) async fn find(&self, cluster: &Cluster) -> Result<Object, Error> {
        find_domain(cluster, &self.domain).await
    }
}

/// A Domain, or all of them.
#[derive(Debug, Args)]
#[command(arg(no_namespace()))]
pub(in super::super) struct AnyDomain {
    /// Name of a Domain. Default: all of them.
    #[arg(value_name = "DOMAIN", add = names::domains())]
    domain: Option<String>,
}

impl AnyDomain {
    /// `None` is all of them.
    pub(in super::super) fn name(&self) -> Option<&str> {
        self.domain.as_deref()
    }

    /// The one that was named, if one was.
    pub(in super::super) async fn find(&self, cluster: &Cluster) -> Result<Option<Object>, Error> {
        match &self.domain {
            Some(name) => find_domain(cluster, name).await.map(Some),
            None => Ok(None),
        }
    }

    /// Selects what belongs to it.
    pub(in super::super) fn children(&self) -> ListParams {
        ListParams::default().labels(&match &self.domain {
            Some(name) => format!("{}={name}", labels::DOMAIN),
            None => labels::DOMAIN.to_owned(),
        })
    }
}

/// Those who come from commands about workloads are told what to give instead.
fn no_namespace() -> Arg {
    let refuse = |given: &str| {
        Err::<String, _>(format!("this command is about a Domain; give its name alone: {given}"))
    };
    Arg::new("namespace")
        .value_name("NAME")
        .short('n')
        .long("namespace")
        .hide(true)
        .value_parser(refuse)
}

async fn find_domain(cluster: &Cluster, name: &str) -> Result<Object, Error> {
    let words = [RootKind::Domain.resource().kind.to_owned(), name.to_owned()];
    Ok(find(cluster, &words, &[RootKind::Domain]).await?.1)
}
