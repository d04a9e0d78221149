//! What a test can choose for one push: content, flaw, times, keys.

use super::event::Event;
use super::flaw::Flaw;
use super::xml::XmlStyle;

/// One push: an event, and how to write and sign it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// What the push reports.
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
    /// Token and EncodingAESKey to use instead of the configured ones, such as the ones before a change.
    pub keys: Option<(String, String)>,
}

impl Push {
    /// A correct push of `event`.
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

    /// A push of the current ticket.
    #[must_use]
    pub fn ticket() -> Self {
        Self::new(Event::Ticket { value: None })
    }

    /// A push of this ticket. The simulator does not need to have issued it.
    #[must_use]
    pub fn ticket_value(value: impl Into<String>) -> Self {
        Self::new(Event::Ticket { value: Some(value.into()) })
    }

    /// A push of a realistic event. An `InfoType` that is not in [`INFO_TYPES`](super::INFO_TYPES) has no fields
    /// of its own.
    #[must_use]
    pub fn sample(info_type: &str) -> Self {
        Self::new(Event::sample(info_type))
    }

    /// The same push with a flaw.
    #[must_use]
    pub fn with(mut self, flaw: Flaw) -> Self {
        self.flaw = Some(flaw);
        self
    }

    /// The same push with another `CreateTime`.
    #[must_use]
    pub fn created(mut self, unix_secs: u64) -> Self {
        self.create_time = Some(unix_secs);
        self
    }

    /// The same push with another `timestamp` in the query, signed with it.
    #[must_use]
    pub fn stamped(mut self, unix_secs: u64) -> Self {
        self.timestamp = Some(unix_secs);
        self
    }

    /// The same push with another `nonce`.
    #[must_use]
    pub fn nonce(mut self, nonce: impl Into<String>) -> Self {
        self.nonce = Some(nonce.into());
        self
    }

    /// The same push in another XML style.
    #[must_use]
    pub fn style(mut self, style: XmlStyle) -> Self {
        self.style = style;
        self
    }

    /// The same push, signed and encrypted with another Token and EncodingAESKey.
    #[must_use]
    pub fn keyed(mut self, token: impl Into<String>, encoding_aes_key: impl Into<String>) -> Self {
        self.keys = Some((token.into(), encoding_aes_key.into()));
        self
    }
}
