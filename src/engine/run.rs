//! Running an engine: fill the stores, wait for the lease, work, and stop in order.

use std::time::Duration;

use kube::Client;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    builder::{EngineBuilder, EngineError, Options},
    context::Context,
    leader::Leader,
    watch, worker,
};

/// A built engine.
pub struct Engine {
    context: Context,
    leader: Option<Leader>,
    options: Options,
}

impl Engine {
    /// Starts to build an engine. Use a client from [`client`](super::client).
    pub fn builder(client: Client, options: Options) -> EngineBuilder {
        EngineBuilder::new(client, options)
    }

    pub(crate) fn new(context: Context, leader: Option<Leader>, options: Options) -> Self {
        Self { context, leader, options }
    }

    #[cfg(test)]
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// Runs until `shutdown` is cancelled, then finishes the reconciles in hand and releases the
    /// lease. An error means that the process must end at once.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), EngineError> {
        let Self { context, mut leader, options } = self;
        let mut watches = JoinSet::new();
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = fill(&context, &mut watches) => {}
        }
        options.health.set_ready();
        if let Some(leader) = &mut leader {
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                error = broken(&mut watches) => return Err(error),
                () = leader.acquire() => {}
            }
        }
        let stop = CancellationToken::new();
        let mut workers = employ(&context, &options, &stop);
        let result = {
            let keep = async {
                match &mut leader {
                    Some(leader) => leader.keep().await,
                    None => std::future::pending().await,
                }
            };
            let mut keep = std::pin::pin!(keep);
            tokio::select! {
                () = shutdown.cancelled() => {
                    stop.cancel();
                    tokio::select! {
                        () = finish(&mut workers, options.shutdown_timeout) => Ok(()),
                        () = &mut keep => Err(EngineError::LeadershipLost),
                    }
                }
                () = &mut keep => Err(EngineError::LeadershipLost),
                error = broken(&mut watches) => Err(error),
                error = broken(&mut workers) => Err(error),
            }
        };
        // Dropping the sets ends what still runs.
        drop((workers, watches));
        if let (Ok(()), Some(leader)) = (&result, &mut leader) {
            leader.release().await;
        }
        result
    }
}

/// Starts the watches and waits until every store is filled.
async fn fill(context: &Context, watches: &mut JoinSet<()>) {
    let count = context.decoders.len();
    let (filled, mut done) = mpsc::channel(count.max(1));
    for index in 0..count {
        watches.spawn(watch::run(context.clone(), index, filled.clone()));
    }
    drop(filled);
    let mut missing: Vec<usize> = (0..count).collect();
    while !missing.is_empty() {
        tokio::select! {
            index = done.recv() => match index {
                Some(index) => missing.retain(|other| *other != index),
                None => return std::future::pending().await,
            },
            () = sleep(Duration::from_secs(10)) => {
                let kinds: Vec<&str> = missing
                    .iter()
                    .filter_map(|index| Some(context.decoders.get(*index)?.resource.kind))
                    .collect();
                tracing::warn!(?kinds, "still waiting for the first list of some types");
            }
        }
    }
    tracing::info!(types = count, "the stores are filled");
}

fn employ(context: &Context, options: &Options, stop: &CancellationToken) -> JoinSet<()> {
    let mut workers = JoinSet::new();
    for (position, controller) in context.controllers.iter().enumerate() {
        let count = options.concurrency.max(1);
        context.metrics.workers(controller.driver.name(), count);
        for _ in 0..count {
            workers.spawn(worker::work(context.clone(), position, stop.clone()));
        }
    }
    workers
}

/// Waits for the reconciles in hand, within reason.
async fn finish(workers: &mut JoinSet<()>, patience: Duration) {
    let all = async { while workers.join_next().await.is_some() {} };
    if timeout(patience, all).await.is_err() {
        tracing::warn!("some reconciles did not finish in time");
    }
}

/// A task that should run for ever has ended.
async fn broken(tasks: &mut JoinSet<()>) -> EngineError {
    match tasks.join_next().await {
        Some(Ok(())) => EngineError::Stopped("a task ended".to_owned()),
        Some(Err(error)) => EngineError::Stopped(error.to_string()),
        None => std::future::pending().await,
    }
}
