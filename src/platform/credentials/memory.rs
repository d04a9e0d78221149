//! A credentials document in memory: for tests and `make run`.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::cache::CredentialsSource;
use super::document::{SecretDocument, SecretsError};

/// A document in memory. Clones share it.
#[derive(Clone)]
pub struct MemoryCredentials(Arc<Mutex<Result<SecretDocument, SecretsError>>>);

impl MemoryCredentials {
    /// Holds this JSON text.
    pub fn new(json: &str) -> Self {
        let document = SecretDocument { json: json.into(), version: "1".into() };
        Self(Arc::new(Mutex::new(Ok(document))))
    }

    /// Replaces what the next read gets.
    pub fn set(&self, next: Result<SecretDocument, SecretsError>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = next;
    }
}

#[async_trait]
impl CredentialsSource for MemoryCredentials {
    async fn fetch(&self) -> Result<SecretDocument, SecretsError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
