//! Who may have the operator: all tests at once, or one alone.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde_json::Value;

use crate::{
    install::installation,
    operator::{Operator, ask},
};

/// Tests with the shared operator read, tests without it write.
static TURN: RwLock<()> = RwLock::new(());
static SHARED: Mutex<Option<Operator>> = Mutex::new(None);

/// The right to use the shared operator, which runs meanwhile.
pub struct Turn(#[expect(dead_code, reason = "held")] RwLockReadGuard<'static, ()>);

/// The right to run operators of one's own. Ends with the shared operator running again.
pub struct Alone(#[expect(dead_code, reason = "held")] RwLockWriteGuard<'static, ()>);

/// Waits until the shared operator may be used.
pub async fn shared() -> Turn {
    let installation = installation().await;
    let turn = TURN.read().unwrap_or_else(PoisonError::into_inner);
    {
        let mut shared = lock();
        if shared.as_mut().is_none_or(|operator| !operator.runs()) {
            *shared = Some(Operator::start(installation, "shared"));
        }
    }
    Turn(turn)
}

/// Waits until nobody uses the shared operator, and stops it in order.
pub async fn alone() -> Alone {
    installation().await;
    let turn = TURN.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(mut operator) = lock().take() {
        assert!(operator.terminate(), "the operator did not end in order:\n{}", operator.tail(""));
    }
    Alone(turn)
}

fn lock() -> MutexGuard<'static, Option<Operator>> {
    SHARED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the shared operator says of itself, and the end of its log as far as it is about `about`.
pub fn shared_state(about: &str) -> (Option<String>, String) {
    match lock().as_ref() {
        Some(operator) => (operator.http("/metrics"), operator.tail(about)),
        None => (None, "no shared operator runs".to_owned()),
    }
}

/// What the shared operator answers.
pub fn shared_http(path: &str, headers: &[(&str, &str)]) -> Option<String> {
    let port = lock().as_ref()?.port;
    let (code, body) = ask(port, "GET", path, headers, "")?;
    (code == 200).then_some(body)
}

/// Where the shared operator serves its metrics.
pub fn shared_port() -> Option<u16> {
    lock().as_ref().map(|operator| operator.port)
}

/// What the shared operator answers to administrators.
pub fn shared_admin(method: &str, path: &str, body: &str) -> Option<(u16, String)> {
    let port = lock().as_ref()?.admin_port;
    ask(port, method, path, &[], body)
}

/// All that the shared operator has logged.
pub fn shared_log() -> Vec<Value> {
    let lines = lock().as_ref().map(|operator| operator.log("")).unwrap_or_default();
    let parse = |line: &String| serde_json::from_str(line);
    lines.iter().map(|line| parse(line).unwrap_or_else(|_| panic!("not JSON: {line}"))).collect()
}
