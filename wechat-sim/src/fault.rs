//! Faults on demand: what goes wrong, on which call, how often, and before or after the work.

use std::time::Duration;

use serde::Serialize;

use crate::{Endpoint, ErrmsgStyle};

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// An error answer. Without `errmsg` the real text, in the configured era's shape.
    Errcode {
        /// The errcode.
        errcode: i64,
        /// The whole errmsg, sent as it is.
        errmsg: Option<String>,
    },
    /// The same with the errcode as a JSON string, as some answers had it.
    StringErrcode {
        /// The errcode.
        errcode: i64,
        /// The whole errmsg, sent as it is.
        errmsg: Option<String>,
    },
    /// An error answer in the shape of another era.
    OldErrcode {
        /// The errcode.
        errcode: i64,
        /// The era.
        era: ErrmsgStyle,
    },
    /// Waits, then goes on: another fault may still follow, else the usual answer.
    Delay {
        /// How long; `ms` in JSON.
        #[serde(rename = "ms", serialize_with = "as_ms")]
        time: Duration,
    },
    /// A TCP reset instead of an answer; nothing was done.
    Reset,
    /// The work is done, then a TCP reset: the answer is lost.
    ResetAfter,
    /// An orderly close without an answer, as of a stale pooled connection; nothing was done.
    Close,
    /// Never answers; nothing was done.
    Hang,
    /// The work is done and announced in full, but the body breaks off half way.
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
    /// The usual success with the token or code an empty string.
    EmptyField,
    /// The usual success with `"errcode":0,"errmsg":"ok"` as well.
    ErrcodeZero,
    /// The usual success with another `expires_in`.
    ExpiresIn {
        /// The number to say.
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
    /// Whether it works on the usual answer, so that the work must be done first.
    pub(crate) fn changes_the_answer(&self) -> bool {
        matches!(
            self,
            FaultKind::Truncate
                | FaultKind::TextPlain
                | FaultKind::EmptyField
                | FaultKind::ErrcodeZero
                | FaultKind::ExpiresIn { .. }
                | FaultKind::Huge { .. }
        )
    }
}

/// How often a fault strikes.
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

/// When a fault strikes. Kinds that change the usual answer always come after the work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Instead of the work: no token is minted, no quota used.
    #[default]
    Before,
    /// After the work: the token was minted, and the answer is replaced.
    After,
}

/// A fault waiting for its call. Build it with [`Fault::new`] or one of the shorthands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The call it strikes; `None` strikes any.
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

    /// An error answer with the errcode's real text.
    #[must_use]
    pub fn errcode(errcode: i64) -> Self {
        Self::new(FaultKind::Errcode { errcode, errmsg: None })
    }

    /// A pause before the work.
    #[must_use]
    pub fn delay(time: Duration) -> Self {
        Self::new(FaultKind::Delay { time })
    }

    /// Strikes this API only.
    #[must_use]
    pub fn on(mut self, api: Endpoint) -> Self {
        self.api = Some(api);
        self
    }

    /// Strikes this many times.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Times::N(times);
        self
    }

    /// Strikes until the faults are cleared.
    #[must_use]
    pub fn forever(mut self) -> Self {
        self.times = Times::Forever;
        self
    }

    /// Strikes after the work was done.
    #[must_use]
    pub fn after_work(mut self) -> Self {
        self.when = When::After;
        self
    }
}

/// What strikes one request: the pauses, and at most one fault besides.
#[derive(Debug, Default)]
pub(crate) struct Strike {
    pub(crate) before: Duration,
    pub(crate) after: Duration,
    pub(crate) fault: Option<(FaultKind, When)>,
}

/// The faults that wait, in the order in which they were injected.
#[derive(Debug, Default)]
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

    /// Takes what strikes the next request of `api`. Pauses add up; of the rest the first counts.
    pub(crate) fn take(&mut self, api: Endpoint) -> Strike {
        let mut strike = Strike::default();
        for fault in &mut self.waiting {
            let is_pause = matches!(fault.kind, FaultKind::Delay { .. });
            let struck = fault.api.is_none_or(|wanted| wanted == api)
                && fault.times != Times::N(0)
                && (is_pause || strike.fault.is_none());
            if !struck {
                continue;
            }
            match (&fault.kind, fault.when) {
                (FaultKind::Delay { time }, When::Before) => strike.before += *time,
                (FaultKind::Delay { time }, When::After) => strike.after += *time,
                (kind, when) => strike.fault = Some((kind.clone(), when)),
            }
            fault.times = match fault.times {
                Times::Forever => Times::Forever,
                Times::Once => Times::N(0),
                Times::N(left) => Times::N(left - 1),
            };
        }
        self.waiting.retain(|fault| fault.times != Times::N(0));
        strike
    }
}
