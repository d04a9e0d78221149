//! Injected faults: what goes wrong, on which call, how often, and before or after the work.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Endpoint, ErrmsgStyle};

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// An error answer. Without `errmsg` it has the real text in the configured style.
    Errcode {
        /// The errcode.
        errcode: i64,
        /// The whole errmsg, sent unchanged.
        errmsg: Option<String>,
    },
    /// Like `Errcode`, with the errcode as a JSON string, as in some real answers.
    StringErrcode {
        /// The errcode.
        errcode: i64,
        /// The whole errmsg, sent unchanged.
        errmsg: Option<String>,
    },
    /// An error answer in another errmsg style.
    OldErrcode {
        /// The errcode.
        errcode: i64,
        /// The style.
        errmsg_style: ErrmsgStyle,
    },
    /// Waits, and then goes on with another fault or with the usual answer.
    Delay {
        /// How long. In JSON it is `ms`.
        #[serde(rename = "ms", serialize_with = "as_ms")]
        time: Duration,
    },
    /// A TCP reset instead of an answer. The request is not processed.
    Reset,
    /// The request is processed, and then a TCP reset: the answer is lost.
    ResetAfter,
    /// A normal close without an answer, as on an idle pooled connection. The request is not processed.
    Close,
    /// No answer ever. The request is not processed.
    Hang,
    /// The request is processed. The answer announces its full length, but the body ends in the middle.
    Truncate,
    /// An HTML error page with this status.
    Html {
        /// The HTTP status.
        status: u16,
    },
    /// This status with an empty body.
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// The usual answer as `text/plain`.
    TextPlain,
    /// The usual success with an empty string as token or code.
    EmptyField,
    /// The usual success with `"errcode":0,"errmsg":"ok"` as well.
    ErrcodeZero,
    /// The usual success with another `expires_in`.
    ExpiresIn {
        /// The value.
        seconds: i64,
    },
    /// The usual answer with this many bytes of padding in one more field.
    Huge {
        /// How many bytes.
        bytes: usize,
    },
}

fn as_ms<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

impl FaultKind {
    /// Whether it needs the usual answer, so that the request is processed first.
    fn needs_the_work(&self) -> bool {
        matches!(
            self,
            FaultKind::ResetAfter
                | FaultKind::Truncate
                | FaultKind::TextPlain
                | FaultKind::EmptyField
                | FaultKind::ErrcodeZero
                | FaultKind::ExpiresIn { .. }
                | FaultKind::Huge { .. }
        )
    }
}

/// How often a fault applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Times {
    /// The next time only.
    Once,
    /// This many times.
    N(u32),
    /// Until the faults are cleared.
    Forever,
}

/// When a fault applies. A kind that changes the usual answer always applies after the work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Instead of the work: no token is minted, and no quota is used.
    #[default]
    Before,
    /// After the work: the token is minted, and the answer is replaced.
    After,
}

/// A fault that waits for its call. Make it with [`Fault::new`], [`Fault::errcode`] or [`Fault::delay`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The call it applies to; `None` is any call.
    pub api: Option<Endpoint>,
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// How often.
    pub times: Times,
    /// Before or after the work.
    pub when: When,
}

impl Fault {
    /// A fault on the next call of any API, before the work.
    #[must_use]
    pub fn new(kind: FaultKind) -> Self {
        Self { api: None, kind, times: Times::Once, when: When::Before }
    }

    /// An error answer with the real text of the errcode.
    #[must_use]
    pub fn errcode(errcode: i64) -> Self {
        Self::new(FaultKind::Errcode { errcode, errmsg: None })
    }

    /// A pause before the work.
    #[must_use]
    pub fn delay(time: Duration) -> Self {
        Self::new(FaultKind::Delay { time })
    }

    /// Applies to this API only.
    #[must_use]
    pub fn on(mut self, api: Endpoint) -> Self {
        self.api = Some(api);
        self
    }

    /// Applies this many times.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Times::N(times);
        self
    }

    /// Applies until the faults are cleared.
    #[must_use]
    pub fn forever(mut self) -> Self {
        self.times = Times::Forever;
        self
    }

    /// Applies after the work.
    #[must_use]
    pub fn after_work(mut self) -> Self {
        self.when = When::After;
        self
    }
}

/// The faults that apply to one request: the delays, and at most one other fault.
#[derive(Default)]
pub(crate) struct RequestFaults {
    pub(crate) delay_before: Duration,
    pub(crate) delay_after: Duration,
    pub(crate) fault: Option<(FaultKind, When)>,
}

impl RequestFaults {
    /// Whether the request is processed at all.
    pub(crate) fn need_the_work(&self) -> bool {
        self.fault.as_ref().is_none_or(|(kind, when)| *when == When::After || kind.needs_the_work())
    }
}

/// The faults that wait, in the order of their injection.
#[derive(Default)]
pub(crate) struct Faults {
    waiting: Vec<Fault>,
}

impl Faults {
    pub(crate) fn inject(&mut self, fault: Fault) {
        self.waiting.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }

    pub(crate) fn waiting(&self) -> &[Fault] {
        &self.waiting
    }

    /// Takes the faults that apply to the next request of `api`. Delays add up. Of the other faults the first
    /// applies.
    pub(crate) fn take(&mut self, api: Endpoint) -> RequestFaults {
        let mut taken = RequestFaults::default();
        for fault in &mut self.waiting {
            let is_delay = matches!(fault.kind, FaultKind::Delay { .. });
            let applies = fault.api.is_none_or(|wanted| wanted == api)
                && fault.times != Times::N(0)
                && (is_delay || taken.fault.is_none());
            if !applies {
                continue;
            }
            match (&fault.kind, fault.when) {
                (FaultKind::Delay { time }, When::Before) => taken.delay_before += *time,
                (FaultKind::Delay { time }, When::After) => taken.delay_after += *time,
                (kind, when) => taken.fault = Some((kind.clone(), when)),
            }
            fault.times = match fault.times {
                Times::Forever => Times::Forever,
                Times::Once => Times::N(0),
                Times::N(left) => Times::N(left - 1),
            };
        }
        self.waiting.retain(|fault| fault.times != Times::N(0));
        taken
    }
}
