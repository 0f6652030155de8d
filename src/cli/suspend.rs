//! `polder suspend` and `polder resume`: stop the compute of one of ours, and start it again.

use std::process::ExitCode;

use clap::Args;
use kube::{
    api::{Patch, PatchParams},
    core::Request,
};
use serde_json::json;

use super::{
    cluster::{Any, Cluster, Named, Object, RootKind, Scope, waiting},
    error::{Error, chain},
    show::print,
};
use crate::engine::collection;

/// Which object.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    object: Named<Any>,
    #[command(flatten)]
    scope: Scope,
}

/// Sets or unsets `spec.suspend`.
pub(super) async fn execute(arguments: &Arguments, suspend: bool) -> Result<ExitCode, Error> {
    let cluster = arguments.scope.connect().await?;
    let (kind, object) = waiting("setting suspend", async {
        let (kind, object) = arguments.object.find(&cluster).await?;
        if object.is_suspended() != suspend {
            // Unset is what Git has, where it does not say.
            let value = if suspend { json!(true) } else { json!(null) };
            patch(&cluster, kind, &object, &json!({"spec": {"suspend": value}})).await?;
        }
        Ok::<_, Error>((kind, object))
    })
    .await?;
    print(&said(kind, &object, suspend))?;
    Ok(ExitCode::SUCCESS)
}

fn said(kind: RootKind, object: &Object, suspend: bool) -> String {
    let name = format!("{}/{}", kind.word(), object.name());
    let called = object.called(kind);
    match (suspend, object.is_suspended() == suspend) {
        (true, true) => format!("{name} is suspended already\n"),
        (false, true) => {
            format!(
                "{name} is not suspended itself; if it stands still, see `polder why {called}`\n"
            )
        }
        (true, false) => format!(
            "{name} is told to stop; volumes and addresses stay. `polder tree {called}` shows what is left\n"
        ),
        (false, false) => {
            format!("{name} is told to go on; `polder why {called}` shows how it comes\n")
        }
    }
}

/// Changes one of ours.
pub(super) async fn patch(
    cluster: &Cluster,
    kind: RootKind,
    object: &Object,
    change: &serde_json::Value,
) -> Result<(), Error> {
    let resource = kind.resource();
    let namespace = resource.namespaced.then(|| object.namespace());
    let parameters =
        PatchParams { field_manager: Some("polder-cli".to_owned()), ..PatchParams::default() };
    let request = Request::new(collection(&resource, namespace))
        .patch(object.name(), &parameters, &Patch::Merge(change))
        .map_err(|error| Error::Usage(chain(&error)))?;
    let answer = cluster.client.request::<serde_json::Value>(request).await;
    answer.map(|_| ()).map_err(|error| cluster.refused(&error, resource))
}
