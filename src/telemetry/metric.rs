//! Metrics in CloudWatch's embedded metric format (EMF): one JSON line each, which CloudWatch Logs
//! turns into a metric without a call.
//!
//! One dimension, `service`, so that two stacks in one account do not mix and no errcode or appid
//! makes a new (billed) metric of its own: those are properties, found in the logs.
//!
//! Written by hand after a trial of the two libraries made for it (November 2026):
//!
//! * `metrique-writer-format-emf` 0.1.26 would do: dynamic names, a synchronous `format` into any
//!   writer, and in a trial binary the same size (373 KB, by hand 372 KB) and time (some 20 µs for the
//!   first line). But it has no features to leave out, and through metrique-writer brings 43 crates
//!   that are new to this build (a background queue, metrics-util, two random generators), its
//!   properties are strings unless flagged, and calling it takes more code than the line below.
//! * `metrics_cloudwatch_embedded` 0.10 brings four. But it is a recorder for the process, installed
//!   once, and properties belong to it and not to a line: the errcode of one failure would stand on
//!   the lines of every other request.

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::{Value, json};

use super::line::rfc3339_now;
use super::log;

macro_rules! metrics {
    ($($(#[$doc:meta])+ $name:ident = $text:literal;)+) => {
        $($(#[$doc])+ pub const $name: &str = $text;)+

        /// Every metric, without what follows after a dot.
        pub const ALL: &[&str] = &[$($name,)+];
    };
}

metrics! {
    /// A code was issued.
    CODE_ISSUED = "CodeIssued";
    /// A request ended in a problem. `Failure.<code>` is counted beside it.
    FAILURE = "Failure";
    /// A direct invocation ended in a function error that is a problem answer. Lambda counts it among the
    /// function's errors; what it counts beyond these is a crash.
    FUNCTION_ERROR = "FunctionError";
    /// A component access token was minted.
    TOKEN_MINTED = "TokenMinted";
    /// A result came after somebody else had taken the lease over.
    LEASE_LOST = "LeaseLost";
    /// WeChat refused the address it saw.
    EGRESS_IP_REFUSED = "EgressIpRefused";
    /// Another program mints tokens for this component.
    FOREIGN_MINT = "ForeignMint";
    /// The first invocation of a new environment.
    COLD_START = "ColdStart";
    /// A valid ticket push arrived: the heartbeat.
    TICKET_PUSH = "TicketPush";
    /// An event was handed to the bus.
    EVENT_FORWARDED = "EventForwarded";
    /// A push was refused for its signature or age.
    SIGNATURE_REFUSED = "SignatureRefused";
    /// A message arrived on the event URL.
    MISROUTED_MESSAGE = "MisroutedMessage";
    /// Seconds since the last ticket push.
    TICKET_AGE = "TicketAge";
    /// Seconds until the token expires.
    TOKEN_SECONDS_LEFT = "TokenSecondsLeft";
    /// Milliseconds of one call to WeChat; the call's name follows after a dot.
    WECHAT_LATENCY = "WechatLatency";
    /// WeChat was asked to push tickets again.
    START_PUSH = "StartPush";
    /// Percent of a call's daily quota used; the call's name follows after a dot.
    QUOTA_USED = "QuotaUsed";
}

/// A unit of CloudWatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Unit {
    /// A number of times.
    Count,
    /// A duration.
    Milliseconds,
    /// A duration.
    Seconds,
    /// Of a hundred.
    Percent,
}

/// Where metrics go. Clones share the sink.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    namespace: String,
    service: String,
    level: &'static str,
    sink: Sink,
}

enum Sink {
    Stdout,
    Memory(Mutex<Vec<Value>>),
    Nowhere,
}

impl Metrics {
    /// Metrics on standard output.
    #[must_use]
    pub fn stdout(namespace: &str, service: &str) -> Self {
        Self::new(namespace, service, Sink::Stdout)
    }

    /// No metrics at all: for the local service.
    #[must_use]
    pub fn nowhere() -> Self {
        Self::new("", "", Sink::Nowhere)
    }

    /// Metrics kept in memory: for tests.
    #[must_use]
    pub fn memory() -> Self {
        Self::new("WechatPreauth", "local", Sink::Memory(Mutex::default()))
    }

    fn new(namespace: &str, service: &str, sink: Sink) -> Self {
        let level = log::level_of_metrics(log::variable("AWS_LAMBDA_LOG_LEVEL").as_deref());
        Self(Arc::new(Inner { namespace: namespace.to_owned(), service: service.to_owned(), level, sink }))
    }

    /// Counts one of `name`.
    pub fn count(&self, name: &str) {
        self.put(name, Unit::Count, 1.0, &[]);
    }

    /// Counts one of each of these, in one line.
    pub fn count_all(&self, names: &[&str], properties: &[(&str, Value)]) {
        self.write(names, Unit::Count, 1.0, properties);
    }

    /// A call to WeChat took this long.
    pub fn call(&self, api: &str, took: Duration) {
        let name = format!("{WECHAT_LATENCY}.{api}");
        self.put(&name, Unit::Milliseconds, took.as_secs_f64() * 1000.0, &[]);
    }

    /// A value, with properties that can be searched in the logs but make no metric of their own. One that is `null`
    /// is left out.
    pub fn put(&self, name: &str, unit: Unit, value: f64, properties: &[(&str, Value)]) {
        self.write(&[name], unit, value, properties);
    }

    fn write(&self, names: &[&str], unit: Unit, value: f64, properties: &[(&str, Value)]) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let metrics: Vec<Value> = names.iter().map(|name| json!({ "Name": name, "Unit": unit })).collect();
        let mut line = json!({
            "_aws": {
                "Timestamp": now.as_millis() as u64,
                "CloudWatchMetrics": [{
                    "Namespace": self.0.namespace,
                    "Dimensions": [["service"]],
                    "Metrics": metrics,
                }],
            },
            // Lambda's log filter takes a line without these two for INFO, and drops it at WARN.
            "level": self.0.level,
            "timestamp": rfc3339_now(),
            "service": self.0.service,
        });
        for name in names {
            line[*name] = value.into();
        }
        for (key, value) in properties.iter().filter(|(_, value)| !value.is_null()) {
            line[*key] = value.clone();
        }
        match &self.0.sink {
            // One write for the whole line, so that lines do not mix; a lost one is no failure.
            Sink::Stdout => drop(std::io::stdout().lock().write_all(format!("{line}\n").as_bytes())),
            Sink::Memory(lines) => lines.lock().unwrap_or_else(PoisonError::into_inner).push(line),
            Sink::Nowhere => {}
        }
    }

    /// The sum of `name` so far; only in memory.
    #[must_use]
    pub fn sum(&self, name: &str) -> f64 {
        self.lines().iter().filter_map(|line| line[name].as_f64()).sum()
    }

    /// All lines so far; only in memory.
    #[must_use]
    pub fn lines(&self) -> Vec<Value> {
        match &self.0.sink {
            Sink::Stdout | Sink::Nowhere => Vec::new(),
            Sink::Memory(lines) => lines.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").field("service", &self.0.service).finish_non_exhaustive()
    }
}
