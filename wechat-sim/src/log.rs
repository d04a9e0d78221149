//! The request log, the counters, and what `openapi/rid/get` can look up.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use serde::Serialize;

use crate::Endpoint;

/// Rids kept for `openapi/rid/get`.
const RID_CAPACITY: usize = 2_000;

/// One request as it arrived, and what was answered.
#[derive(Clone, Debug, Serialize)]
pub struct Recorded {
    /// The call.
    pub api: Endpoint,
    /// The HTTP method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query as it came, without `?`.
    pub query: String,
    /// The body as text.
    pub body: String,
    /// The request's Content-Type, empty if there was none.
    pub content_type: String,
    /// The caller's address.
    pub client_ip: IpAddr,
    /// When it arrived, Unix seconds by the simulator's clock.
    pub at: u64,
    /// The HTTP status; 0 while there is no answer.
    pub status: u16,
    /// The answer's body, also when the answer was lost on the way; empty while there is none.
    pub answer: String,
    /// Whether the answer was sent off whole.
    pub delivered: bool,
    /// The fault that struck, by its JSON.
    pub fault: Option<String>,
    /// The errcode answered, where there was one.
    pub errcode: Option<i64>,
}

impl Recorded {
    /// The first value of a query parameter, decoded.
    #[must_use]
    pub fn query_value(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_str(&self.body).ok()
    }
}

/// What WeChat remembers of a failed request.
#[derive(Clone, Debug)]
pub(crate) struct RidEntry {
    pub(crate) rid: String,
    pub(crate) at: u64,
    pub(crate) query: String,
    pub(crate) body: String,
    pub(crate) answer: String,
    pub(crate) client_ip: IpAddr,
}

#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: VecDeque<Recorded>,
    /// The id of the first entry still held: ids count all requests ever made.
    first: u64,
    counts: BTreeMap<Endpoint, usize>,
    rids: VecDeque<RidEntry>,
}

impl Log {
    /// Records a request on arrival, so that one that never gets an answer counts as well.
    pub(crate) fn begin(&mut self, entry: Recorded, capacity: usize) -> u64 {
        *self.counts.entry(entry.api).or_default() += 1;
        self.entries.push_back(entry);
        let id = self.first + self.entries.len() as u64 - 1;
        while self.entries.len() > capacity {
            self.entries.pop_front();
            self.first += 1;
        }
        id
    }

    pub(crate) fn entry(&mut self, id: u64) -> Option<&mut Recorded> {
        let index = usize::try_from(id.checked_sub(self.first)?).ok()?;
        self.entries.get_mut(index)
    }

    pub(crate) fn entries(&self) -> Vec<Recorded> {
        self.entries.iter().cloned().collect()
    }

    pub(crate) fn count(&self, api: Endpoint) -> usize {
        self.counts.get(&api).copied().unwrap_or(0)
    }

    pub(crate) fn counts(&self) -> &BTreeMap<Endpoint, usize> {
        &self.counts
    }

    pub(crate) fn reset(&mut self) {
        self.first += self.entries.len() as u64;
        self.entries.clear();
        self.counts.clear();
    }

    pub(crate) fn remember_rid(&mut self, entry: RidEntry) {
        self.rids.push_back(entry);
        if self.rids.len() > RID_CAPACITY {
            self.rids.pop_front();
        }
    }

    pub(crate) fn find_rid(&self, rid: &str) -> Option<&RidEntry> {
        self.rids.iter().find(|entry| entry.rid == rid)
    }
}
