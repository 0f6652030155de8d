//! The one thread that writes. Requests that wait at the same moment share a flush to disk.

use std::{io, thread, time::Instant};

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::{
    metrics::Metrics,
    route::Stream,
    store::{Committed, Store},
};

/// Requests that wait for the writer at most; those in hand are bounded before.
const WAITING: usize = 64;

/// An event and where it goes.
#[derive(Debug)]
pub struct Placed {
    /// Where it goes.
    pub stream: Stream,
    /// Its text on one line.
    pub line: String,
}

enum Order {
    Write(Vec<Placed>, oneshot::Sender<io::Result<()>>),
    Sweep,
}

/// The way to the writer. The writer ends when the last of these is gone.
#[derive(Clone, Debug)]
pub struct Writer(mpsc::Sender<Order>);

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub fn start(store: Store, metrics: Metrics) -> io::Result<(Self, thread::JoinHandle<()>)> {
        let (orders, waiting) = mpsc::channel(WAITING);
        let thread = thread::Builder::new()
            .name("audit-writer".to_owned())
            .spawn(move || run(store, waiting, &metrics))?;
        Ok((Self(orders), thread))
    }

    /// Writes events; they are durable when this returns.
    ///
    /// # Errors
    /// See [`Store::commit`].
    pub async fn write(&self, events: Vec<Placed>) -> io::Result<()> {
        let (answer, done) = oneshot::channel();
        let ended = || io::Error::other("the writer has ended");
        self.0.send(Order::Write(events, answer)).await.map_err(|_| ended())?;
        done.await.map_err(|_| ended())?
    }

    /// Removes what is too old or too much.
    pub async fn sweep(&self) {
        let _ = self.0.send(Order::Sweep).await;
    }
}

fn run(mut store: Store, mut orders: mpsc::Receiver<Order>, metrics: &Metrics) {
    let mut taken = Vec::new();
    while orders.blocking_recv_many(&mut taken, WAITING) > 0 {
        let (mut events, mut answers, mut sweep) = (Vec::new(), Vec::new(), false);
        for order in taken.drain(..) {
            match order {
                Order::Write(placed, answer) => {
                    events.extend(placed);
                    answers.push(answer);
                }
                Order::Sweep => sweep = true,
            }
        }
        if !answers.is_empty() {
            let result = commit(&mut store, &events, metrics);
            for answer in answers {
                // Nobody waits any more when the connection broke: it is sent again.
                let _ = answer.send(result.as_ref().map(|_| ()).map_err(copy));
            }
        }
        if sweep {
            match store.sweep(Timestamp::now()) {
                Ok(removed) => metrics.removed(removed),
                Err(error) => tracing::error!(%error, "cannot remove old files"),
            }
        }
    }
}

fn commit(store: &mut Store, events: &[Placed], metrics: &Metrics) -> io::Result<Committed> {
    let start = Instant::now();
    let lines = events.iter().map(|event| (&event.stream, event.line.as_str()));
    let result = store.commit(lines, Timestamp::now());
    metrics.committed(&result, start.elapsed());
    if let Err(error) = &result {
        tracing::error!(%error, "cannot write audit events; the API server is told to send them again");
    }
    result
}

fn copy(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}
