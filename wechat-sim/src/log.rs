//! The request log and its counters.

use std::collections::{BTreeMap, VecDeque};

use crate::{Endpoint, SimRequest};

/// The last requests, oldest first.
#[derive(Default)]
pub(crate) struct Log {
    requests: VecDeque<SimRequest>,
    /// How many requests are no longer held. A request's number is the count of all requests before it.
    dropped: usize,
    /// The number of the first request after the last reset. Earlier ones can be found by their rid only.
    first_shown: usize,
    counts: BTreeMap<Endpoint, usize>,
}

impl Log {
    /// Adds a request that has just arrived, so that a request without an answer counts as well. Returns its
    /// number.
    pub(crate) fn begin(&mut self, request: SimRequest, capacity: usize) -> usize {
        *self.counts.entry(request.api).or_default() += 1;
        self.requests.push_back(request);
        let number = self.dropped + self.requests.len() - 1;
        while self.requests.len() > capacity {
            self.requests.pop_front();
            self.dropped += 1;
        }
        number
    }

    /// Puts the completed request in the place of the one that arrived, if that is still held.
    pub(crate) fn complete(&mut self, number: usize, request: &mut SimRequest) {
        let held = number.checked_sub(self.dropped).and_then(|index| self.requests.get_mut(index));
        if let Some(held) = held {
            std::mem::swap(held, request);
        }
    }

    pub(crate) fn requests(&self) -> Vec<SimRequest> {
        self.requests.iter().skip(self.first_shown.saturating_sub(self.dropped)).cloned().collect()
    }

    pub(crate) fn count(&self, api: Endpoint) -> usize {
        self.counts.get(&api).copied().unwrap_or(0)
    }

    pub(crate) fn counts(&self) -> &BTreeMap<Endpoint, usize> {
        &self.counts
    }

    pub(crate) fn reset(&mut self) {
        self.first_shown = self.dropped + self.requests.len();
        self.counts.clear();
    }

    /// The request whose error answer has this rid.
    pub(crate) fn find_rid(&self, rid: &str) -> Option<&SimRequest> {
        self.requests.iter().find(|request| request.rid.as_deref() == Some(rid))
    }
}
