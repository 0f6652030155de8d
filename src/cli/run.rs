//! `polder run`: starts a run of a BatchJob.

use std::process::ExitCode;

use clap::Args;
use kube::{Api, runtime::wait::await_condition};
use serde_json::json;

use super::{
    cluster::{Cluster, Job, Named, Object, RootKind, Scope, called, waiting},
    error::{Error, chain},
    show::print,
    suspend::patch,
};
use crate::{
    api::{
        BatchJob,
        batch_job::{Run, RunResult},
        conditions::READY,
    },
    kinds::batch_job::{NUMBER, run_number},
};

/// Which job.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    job: Named<Job>,
    /// Wait for the end of the run: 0 if it succeeded, 1 if it did not.
    #[arg(short, long)]
    wait: bool,
    #[command(flatten)]
    scope: Scope,
}

pub(super) async fn execute(arguments: &Arguments) -> Result<ExitCode, Error> {
    let cluster = arguments.scope.connect().await?;
    let (kind, object) = waiting("finding the job", arguments.job.find(&cluster)).await?;
    let job: BatchJob = serde_json::from_value(json!({
        "apiVersion": "polder.dev/v1alpha1", "kind": "BatchJob",
        "metadata": object.metadata, "spec": object.spec, "status": object.status,
    }))?;
    let number = next(&job).map_err(Error::Usage)?;
    ask(&cluster, kind, &object, number).await?;
    let name = object.name();
    print(&format!(
        "run {number} of batchjob/{name} is asked for; `polder logs {} --follow` shows it\n",
        object.called(kind)
    ))?;
    if !arguments.wait {
        return Ok(ExitCode::SUCCESS);
    }
    let run = Box::pin(wait(&cluster, &object, number)).await?;
    let took = run.duration_seconds.unwrap_or(0);
    print(&match run.result {
        RunResult::Succeeded => format!("run {} succeeded in {took} s\n", run.name),
        _ => format!(
            "run {} {:?} after {took} s: {}\n",
            run.name,
            run.result,
            run.message.as_deref().or(run.reason.as_deref()).unwrap_or("see `polder why`")
        ),
    })?;
    Ok(if run.result == RunResult::Succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Number of the next run on demand, or why there can be none now.
fn next(job: &BatchJob) -> Result<u64, String> {
    let name = job.metadata.name.as_deref().unwrap_or_default();
    let place = job.metadata.namespace.as_deref().unwrap_or_default();
    let called = called(&format!("bjob/{name}"), place);
    if job.spec.suspend {
        return Err(format!("{name} is suspended; `polder resume {called}` lets it go on"));
    }
    let status = job.status.as_ref();
    let runs = status.map(|status| status.runs.as_slice()).unwrap_or_default();
    let goes_on = |run: &&Run| matches!(run.result, RunResult::Pending | RunResult::Running);
    if let Some(run) = runs.iter().find(goes_on) {
        return Err(format!(
            "run {} goes on; wait for its end, or stop it with `polder suspend {called}`",
            run.name
        ));
    }
    let ready = status.and_then(|status| status.conditions.iter().find(|it| it.type_ == READY));
    if job.spec.schedule.is_none() && runs.is_empty() {
        let why = ready.map(|ready| format!(": {}", ready.message)).unwrap_or_default();
        return Err(format!("the first run of {name} has not started yet{why}"));
    }
    let newest = runs.iter().filter_map(|run| run_number(name, &run.name)).max().unwrap_or(0);
    let asked: Option<u64> =
        job.metadata.annotations.as_ref().and_then(|all| all.get(NUMBER)?.parse().ok());
    match asked {
        Some(asked) if asked > newest => Err(format!(
            "run {asked} is asked for already and has not started yet; `polder why {called}` tells why if it lasts"
        )),
        _ => Ok(newest + 1),
    }
}

async fn ask(cluster: &Cluster, kind: RootKind, object: &Object, number: u64) -> Result<(), Error> {
    let annotations = json!({NUMBER: number.to_string()});
    // Somebody else may ask at the same time: only one of the two gets this number.
    let version = &object.metadata.resource_version;
    let change = json!({"metadata": {"annotations": annotations, "resourceVersion": version}});
    match patch(cluster, kind, object, &change).await {
        Err(Error::Refused(why)) if why.contains("has been modified") => Err(Error::Refused(
            "the job was changed at the same time; look at it and ask again".to_owned(),
        )),
        result => result,
    }
}

/// Waits for the end of a run.
async fn wait(cluster: &Cluster, object: &Object, number: u64) -> Result<Run, Error> {
    let name = object.name().to_owned();
    let api: Api<BatchJob> = cluster.api(object.namespace());
    // The run has ended, or will not start, or the job is gone.
    let is_over = |job: Option<&BatchJob>| {
        job.is_none_or(|job| ended(job, &name, number).is_some() || job.spec.suspend)
    };
    let waited = await_condition(api, &name, is_over);
    let what = format!("waiting for the end of run {number} of {name}");
    let job =
        waiting(&what, Box::pin(waited)).await.map_err(|error| Error::Refused(chain(&error)))?;
    let job = job.ok_or_else(|| Error::Refused(format!("batchjob/{name} was deleted")))?;
    ended(&job, &name, number).ok_or_else(|| {
        let ready = job.status.iter().flat_map(|status| &status.conditions);
        let why = ready.into_iter().find(|it| it.type_ == READY).map(|it| it.message.as_str());
        Error::Refused(format!("the run does not start: {}", why.unwrap_or_default()))
    })
}

/// The run of this number, or a higher one, if it has ended.
fn ended(job: &BatchJob, name: &str, number: u64) -> Option<Run> {
    let runs = &job.status.as_ref()?.runs;
    let is_it = |run: &&Run| run_number(name, &run.name).is_some_and(|it| it >= number);
    let run = runs.iter().find(is_it)?;
    let is_over = !matches!(run.result, RunResult::Pending | RunResult::Running);
    is_over.then(|| run.clone())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn job(spec: &Value, runs: &Value, asked: Option<&str>) -> BatchJob {
        let annotations = asked.map(|number| json!({NUMBER: number}));
        serde_json::from_value(json!({
            "apiVersion": "polder.dev/v1alpha1", "kind": "BatchJob",
            "metadata": {"name": "load", "annotations": annotations},
            "spec": spec,
            "status": {"runs": runs, "conditions": []},
        }))
        .unwrap()
    }

    fn run(number: u64, result: &str) -> Value {
        json!({"name": format!("load-0a1b2c3d-{number}"), "result": result})
    }

    #[rstest]
    #[case::again(json!({}), json!([run(3, "Failed"), run(2, "Succeeded")]), None, 4)]
    #[case::asked(json!({}), json!([run(2, "Succeeded")]), Some("2"), 3)]
    #[case::schedule(json!({"schedule": {"cron": "@daily"}}), json!([]), None, 1)]
    #[case::scheduled_runs_have_no_number(
        json!({"schedule": {"cron": "@daily"}}),
        json!([{"name": "load-schedule-29000001", "result": "Succeeded"}]), None, 1
    )]
    fn the_next_number_is_asked_for(
        #[case] spec: Value,
        #[case] runs: Value,
        #[case] asked: Option<&str>,
        #[case] number: u64,
    ) {
        assert_eq!(next(&job(&spec, &runs, asked)), Ok(number));
    }

    #[rstest]
    #[case(json!({"suspend": true}), json!([]), "is suspended")]
    #[case(json!({}), json!([run(1, "Running")]), "goes on")]
    #[case(json!({}), json!([]), "has not started yet")]
    #[case::asked(json!({}), json!([run(1, "Succeeded")]), "run 2 is asked for already")]
    fn what_keeps_it_is_told(#[case] spec: Value, #[case] runs: Value, #[case] says: &str) {
        let error = next(&job(&spec, &runs, Some("2"))).unwrap_err();
        assert!(error.contains(says), "{error}");
    }
}
