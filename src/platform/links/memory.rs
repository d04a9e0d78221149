//! Links in memory: for tests, and for `make run`.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::store::{CodeLink, Link, LinkStore, MAX_CODES, MAX_STARTS, Noted, Started};
use crate::platform::state::StateError;

/// Links that all holders of this value share. Nothing is ever deleted.
#[derive(Debug, Default)]
pub struct MemoryLinks(Mutex<Items>);

#[derive(Debug, Default)]
struct Items {
    links: HashMap<String, Link>,
    taken: HashMap<String, BTreeSet<String>>,
    returns: HashMap<String, BTreeSet<String>>,
    codes: HashMap<String, CodeLink>,
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

    async fn start(&self, link_id: &str, start: &str, now: i64) -> Result<Started, StateError> {
        let mut items = self.items()?;
        let Items { links, taken, .. } = &mut *items;
        let Some(link) = links.get_mut(link_id) else { return Ok(Started::No(None)) };
        let taken = taken.entry(link_id.to_owned()).or_default();
        if link.expires_at <= now || taken.len() >= MAX_CODES || link.starts >= MAX_STARTS {
            return Ok(Started::No(Some(link.clone())));
        }
        taken.insert(start.to_owned());
        (link.codes, link.starts) = (taken.len(), link.starts + 1);
        Ok(Started::Yes(link.clone()))
    }

    async fn give_back(&self, link_id: &str, start: &str) -> Result<(), StateError> {
        let mut items = self.items()?;
        let Items { links, taken, .. } = &mut *items;
        if let (Some(link), Some(taken)) = (links.get_mut(link_id), taken.get_mut(link_id)) {
            taken.remove(start);
            link.codes = taken.len();
        }
        Ok(())
    }

    async fn note_return(&self, link_id: &str, auth_code_fingerprint: &str) -> Result<Noted, StateError> {
        let mut items = self.items()?;
        let returns = items.returns.entry(link_id.to_owned()).or_default();
        if returns.contains(auth_code_fingerprint) {
            return Ok(Noted::Again);
        }
        if returns.len() >= MAX_CODES {
            return Ok(Noted::Full);
        }
        returns.insert(auth_code_fingerprint.to_owned());
        Ok(Noted::First)
    }

    async fn put_code_link(
        &self,
        code_fingerprint: &str,
        code_link: &CodeLink,
        _delete_at: i64,
    ) -> Result<(), StateError> {
        self.items()?.codes.insert(code_fingerprint.to_owned(), code_link.clone());
        Ok(())
    }

    async fn code_link(&self, code_fingerprint: &str) -> Result<Option<CodeLink>, StateError> {
        Ok(self.items()?.codes.get(code_fingerprint).cloned())
    }
}
