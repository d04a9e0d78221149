//! The record of pushes that were sent.

use std::collections::VecDeque;

use serde::Serialize;

use super::flaw::Flaw;
use super::send::PushOutcome;

/// Pushes kept in the record.
const RECORD_CAPACITY: usize = 1_000;

/// A push that was sent, and its outcome.
#[derive(Clone, Debug, Serialize)]
pub struct PushRecord {
    /// When the push was built, in Unix seconds by the simulator's clock.
    pub at: u64,
    /// The `InfoType`, or another short name for the pushed event.
    pub info_type: String,
    /// What was wrong with it.
    pub flaw: Option<Flaw>,
    /// The URL it was sent to.
    pub url: String,
    /// How the delivery ended.
    pub outcome: PushOutcome,
}

/// The last pushes, oldest first.
#[derive(Default)]
pub(crate) struct PushRecords(VecDeque<PushRecord>);

impl PushRecords {
    pub(crate) fn add(&mut self, record: PushRecord) {
        self.0.push_back(record);
        if self.0.len() > RECORD_CAPACITY {
            self.0.pop_front();
        }
    }

    pub(crate) fn last(&self) -> Option<&PushRecord> {
        self.0.back()
    }

    pub(crate) fn all(&self) -> Vec<PushRecord> {
        self.0.iter().cloned().collect()
    }
}
