//! Every line that is written: logs and metrics have their schema, and hold no secret.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;
use wechat_preauth::telemetry::{log, metric};
use wechat_sim::Endpoint;

use crate::harness::{KeeperHarness, world};
use crate::scenario::Scenario;
use crate::support::service::TestService;

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

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// All secrets: those of the configuration, and those in WeChat's answers.
fn secrets(world: &TestService) -> Vec<String> {
    let config = world.wechat.config();
    let mut secrets =
        vec![config.component_appsecret.clone(), config.push_token.clone(), config.encoding_aes_key.clone()];
    for request in world.wechat.requests() {
        secrets.extend(request.query_value("access_token"));
        for text in [&request.body, &request.answer] {
            let Ok(Value::Object(object)) = serde_json::from_str::<Value>(text) else { continue };
            for name in ["component_access_token", "pre_auth_code", "component_verify_ticket"] {
                secrets.extend(object.get(name).and_then(Value::as_str).map(str::to_owned));
            }
        }
    }
    secrets.push(world.wechat.current_ticket());
    let planted = ["token", "value", "event", "field", "body", "text", "auth-code", "pre-auth-code"];
    secrets.extend(planted.map(|what| format!("planted-{what}")));
    secrets.sort();
    secrets.dedup();
    secrets
}

/// A log line: flat, with timestamp, level, target and message.
fn check_log_line(line: &str) -> Map<String, Value> {
    let line: Map<String, Value> = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
    let text = |name: &str| line[name].as_str().unwrap_or_else(|| panic!("no {name}: {line:?}"));
    time::OffsetDateTime::parse(text("timestamp"), &Rfc3339).unwrap();
    assert!(["TRACE", "DEBUG", "INFO", "WARN", "ERROR"].contains(&text("level")), "{line:?}");
    assert!(text("target").starts_with("wechat_preauth"), "{line:?}");
    assert!(!text("message").is_empty());
    assert!(line.values().all(|value| !value.is_object() && !value.is_array()), "not flat: {line:?}");
    line
}

/// The lines with which the two functions on HTTP routes end a request: message, level, fields that are
/// always there, fields that may be.
type Ending = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

const ENDINGS: [Ending; 5] = [
    (
        "issued a pre-auth code",
        "INFO",
        &["component_appid", "code_fingerprint", "expires_in_s"],
        &["reference"],
    ),
    (
        "no pre-auth code was issued",
        "WARN",
        &["code"],
        &["detail", "errcode", "rid", "client_ip", "retry_after_s", "remedy"],
    ),
    ("a ticket arrived", "INFO", &["create_time", "newest"], &[]),
    ("an event was forwarded", "INFO", &["info_type"], &["authorizer_appid", "code_fingerprint"]),
    ("the push was not accepted", "WARN", &["code"], &["detail", "remedy", "retry_after_s"]),
];

/// Asserts that each ending is written at its level or a finer one, with these fields and no others.
fn check_endings(level: &str, lines: &[Map<String, Value>]) {
    let common =
        ["timestamp", "level", "target", "message", "request_id", "direct", "cold_start", "duration_ms"];
    for (message, own_level, always, sometimes) in ENDINGS {
        let wanted = match level {
            "ERROR" | "FATAL" => false,
            "WARN" => own_level == "WARN",
            _ => true,
        };
        let mut found = lines.iter().filter(|line| line["message"] == message).peekable();
        assert_eq!(found.peek().is_some(), wanted, "{level}: {message}");
        let mut seen = Vec::new();
        for line in found {
            assert_eq!(line["level"], own_level, "{line:?}");
            assert!(line["duration_ms"].is_f64() && line["cold_start"].is_boolean(), "{line:?}");
            let missing = common.iter().chain(always).find(|name| !line.contains_key(**name));
            assert_eq!(missing, None, "{line:?}");
            let known = |name: &str| common.iter().chain(always).chain(sometimes).any(|known| *known == name);
            let unknown = line.keys().find(|name| !known(name));
            assert_eq!(unknown, None, "{line:?}");
            seen.extend(line.keys().cloned());
        }
        let never = sometimes.iter().find(|name| wanted && !seen.iter().any(|seen| seen == *name));
        assert_eq!(never, None, "{level}: {message} never had it");
    }
}

