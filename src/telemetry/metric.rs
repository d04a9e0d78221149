//! Metrics in CloudWatch's embedded metric format (EMF): JSON lines, which CloudWatch Logs turns into metrics without
//! a call.
//!
//! The only dimension is `service`. It keeps the stacks of one account apart, and no errcode or appid makes a new
//! metric, which would be billed: those are properties of the log line.
//!
//! Written by hand, after two libraries for this format were tried (November 2026):
//!
//! * `metrique-writer-format-emf` 0.1.26 has what is needed (dynamic names, a synchronous `format` into any writer),
//!   and its trial binary had the same size and speed (373 KB instead of 372 KB, about 20 µs for the first line). But
//!   it adds 43 crates to this build (a background queue, metrics-util, two random generators) and has no features to
//!   switch off, its properties are strings unless flagged, and calling it takes more code than the function below.
//! * `metrics_cloudwatch_embedded` 0.10 adds four crates. But its recorder belongs to the process, and so do its
//!   properties: the errcode of one failure would be on the lines of every other request.

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
    /// An invocation ended in a problem. `Failure.<code>` is counted as well.
    FAILURE = "Failure";
    /// A direct invocation was answered with a problem, which is a function error. Lambda counts it among the
    /// function's errors, at the time when the invocation began, and so does this metric. What Lambda counts beyond
    /// these are crashes.
    FUNCTION_ERROR = "FunctionError";
    /// A component access token was minted.
    TOKEN_MINTED = "TokenMinted";
    /// The result of a mint came after another instance had taken over the lease.
    LEASE_LOST = "LeaseLost";
    /// WeChat refused the address that it saw.
    EGRESS_IP_REFUSED = "EgressIpRefused";
    /// Another program mints tokens for this component.
    FOREIGN_MINT = "ForeignMint";
    /// An environment had its first invocation.
    COLD_START = "ColdStart";
    /// A valid ticket push arrived: the heartbeat.
    TICKET_PUSH = "TicketPush";
    /// An event was forwarded to the bus.
    EVENT_FORWARDED = "EventForwarded";
    /// A push was refused for its signature or age.
    SIGNATURE_REFUSED = "SignatureRefused";
    /// An authorization link was made.
    LINK_CREATED = "LinkCreated";
    /// A merchant went from a link to WeChat, with a code.
    AUTHORIZATION_STARTED = "AuthorizationStarted";
    /// A merchant came back from WeChat with a new authorization code.
    AUTHORIZATION_RETURNED = "AuthorizationReturned";
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
    /// A share of a hundred.
    Percent,
}

/// Writes metrics. Clones write to the same place.
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
    /// Writes to standard output.
    pub fn stdout(namespace: &str, service: &str) -> Self {
        Self::new(namespace, service, Sink::Stdout)
    }

    /// Drops all metrics: for the local service.
    pub fn nowhere() -> Self {
        Self::new("", "", Sink::Nowhere)
    }

    /// Keeps metrics in memory: for tests.
    pub fn memory() -> Self {
        Self::new("WechatPreauth", "local", Sink::Memory(Mutex::default()))
    }

    fn new(namespace: &str, service: &str, sink: Sink) -> Self {
        let level = log::level_of_metrics(log::variable("AWS_LAMBDA_LOG_LEVEL").as_deref());
        Self(Arc::new(Inner { namespace: namespace.to_owned(), service: service.to_owned(), level, sink }))
    }

    /// Counts one of `name`.
    pub fn count(&self, name: &str) {
        self.put(&[name], Unit::Count, 1.0, &[]);
    }

    /// Counts one of `name` at the time that was so long ago.
    pub fn count_ago(&self, name: &str, ago: Duration) {
        self.write(SystemTime::now() - ago, &[name], Unit::Count, 1.0, &[]);
    }

    /// A call to WeChat took this long.
    pub fn call(&self, api: &str, took: Duration) {
        let name = format!("{WECHAT_LATENCY}.{api}");
        self.put(&[&name], Unit::Milliseconds, took.as_secs_f64() * 1000.0, &[]);
    }

    /// Writes one line, in which each of these metrics has this value. The properties can be searched in the logs and
    /// are no metrics; one that is `null` is left out.
    pub fn put(&self, names: &[&str], unit: Unit, value: f64, properties: &[(&str, Value)]) {
        self.write(SystemTime::now(), names, unit, value, properties);
    }

    fn write(&self, at: SystemTime, names: &[&str], unit: Unit, value: f64, properties: &[(&str, Value)]) {
        let at = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let metrics: Vec<Value> = names.iter().map(|name| json!({ "Name": name, "Unit": unit })).collect();
        let mut line = json!({
            "_aws": {
                "Timestamp": at.as_millis() as u64,
                "CloudWatchMetrics": [{
                    "Namespace": self.0.namespace,
                    "Dimensions": [["service"]],
                    "Metrics": metrics,
                }],
            },
            // Without these two, Lambda's log filter takes the line for INFO, and drops it at WARN.
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
            // One write for the whole line, so that lines do not mix. A lost line is no failure.
            Sink::Stdout => drop(std::io::stdout().lock().write_all(format!("{line}\n").as_bytes())),
            Sink::Memory(lines) => lines.lock().unwrap_or_else(PoisonError::into_inner).push(line),
            Sink::Nowhere => {}
        }
    }

    /// The sum of `name` so far. Only for metrics in memory.
    pub fn sum(&self, name: &str) -> f64 {
        self.lines().iter().filter_map(|line| line[name].as_f64()).sum()
    }

    /// All lines so far. Only for metrics in memory.
    pub fn lines(&self) -> Vec<Value> {
        match &self.0.sink {
            Sink::Stdout | Sink::Nowhere => Vec::new(),
            Sink::Memory(lines) => lines.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}
