//! Where events go: a bus that other programs subscribe to. One trait, and the bus in memory for tests and the
//! local service.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};

use super::cause::Cause;

/// The `source` of every event.
pub const SOURCE: &str = "wechat.component";

/// An event. Its detail may hold an authorization code, so it cannot be printed.
#[derive(Debug, Clone)]
pub struct BusEvent {
    /// The detail-type: WeChat's `InfoType`.
    pub detail_type: String,
    /// A JSON object as text.
    pub detail: SecretString,
}

impl BusEvent {
    /// The size that EventBridge limits: source, detail-type and detail.
    pub fn bytes(&self) -> usize {
        SOURCE.len() + self.detail_type.len() + self.detail.expose_secret().len()
    }
}

/// The bus did not accept the event.
#[derive(Debug, Clone, thiserror::Error)]
#[error(transparent)]
pub struct BusError(pub Cause);

/// A bus.
#[async_trait]
pub trait EventBus: Send + Sync {
    /// Sends the event. After `Ok` the bus keeps it. After an error it may have arrived all the same, when the
    /// answer was lost: then the next try sends it a second time.
    async fn put(&self, event: &BusEvent) -> Result<(), BusError>;
}

/// A bus that only collects.
#[derive(Debug, Default)]
pub struct MemoryBus(Mutex<Collected>);

#[derive(Debug, Default)]
struct Collected {
    events: Vec<BusEvent>,
    failure: Option<BusError>,
}

impl MemoryBus {
    /// The events that arrived.
    pub fn events(&self) -> Vec<BusEvent> {
        self.collected().events.clone()
    }

    /// Refuses every event from now on with this error; with `None`, accepts them again.
    pub fn fail(&self, failure: Option<BusError>) {
        self.collected().failure = failure;
    }

    fn collected(&self) -> MutexGuard<'_, Collected> {
        // Nothing can panic half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl EventBus for MemoryBus {
    async fn put(&self, event: &BusEvent) -> Result<(), BusError> {
        let mut collected = self.collected();
        if let Some(failure) = &collected.failure {
            return Err(failure.clone());
        }
        collected.events.push(event.clone());
        Ok(())
    }
}
