//! Every line that is written: the schema of logs and metrics, and no secret in any of them.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;
use wechat_preauth::telemetry::{log, metric};
use wechat_sim::{Api, Fault};

use crate::stage::{Actor, world};
use crate::support::service::World;

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

/// Everything the keeper and its callers do, well and badly. Returns every answer as text.
async fn a_busy_day(world: &World, keeper: &Actor) -> String {
    let mut answers = String::new();
    let events = [
        json!({ "action": "refresh" }),
        json!({ "action": "diagnose" }),
        json!({ "action": "get_quota" }),
        json!({ "action": "start_push_ticket" }),
        json!({ "action": "clear_quota", "confirm": true }),
        json!({ "action": "clear_quota" }),
        json!({ "action": "put_token", "component_access_token": "planted-token", "expires_at": 1 }),
        json!({ "action": "planted-action", "planted-field": "planted-value" }),
        json!("planted-event"),
    ];
    for fault in [None, Some(61004), Some(61006), Some(40001), Some(40125), Some(-1), Some(45009)] {
        if let Some(errcode) = fault {
            world.wechat.inject(Fault::errcode(errcode).forever());
        }
        for event in &events {
            answers += &format!("{:?}\n", keeper.invoke(event.clone()).await);
        }
        answers += &format!("{:?}\n", world.instance().issue().await.map(|code| code.code_fingerprint));
        let rids = world.wechat.requests().into_iter().filter_map(|request| {
            let answer: Value = serde_json::from_str(&request.answer).ok()?;
            Some(answer["errmsg"].as_str()?.rsplit(' ').next()?.to_owned())
        });
        world.wechat.clear_faults();
        for rid in rids.collect::<Vec<_>>().into_iter().rev().take(3) {
            answers +=
                &format!("{:?}\n", keeper.invoke(json!({ "action": "explain_rid", "rid": rid })).await);
        }
        world.advance(7300);
        world.ticket_arrives().await;
    }
    answers
}

/// Every secret there is: those of the configuration, and all that WeChat ever handed out.
fn secrets(world: &World) -> Vec<String> {
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
    secrets.extend(["planted-token", "planted-value", "planted-event"].map(str::to_owned));
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

/// A metric line: EMF with one metric, one dimension, and the level and time that Lambda asks for.
fn check_metric_line(line: &Value) -> String {
    let aws = line["_aws"].as_object().unwrap();
    assert!(aws["Timestamp"].as_u64().unwrap() > 1_600_000_000_000);
    let directives = aws["CloudWatchMetrics"].as_array().unwrap();
    assert_eq!((aws.len(), directives.len()), (2, 1));
    let directive = &directives[0];
    assert_eq!(directive["Dimensions"], json!([["service"]]));
    assert!(directive["Namespace"].as_str().is_some() && line["service"].as_str().is_some());
    let metrics = directive["Metrics"].as_array().unwrap();
    assert_eq!(metrics.len(), 1);
    let name = metrics[0]["Name"].as_str().unwrap();
    assert!(line[name].is_f64(), "{line}");
    let unit = match name.split('.').next().unwrap() {
        metric::TICKET_AGE | metric::TOKEN_SECONDS_LEFT => "Seconds",
        metric::WECHAT_LATENCY => "Milliseconds",
        metric::QUOTA_USED => "Percent",
        metric::FAILURE | metric::TOKEN_MINTED | metric::LEASE_LOST | metric::EGRESS_IP_REFUSED => "Count",
        metric::FOREIGN_MINT | metric::COLD_START | metric::START_PUSH | metric::CODE_ISSUED => "Count",
        other => panic!("an unknown metric: {other}"),
    };
    assert_eq!(metrics[0]["Unit"], unit, "{name}");
    assert_eq!(line["level"], "INFO");
    time::OffsetDateTime::parse(line["timestamp"].as_str().unwrap(), &Rfc3339).unwrap();
    let known =
        ["_aws", "service", "level", "timestamp", name, "errcode", "rid", "client_ip", "component_appid"];
    let extra: Vec<_> =
        line.as_object().unwrap().keys().filter(|key| !known.contains(&key.as_str())).collect();
    assert!(extra.is_empty(), "{extra:?} in {line}");
    name.to_owned()
}

#[tokio::test]
async fn every_line_fits_its_schema_and_none_holds_a_secret_at_any_level() {
    let mut names = Vec::new();
    for level in ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] {
        for format in ["JSON", "Text"] {
            let world = world().await;
            let keeper = Actor::new(&world);
            let written = Written::default();
            let sink = {
                let written = written.clone();
                move || written.clone()
            };
            // For this thread only: everything of a test runs on it.
            let logging = tracing::subscriber::set_default(log::subscriber(Some(level), Some(format), sink));
            let answers = a_busy_day(&world, &keeper).await;
            drop(logging);
            let text = written.text();
            if format == "JSON" {
                let lines: Vec<_> = text.lines().map(check_log_line).collect();
                let of_requests = lines.iter().filter(|line| line.contains_key("request_id")).count();
                assert!(
                    lines.iter().any(|line| line["level"] == "WARN") || level == "ERROR" || level == "FATAL"
                );
                assert!(of_requests * 10 >= lines.len() * 8, "{of_requests} of {}", lines.len());
            }
            let metrics = keeper.metrics.lines();
            names.extend(metrics.iter().map(check_metric_line));
            let printed: String = metrics.iter().map(ToString::to_string).collect();
            // What an event holds is no business of the log's, wrong as it may be.
            let leak = text.lines().find(|line| line.contains("planted"));
            assert_eq!(leak, None, "{level} {format}");
            for secret in secrets(&world) {
                for (what, output) in [("log", &text), ("metrics", &printed), ("answers", &answers)] {
                    assert!(!output.contains(&secret), "{level} {format}: {secret} in the {what}");
                }
            }
            assert!(world.wechat.calls(Api::GetRid) > 0);
        }
    }
    names.sort();
    names.dedup();
    for name in
        ["ColdStart", "TokenMinted", "StartPush", "EgressIpRefused", "Failure.Request.Invalid", "TicketAge"]
    {
        assert!(names.iter().any(|known| known == name), "{name} was never written: {names:?}");
    }
}

#[test]
fn every_metric_is_documented_and_what_alarms_watch_exists() {
    let operations = include_str!("../../docs/OPERATIONS.md");
    for name in metric::ALL {
        assert!(operations.lines().any(|line| line.starts_with(&format!("| `{name}"))), "{name}");
    }
    let template = include_str!("../../template.yaml");
    let own = template.lines().filter_map(|line| line.trim().strip_prefix("MetricName: "));
    let lambdas = ["Errors", "Throttles", "Duration", "ErrorPortAllocation"];
    for name in own.filter(|name| !lambdas.contains(name)) {
        let stem = name.split('.').next().unwrap();
        assert!(metric::ALL.contains(&stem), "an alarm watches {name}, which nothing writes");
    }
}
