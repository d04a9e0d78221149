//! Links in memory: for tests, and for `make run`.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::store::{CodeOrigin, Counted, Link, LinkStore, MAX_CODES};
use crate::platform::state::StateError;

/// Links that all holders of this value share. Nothing is ever deleted.
#[derive(Debug, Default)]
pub struct MemoryLinks(Mutex<Items>);

#[derive(Debug, Default)]
struct Items {
    links: HashMap<String, Link>,
    returns: HashMap<String, BTreeSet<String>>,
    codes: HashMap<String, CodeOrigin>,
    failure: Option<StateError>,
}

impl MemoryLinks {
    /// Answers everything from now on with this error; with `None`, works again.
    pub fn fail(&self, failure: Option<StateError>) {
        self.lock().failure = failure;
    }

    fn lock(&self) -> MutexGuard<'_, Items> {
        // Nothing can panic half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn items(&self) -> Result<MutexGuard<'_, Items>, StateError> {
        let items = self.lock();
        items.failure.clone().map_or(Ok(items), Err)
    }
}

#[async_trait]
impl LinkStore for MemoryLinks {
    async fn create_link(&self, link_id: &str, link: &Link, _delete_at: i64) -> Result<(), StateError> {
        self.items()?.links.insert(link_id.to_owned(), link.clone());
        Ok(())
    }

    async fn link(&self, link_id: &str) -> Result<Option<Link>, StateError> {
        Ok(self.items()?.links.get(link_id).cloned())
    }

    async fn count_code(&self, link_id: &str, now: i64) -> Result<Counted, StateError> {
        let mut items = self.items()?;
        Ok(match items.links.get_mut(link_id) {
            Some(link) if link.expires_at > now && link.codes < MAX_CODES => {
                link.codes += 1;
                Counted::Yes(link.clone())
            }
            other => Counted::No(other.cloned()),
        })
    }

    async fn uncount_code(&self, link_id: &str) -> Result<(), StateError> {
        if let Some(link) = self.items()?.links.get_mut(link_id) {
            link.codes = link.codes.saturating_sub(1);
        }
        Ok(())
    }

    async fn note_return(&self, link_id: &str, auth_code_fingerprint: &str) -> Result<bool, StateError> {
        let mut items = self.items()?;
        let returns = items.returns.entry(link_id.to_owned()).or_default();
        Ok(returns.len() < MAX_CODES as usize && returns.insert(auth_code_fingerprint.to_owned()))
    }

    async fn put_code_origin(
        &self,
        code_fingerprint: &str,
        origin: &CodeOrigin,
        _delete_at: i64,
    ) -> Result<(), StateError> {
        self.items()?.codes.insert(code_fingerprint.to_owned(), origin.clone());
        Ok(())
    }

    async fn code_origin(&self, code_fingerprint: &str) -> Result<Option<CodeOrigin>, StateError> {
        Ok(self.items()?.codes.get(code_fingerprint).cloned())
    }
}
