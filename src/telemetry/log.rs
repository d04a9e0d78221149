//! The log. Lambda's advanced logging controls, `AWS_LAMBDA_LOG_LEVEL` and `AWS_LAMBDA_LOG_FORMAT`, choose which events
//! are written and in which format.
//!
//! The level applies to this crate. Libraries never log more than warnings: at TRACE the Lambda runtime prints whole
//! events, and an event may hold a token or a push.

use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use super::line::JsonLines;

/// This crate's own events and those of its binaries.
const OWN_TARGETS: [&str; 5] = ["wechat_preauth", "preauthcode", "callback", "keeper", "authorize"];

/// Starts logging to standard output. A second call changes nothing.
pub fn start() {
    let (level, format) = (variable("AWS_LAMBDA_LOG_LEVEL"), variable("AWS_LAMBDA_LOG_FORMAT"));
    drop(subscriber(level.as_deref(), format.as_deref(), std::io::stdout).try_init());
    // A panic's message could hold a secret, so only the place is logged.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panicked");
    }));
}

/// What [`start`] installs, for any writer. `level` and `format` are the values of Lambda's two variables. The format
/// is JSON unless it is `Text`.
pub fn subscriber<W>(level: Option<&str>, format: Option<&str>, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let layer = if format.is_some_and(|format| format.eq_ignore_ascii_case("text")) {
        tracing_subscriber::fmt::layer().with_ansi(false).with_writer(writer).boxed()
    } else {
        JsonLines(writer).boxed()
    };
    let level = filter(level);
    let events = targets(level);
    // This crate's spans have the request id, which the lines of every level need.
    let wanted = move |callsite: &Metadata<'_>| {
        (callsite.is_span() && is_own(callsite.target()))
            || events.would_enable(callsite.target(), callsite.level())
    };
    let highest = level.max(LevelFilter::INFO);
    tracing_subscriber::registry().with(layer).with(filter_fn(wanted).with_max_level_hint(highest))
}

fn is_own(target: &str) -> bool {
    OWN_TARGETS.iter().any(|own| target.split("::").next() == Some(own))
}

fn targets(level: LevelFilter) -> Targets {
    let libraries = level.min(LevelFilter::WARN);
    // The runtime repeats every failure that it is given. It is logged already.
    let targets = Targets::new().with_default(libraries).with_target("lambda_runtime", LevelFilter::OFF);
    OWN_TARGETS.iter().fold(targets, |targets, own| targets.with_target(*own, level))
}

fn filter(name: Option<&str>) -> LevelFilter {
    match name {
        Some(name) if name.eq_ignore_ascii_case("FATAL") => LevelFilter::ERROR,
        name => name.and_then(|name| name.parse().ok()).unwrap_or(LevelFilter::INFO),
    }
}

/// The level that a metric line has. Lambda drops lines below `AWS_LAMBDA_LOG_LEVEL`, and a line without a level
/// counts as INFO. A metric must never be dropped.
pub(super) fn level_of_metrics(level: Option<&str>) -> &'static str {
    let level = level.unwrap_or_default();
    let mut above_info = ["WARN", "ERROR", "FATAL"].into_iter();
    above_info.find(|name| level.eq_ignore_ascii_case(name)).unwrap_or("INFO")
}

pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};
    use tracing::Level;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written(level: &str, format: &str, log: impl FnOnce()) -> Vec<String> {
        let sink = Written::default();
        let make = {
            let sink = sink.clone();
            move || sink.clone()
        };
        tracing::subscriber::with_default(subscriber(Some(level), Some(format), make), log);
        let bytes = sink.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn no_level_lets_a_library_print_more_than_warnings() {
        for name in ["TRACE", "debug", "INFO", "nonsense"] {
            let targets = targets(filter(Some(name)));
            assert!(targets.would_enable("wechat_preauth::platform", &Level::INFO));
            for library in ["lambda_runtime", "lambda_http", "hyper", "reqwest", "aws_smithy_runtime"] {
                assert!(!targets.would_enable(library, &Level::INFO), "{name} {library}");
            }
            assert!(!targets.would_enable("lambda_runtime", &Level::ERROR), "{name}");
        }
    }

    #[test]
    fn a_line_is_flat_and_carries_the_request_id() {
        let lines = written("INFO", "JSON", || {
            let span = tracing::info_span!("request", request_id = "r-1", late = tracing::field::Empty);
            let _in = span.enter();
            span.record("late", 7);
            tracing::info!(duration_ms = 1.5, ok = true, missing = None::<&str>, level = "x", "did {}", "it");
            tracing::debug!("not at this level");
        });
        assert_eq!(lines.len(), 1);
        let mut line: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&lines[0]).unwrap();
        let timestamp = line.remove("timestamp").unwrap();
        let format = &time::format_description::well_known::Rfc3339;
        assert!(time::OffsetDateTime::parse(timestamp.as_str().unwrap(), format).is_ok());
        assert_eq!(
            serde_json::Value::from(line),
            serde_json::json!({
                "level": "INFO", "target": "wechat_preauth::telemetry::log::tests", "message": "did it",
                "request_id": "r-1", "late": 7, "duration_ms": 1.5, "ok": true,
            })
        );
    }

    #[test]
    fn a_request_id_is_on_the_lines_of_every_level() {
        for level in ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] {
            let lines = written(level, "JSON", || {
                let _in = tracing::info_span!("request", request_id = "r-1").entered();
                tracing::error!("failed");
            });
            assert!(lines.len() == 1 && lines[0].contains(r#""request_id":"r-1""#), "{level}: {lines:?}");
        }
    }

    #[test]
    fn text_is_for_people_and_levels_are_honoured_in_it() {
        let lines = written("ERROR", "Text", || {
            tracing::warn!("no");
            tracing::error!(code = "X", "yes");
        });
        assert_eq!(lines.len(), 1);
        assert!(lines[0].contains("ERROR") && lines[0].contains("yes") && !lines[0].starts_with('{'));
    }

    #[test]
    fn metric_lines_claim_a_level_that_survives_every_filter() {
        let order = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
        for (rank, level) in order.iter().enumerate() {
            let claimed = level_of_metrics(Some(level));
            assert!(order.iter().position(|name| *name == claimed).unwrap() >= rank.max(2));
        }
        assert_eq!(level_of_metrics(None), "INFO");
    }
}
