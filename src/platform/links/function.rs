//! The function `preauthcode`, as the pages see it.

use async_trait::async_trait;
use tokio::time::Instant;

use crate::platform::cause::Cause;

/// The answer of an invocation.
pub struct Invoked {
    /// The answer, or the error, as JSON.
    pub payload: Vec<u8>,
    /// Whether the function failed. Then the payload is Lambda's error object.
    pub failed: bool,
}

/// Why an invocation has no answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{cause}")]
pub struct NotInvoked {
    /// The cause.
    pub cause: Cause,
    /// Whether the function may have run all the same.
    pub unclear: bool,
}

/// The function `preauthcode`, invoked directly.
#[async_trait]
pub trait CodeFunction: Send + Sync {
    /// Invokes it once.
    async fn invoke(&self, event: Vec<u8>, deadline: Instant) -> Result<Invoked, NotInvoked>;

    /// Whether it exists and may be invoked. Nothing is invoked.
    async fn may_invoke(&self) -> Result<(), Cause>;
}
