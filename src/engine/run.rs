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
    leader::{End, Leader},
    roots::Roots,
    watch, worker,
    world::RootId,
};

/// Longest wait for the passes of a shard: well before its fence closes.
const QUIET: Duration = Duration::from_secs(4);

/// A built engine.
pub struct Engine {
    context: Context,
    /// One for each shard; none without leader election.
    leaders: Vec<Leader>,
    options: Options,
}

impl Engine {
    /// Starts to build an engine. Use a client from [`client`](super::client).
    pub fn builder(client: Client, options: Options) -> EngineBuilder {
        EngineBuilder::new(client, options)
    }

    pub(crate) fn new(context: Context, leaders: Vec<Leader>, options: Options) -> Self {
        Self { context, leaders, options }
    }

    /// The roots that it works on, to be looked at while it runs.
    pub fn roots(&self) -> Roots {
        Roots::new(self.context.clone())
    }

    #[cfg(test)]
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// Runs until `shutdown` is cancelled, then finishes the reconciles in hand and releases the
    /// lease. An error means that the process must end at once.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), EngineError> {
        let Self { context, leaders, options } = self;
        let mut watches = JoinSet::new();
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = fill(&context, &mut watches) => {}
        }
        options.health.set_ready();
        let office = Office { context, options, shutdown, watches };
        if leaders.len() > 1 {
            return office.share(leaders).await;
        }
        match leaders.into_iter().next() {
            Some(leader) => office.lead(leader).await,
            None => office.work(std::future::pending()).await,
        }
    }
}

/// An engine whose stores are filled.
struct Office {
    context: Context,
    options: Options,
    shutdown: CancellationToken,
    watches: JoinSet<()>,
}

impl Office {
    /// Works while nothing breaks and `keep` does not end, which means that the lease is lost.
    async fn work(mut self, keep: impl Future<Output = ()>) -> Result<(), EngineError> {
        let stop = CancellationToken::new();
        let mut workers = employ(&self.context, &self.options, &stop);
        let mut keep = std::pin::pin!(keep);
        // Dropping the sets ends what still runs.
        tokio::select! {
            () = self.shutdown.cancelled() => {
                stop.cancel();
                tokio::select! {
                    () = finish(&mut workers, self.options.shutdown_timeout) => Ok(()),
                    () = &mut keep => Err(EngineError::LeadershipLost),
                }
            }
            () = &mut keep => Err(EngineError::LeadershipLost),
            error = broken(&mut self.watches) => Err(error),
            error = broken(&mut workers) => Err(error),
        }
    }

    /// One lease for everything: without it, the process ends.
    async fn lead(mut self, mut leader: Leader) -> Result<(), EngineError> {
        tokio::select! {
            () = self.shutdown.cancelled() => return Ok(()),
            error = broken(&mut self.watches) => return Err(error),
            () = leader.acquire() => {}
        }
        self.context.shards.work(0, true);
        let keep = async {
            leader.keep().await;
        };
        let result = self.work(keep).await;
        if result.is_ok() {
            leader.release().await;
        }
        result
    }

    /// A lease for each shard: with one lost, the others go on.
    async fn share(self, leaders: Vec<Leader>) -> Result<(), EngineError> {
        let done = CancellationToken::new();
        let mut shards = JoinSet::new();
        for (shard, leader) in leaders.into_iter().enumerate() {
            shards.spawn(serve(self.context.clone(), leader, shard, done.clone()));
        }
        let result = self.work(std::future::pending()).await;
        if result.is_ok() {
            done.cancel();
            while shards.join_next().await.is_some() {}
        }
        result
    }
}

/// Works on a shard whenever its lease is to be had, until told that it is over.
async fn serve(context: Context, mut leader: Leader, shard: usize, done: CancellationToken) {
    tokio::select! {
        () = done.cancelled() => {}
        () = hold(&context, &mut leader, shard) => {}
    }
    context.shards.work(shard, false);
    if leader.is_ours() {
        leader.release().await;
    }
}

async fn hold(context: &Context, leader: &mut Leader, shard: usize) {
    loop {
        leader.acquire().await;
        take_up(context, shard);
        let end = leader.keep().await;
        context.shards.work(shard, false);
        if let End::Asked(name) = end {
            // The fence stays open meanwhile: what is begun is finished.
            quiet(context, shard).await;
            leader.hand_over(&name).await;
        }
        // What was under way when the fence closed ends at its next request.
        quiet(context, shard).await;
    }
}

/// Looks at every root of a shard; others may have worked on them meanwhile.
fn take_up(context: &Context, shard: usize) {
    let roots: Vec<_> = context
        .controllers
        .iter()
        .map(|controller| context.world.of_shard(controller.index, shard))
        .collect();
    for (controller, paths) in context.controllers.iter().zip(&roots) {
        controller.forget_shard(paths);
    }
    context.shards.work(shard, true);
    for (position, paths) in roots.iter().enumerate() {
        for path in paths {
            context.world.wake(&RootId { controller: position, path: path.clone() });
        }
    }
}

/// Waits until no pass over a root of a shard is in hand, within reason.
async fn quiet(context: &Context, shard: usize) {
    let wait = async {
        while !context.shards.is_quiet(shard) {
            sleep(Duration::from_millis(5)).await;
        }
    };
    let _ = timeout(QUIET, wait).await;
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
