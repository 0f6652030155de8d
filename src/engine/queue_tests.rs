use std::collections::HashSet;

use futures::FutureExt;
use proptest::prelude::*;
use tokio::time::timeout;

use super::*;

fn queue() -> Queue {
    Queue::new("test", Metrics::new().unwrap())
}

fn path(text: &str) -> Arc<str> {
    text.into()
}

fn nothing(queue: &Queue) -> bool {
    queue.next().now_or_never().is_none()
}

#[tokio::test]
async fn an_object_is_queued_once_and_again_when_dirty() {
    let queue = queue();
    let a = path("a");
    queue.add(&a);
    queue.add(&a);
    assert_eq!(queue.depth(), 1);
    assert_eq!(queue.next().await, a);
    queue.add(&a);
    assert!(nothing(&queue), "never handed out twice at a time");
    queue.done(&a, None);
    assert_eq!(queue.next().await, a);
    queue.done(&a, None);
    assert!(nothing(&queue));
    assert!(queue.lock().objects.is_empty(), "nothing is remembered of an idle object");
}

#[tokio::test]
async fn later_comes_later_and_a_wake_up_comes_first() {
    let queue = queue();
    let a = path("a");
    queue.add(&a);
    queue.next().await;
    queue.done(&a, Some(Duration::from_millis(300)));
    assert!(nothing(&queue));
    let start = Instant::now();
    assert_eq!(queue.next().await, a);
    assert!(start.elapsed() >= Duration::from_millis(200));
    queue.done(&a, Some(Duration::from_millis(50)));
    queue.add(&a);
    assert_eq!(queue.next().await, a);
    queue.done(&a, None);
    tokio::time::sleep(Duration::from_millis(80)).await;
    assert!(nothing(&queue), "the wake-up took the place of the appointment");
}

#[tokio::test(start_paused = true)]
async fn what_has_time_comes_once_and_in_time() {
    let queue = queue();
    let (a, soon) = (path("a"), Duration::from_millis(500));
    let start = Instant::now();
    queue.add_within(&a, soon);
    tokio::time::advance(Duration::from_millis(300)).await;
    queue.add_within(&a, soon);
    assert!(nothing(&queue));
    assert_eq!(queue.next().await, a);
    assert_eq!(start.elapsed(), soon, "the first who asked is not put off");
    queue.add_within(&a, soon);
    queue.done(&a, Some(Duration::from_mins(10)));
    assert_eq!(queue.next().await, a);
    assert_eq!(start.elapsed(), soon * 2, "asked while running, before the appointment");
    queue.done(&a, None);
    assert!(queue.lock().objects.is_empty());
}

#[tokio::test]
async fn every_waiting_worker_gets_work() {
    let queue = Arc::new(queue());
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let queue = Arc::clone(&queue);
            tokio::spawn(async move { queue.next().await })
        })
        .collect();
    tokio::task::yield_now().await;
    for name in ["a", "b", "c", "d"] {
        queue.add(&path(name));
    }
    let mut seen = HashSet::new();
    for worker in workers {
        seen.insert(timeout(Duration::from_secs(1), worker).await.unwrap().unwrap());
    }
    assert_eq!(seen.len(), 4);
}

proptest! {
    /// Whatever happens, an object added after its last start is handed out again.
    #[test]
    fn no_wake_up_is_lost(steps in prop::collection::vec((0u8..3, 0u8..4), 0..200)) {
            let queue = queue();
            let mut running: HashSet<Arc<str>> = HashSet::new();
            let mut pending: HashSet<Arc<str>> = HashSet::new();
            for (step, name) in steps {
                let path = path(&name.to_string());
                match step {
                    0 => { queue.add(&path); pending.insert(path); }
                    1 => if let Some(next) = queue.next().now_or_never() {
                        assert!(running.insert(next.clone()));
                        assert!(pending.remove(&next));
                    },
                    _ => if running.remove(&path) { queue.done(&path, None); }
                }
            }
            for path in running.drain() { queue.done(&path, None); }
            while let Some(next) = queue.next().now_or_never() {
                assert!(pending.remove(&next));
                queue.done(&next, None);
            }
            assert!(pending.is_empty());
    }
}
