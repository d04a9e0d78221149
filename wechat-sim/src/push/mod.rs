//! Pushes: what WeChat sends to a platform's 授权事件接收URL.

mod build;
mod crypt;
mod event;
mod flaw;
mod samples;
mod schedule;
mod send;

use std::collections::VecDeque;

use serde::Serialize;

pub use build::BuiltPush;
pub(crate) use build::build;
pub use crypt::{PushCrypt, msg_signature};
pub(crate) use event::escape;
pub use event::{Event, Field, Value, XmlStyle};
pub use flaw::Flaw;
pub use samples::INFO_TYPES;
pub(crate) use schedule::run as run_schedule;
pub use send::{Attempt, PushOutcome};
pub(crate) use send::{Sender, deliver};

/// Pushes kept in the record.
const RECORD_CAPACITY: usize = 1_000;

/// One push: an event, and how it is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// What happened.
    pub event: Event,
    /// What is wrong with the push, if anything.
    pub flaw: Option<Flaw>,
    /// How the inner XML is written.
    pub style: XmlStyle,
    /// `CreateTime`; the simulator's time if absent.
    pub create_time: Option<u64>,
    /// The query's `timestamp`; the simulator's time if absent.
    pub timestamp: Option<u64>,
    /// The query's `nonce`; random if absent.
    pub nonce: Option<String>,
    /// Token and EncodingAESKey other than the configured ones: those before a change, or the test
    /// version's.
    pub keys: Option<(String, String)>,
}

impl Push {
    /// A push of `event` with nothing wrong.
    #[must_use]
    pub fn new(event: Event) -> Self {
        Self {
            event,
            flaw: None,
            style: XmlStyle::default(),
            create_time: None,
            timestamp: None,
            nonce: None,
            keys: None,
        }
    }

    /// The current ticket.
    #[must_use]
    pub fn ticket() -> Self {
        Self::new(Event::Ticket { value: None })
    }

    /// This ticket, whether the simulator gave it out or not.
    #[must_use]
    pub fn ticket_value(value: impl Into<String>) -> Self {
        Self::new(Event::Ticket { value: Some(value.into()) })
    }

    /// A realistic event of any kind in [`INFO_TYPES`]; unknown kinds have no fields of their own.
    #[must_use]
    pub fn sample(info_type: &str) -> Self {
        Self::new(Event::sample(info_type))
    }

    /// The same with something wrong.
    #[must_use]
    pub fn with(mut self, flaw: Flaw) -> Self {
        self.flaw = Some(flaw);
        self
    }

    /// The same with another `CreateTime`.
    #[must_use]
    pub fn created(mut self, unix_secs: u64) -> Self {
        self.create_time = Some(unix_secs);
        self
    }

    /// The same with another query `timestamp`, signed with it.
    #[must_use]
    pub fn stamped(mut self, unix_secs: u64) -> Self {
        self.timestamp = Some(unix_secs);
        self
    }

    /// The same with another `nonce`.
    #[must_use]
    pub fn nonce(mut self, nonce: impl Into<String>) -> Self {
        self.nonce = Some(nonce.into());
        self
    }

    /// The same in another style of XML.
    #[must_use]
    pub fn style(mut self, style: XmlStyle) -> Self {
        self.style = style;
        self
    }

    /// The same, signed and encrypted with another Token and EncodingAESKey.
    #[must_use]
    pub fn keyed(mut self, token: impl Into<String>, encoding_aes_key: impl Into<String>) -> Self {
        self.keys = Some((token.into(), encoding_aes_key.into()));
        self
    }
}

/// A push that was sent, and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct PushRecord {
    /// When, Unix seconds by the simulator's clock.
    pub at: u64,
    /// The `InfoType`, or another short name of what was pushed.
    pub info_type: String,
    /// What was wrong with it.
    pub flaw: Option<Flaw>,
    /// Where it went.
    pub url: String,
    /// What came of it.
    pub outcome: PushOutcome,
}

/// The last pushes, oldest first.
#[derive(Debug, Default)]
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