/// A metric line: EMF with one dimension, and the level and time that Lambda asks for. The names of its metrics.
fn check_metric_line(line: &Value) -> Vec<String> {
    let aws = line["_aws"].as_object().unwrap();
    assert!(aws["Timestamp"].as_u64().unwrap() > 1_600_000_000_000);
    let directives = aws["CloudWatchMetrics"].as_array().unwrap();
    assert_eq!((aws.len(), directives.len()), (2, 1));
    let directive = &directives[0];
    assert_eq!(directive["Dimensions"], json!([["service"]]));
    assert!(directive["Namespace"].as_str().is_some() && line["service"].as_str().is_some());
    let metrics = directive["Metrics"].as_array().unwrap();
    let names: Vec<&str> = metrics.iter().map(|metric| metric["Name"].as_str().unwrap()).collect();
    // Only what fails is counted under several names.
    assert!(names.len() == 1 || names.iter().any(|name| name.starts_with("Failure.")), "{line}");
    for metric in metrics {
        check_metric(metric, line);
    }
    assert_eq!(line["level"], "INFO");
    time::OffsetDateTime::parse(line["timestamp"].as_str().unwrap(), &Rfc3339).unwrap();
    let known = ["_aws", "service", "level", "timestamp", "errcode", "rid", "client_ip", "component_appid"];
    let known = |key: &str| known.contains(&key) || names.contains(&key);
    let extra: Vec<_> = line.as_object().unwrap().keys().filter(|key| !known(key)).collect();
    assert!(extra.is_empty(), "{extra:?} in {line}");
    names.into_iter().map(str::to_owned).collect()
}

fn check_metric(metric: &Value, line: &Value) {
    let name = metric["Name"].as_str().unwrap();
    assert!(line[name].is_f64(), "{line}");
    let unit = match name.split('.').next().unwrap() {
        metric::TICKET_AGE | metric::TOKEN_SECONDS_LEFT => "Seconds",
        metric::WECHAT_LATENCY => "Milliseconds",
        metric::QUOTA_USED => "Percent",
        known if metric::ALL.contains(&known) => "Count",
        other => panic!("an unknown metric: {other}"),
    };
    assert_eq!(metric["Unit"], unit, "{name}");
}

#[tokio::test]
async fn every_line_fits_its_schema_and_none_holds_a_secret_at_any_level() {
    let mut names = Vec::new();
    for level in ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] {
        for format in ["JSON", "Text"] {
            let world = world().await;
            let keeper = KeeperHarness::new(&world);
            let written = Written::default();
            let sink = {
                let written = written.clone();
                move || written.clone()
            };
            // For this thread only, which runs the whole test.
            let logging = tracing::subscriber::set_default(log::subscriber(Some(level), Some(format), sink));
            let (answers, ids) = Scenario::new(&world, &keeper).run().await;
            drop(logging);
            let text = written.text();
            if format == "JSON" {
                let lines: Vec<_> = text.lines().map(check_log_line).collect();
                let of_requests = lines.iter().filter(|line| line.contains_key("request_id")).count();
                assert!(
                    lines.iter().any(|line| line["level"] == "WARN") || level == "ERROR" || level == "FATAL"
                );
                check_endings(level, &lines);
                assert!(of_requests * 10 >= lines.len() * 8, "{of_requests} of {}", lines.len());
            }
            let metrics = keeper.metrics.lines();
            names.extend(metrics.iter().flat_map(check_metric_line));
            let printed: String = metrics.iter().map(ToString::to_string).collect();
            // No value of an event is logged, not even of an invalid one.
            let leak = text.lines().find(|line| line.contains("planted"));
            assert_eq!(leak, None, "{level} {format}");
            for id in ids {
                assert!(!text.contains(&id) && !printed.contains(&id), "{level} {format}: a link's id");
            }
            for secret in secrets(&world) {
                for (what, output) in [("log", &text), ("metrics", &printed), ("answers", &answers)] {
                    assert!(!output.contains(&secret), "{level} {format}: {secret} in the {what}");
                }
            }
            assert!(world.wechat.calls(Endpoint::GetRid) > 0);
        }
    }
    names.sort();
    names.dedup();
    for stem in metric::ALL {
        let written = names.iter().any(|name| name.split('.').next() == Some(stem));
        assert!(written, "{stem} was never written: {names:?}");
    }
    assert!(names.iter().any(|name| name == "Failure.Request.Invalid"), "{names:?}");
}

#[test]
fn every_metric_is_documented_and_what_alarms_watch_exists() {
    let operations = include_str!("../../docs/OPERATIONS.md");
    for name in metric::ALL {
        assert!(operations.lines().any(|line| line.starts_with(&format!("| `{name}"))), "{name}");
    }
    let template = include_str!("../../template.yaml");
    let watched = template.split("MetricName: ").skip(1);
    let watched: Vec<_> = watched.map(|rest| rest.split([',', '\n']).next().unwrap()).collect();
    assert!(watched.len() > 10, "{watched:?}");
    let lambdas = ["Errors", "Throttles", "Duration", "Invocations"];
    for name in watched.into_iter().filter(|name| !lambdas.contains(name)) {
        let stem = name.split('.').next().unwrap();
        assert!(metric::ALL.contains(&stem), "an alarm watches {name}, which nothing writes");
    }
}
