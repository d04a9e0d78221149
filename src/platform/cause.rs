//! Why something that this service depends on could not be used.

use std::error::Error;
use std::future::Future;
use std::sync::Arc;

use tokio::time::{Instant, timeout_at};

/// Says in words that hold no value why the state table, the event bus or the credentials secret could not be
/// used, and keeps the error behind it. Clones share that error.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Cause {
    message: String,
    #[source]
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Cause {
    /// A cause with the error behind it.
    pub fn new(message: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { message: message.into(), source: Some(source.into().into()) }
    }
}

/// A cause without an error behind it.
impl From<&str> for Cause {
    fn from(message: &str) -> Self {
        Self { message: message.to_owned(), source: None }
    }
}

/// The work's result, or an error when the deadline comes first.
pub(crate) async fn in_time<T, E>(
    deadline: Instant,
    error: impl FnOnce(Cause) -> E,
    work: impl Future<Output = std::result::Result<T, E>>,
) -> std::result::Result<T, E> {
    timeout_at(deadline, work).await.unwrap_or_else(|_elapsed| Err(error("no answer in time".into())))
}
