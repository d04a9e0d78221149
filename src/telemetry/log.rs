//! The log: one JSON line an event, as Lambda's advanced logging controls expect it.
//!
//! `AWS_LAMBDA_LOG_LEVEL` and `AWS_LAMBDA_LOG_FORMAT` are honoured for this crate. The libraries
//! beneath stay at warnings whatever the level: at TRACE the Lambda runtime prints whole events, and
//! an event may hold a code or a push.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// This crate's own events and those of its binaries.
const OWN_TARGETS: [&str; 4] = ["wechat_preauth", "preauthcode", "callback", "keeper"];

/// Starts logging to standard output. A second call changes nothing.
pub fn start() {
    let level = level(std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().as_deref());
    let text = std::env::var("AWS_LAMBDA_LOG_FORMAT").is_ok_and(|format| format.eq_ignore_ascii_case("text"));
    let registry = tracing_subscriber::registry().with(targets(level));
    let started = if text {
        registry.with(tracing_subscriber::fmt::layer().with_ansi(false)).try_init()
    } else {
        registry
            .with(tracing_subscriber::fmt::layer().json().flatten_event(true).with_span_list(false))
            .try_init()
    };
    drop(started);
    // A panic is a bug; its message could hold a value, so only the place is logged.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panicked");
    }));
}

fn targets(level: LevelFilter) -> Targets {
    let libraries = level.min(LevelFilter::WARN);
    // The runtime repeats every failure it is handed, which is logged here already.
    let targets = Targets::new().with_default(libraries).with_target("lambda_runtime", LevelFilter::OFF);
    OWN_TARGETS.iter().fold(targets, |targets, own| targets.with_target(*own, level))
}

fn level(name: Option<&str>) -> LevelFilter {
    match name.map(str::to_ascii_uppercase).as_deref() {
        Some("TRACE") => LevelFilter::TRACE,
        Some("DEBUG") => LevelFilter::DEBUG,
        Some("WARN") => LevelFilter::WARN,
        Some("ERROR" | "FATAL") => LevelFilter::ERROR,
        _ => LevelFilter::INFO,
    }
}

/// Now, as log lines print it.
#[must_use]
pub fn rfc3339_now() -> String {
    time::OffsetDateTime::now_utc()
        .format(&time::format_description::well_known::Rfc3339)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn no_level_lets_a_library_print_more_than_warnings() {
        for name in ["TRACE", "debug", "INFO", "nonsense"] {
            let targets = targets(level(Some(name)));
            assert!(targets.would_enable("wechat_preauth::platform", &Level::INFO));
            for library in ["lambda_runtime", "lambda_http", "hyper", "reqwest", "aws_smithy_runtime"] {
                assert!(!targets.would_enable(library, &Level::INFO), "{name} {library}");
            }
        }
    }
}
