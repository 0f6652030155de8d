//! Secrets made once with random content that the engine never reads back.

use std::sync::atomic::Ordering;

use serde_json::Value;

use super::{
    apply::{Outcome, Pass},
    context::lock,
    digest,
    error::Class,
    http::Want,
    plan::{Child, Fault},
    resource::ObjectKey,
    send::entry,
};

impl Pass<'_> {
    /// Creates a Secret once; what is in it is never read.
    pub(super) async fn generate(
        &self,
        child: &Child,
        key: ObjectKey,
        name: &str,
        bytes: usize,
    ) -> Outcome {
        if lock(self.memory).generated.contains(&key) {
            return Outcome::Generated(key);
        }
        let mut object = digest::normalise(child.object.clone());
        self.own(&mut object, self.uid);
        if let Value::Object(data) = entry(&mut object, "data") {
            data.insert(name.to_owned(), digest::base64(random_hex(bytes)));
        }
        let body = object.to_string().into_bytes();
        let namespace = key.namespace.as_deref();
        let manager = &self.controller.manager;
        let result =
            self.http.create(&key.resource, namespace, manager, body, Want::Metadata).await;
        match result {
            Ok(_) => {
                self.wrote.store(true, Ordering::Relaxed);
                lock(self.memory).generated.insert(key.clone());
                Outcome::Generated(key)
            }
            Err(error) if error.class() == Class::Conflict => {
                lock(self.memory).generated.insert(key.clone());
                Outcome::Generated(key)
            }
            Err(error) => {
                let message = format!("{key} could not be created: {error}");
                match error.class() {
                    Class::Rejected | Class::Policy => Outcome::Rejected(Fault { key, message }),
                    _ => Outcome::Failed(Fault { key, message }, error.retry_after()),
                }
            }
        }
    }
}

/// The digits of this many bytes from the process's cryptographic generator.
fn random_hex(bytes: usize) -> Vec<u8> {
    let digit = |value: u8| b"0123456789abcdef".get(usize::from(value)).copied().unwrap_or(b'0');
    (0..bytes)
        .map(|_| rand::random::<u8>())
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_content_is_hexadecimal_and_never_the_same() {
        let (a, b) = (random_hex(32), random_hex(32));
        assert_eq!(a.len(), 64);
        assert!(a.iter().all(u8::is_ascii_hexdigit));
        assert_ne!(a, b);
    }
}
