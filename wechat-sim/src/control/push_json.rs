//! Pushes as JSON: `{"event":"component_verify_ticket","flaw":"wrong_signature"}`.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Outcome, read};
use crate::push::{Event, Field, Flaw, INFO_TYPES, Push, Value as Content, XmlStyle, build, deliver};
use crate::shared::Shared;

/// What `GET /_sim/help` shows.
pub(super) const EXAMPLES: &[&str] = &[
    r#"{}  (the current ticket)"#,
    r#"{"new_ticket":true}"#,
    r#"{"event":"unauthorized","fields":{"AuthorizerAppid":"wx0123456789abcdef"}}"#,
    r#"{"event":"notify_third_fasteregister"}"#,
    r#"{"event":"message"}"#,
    r#"{"flaw":"wrong_signature","url":"http://127.0.0.1:9000/wechat/callback"}"#,
    r#"{"only_build":true}"#,
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    event: Option<String>,
    fields: Option<Map<String, Value>>,
    value: Option<String>,
    #[serde(default)]
    new_ticket: bool,
    flaw: Option<Flaw>,
    style: Option<String>,
    create_time: Option<u64>,
    timestamp: Option<u64>,
    url: Option<String>,
    #[serde(default)]
    only_build: bool,
}

pub(super) async fn push(shared: &Arc<Shared>, body: &str) -> Outcome {
    let body: Body = read(if body.trim().is_empty() { "{}" } else { body })?;
    if body.new_ticket {
        let now = shared.clock.now();
        shared.world().issued.issue_ticket(now);
    }
    let url = body.url.clone().or_else(|| shared.world().callback_url.clone());
    let only_build = body.only_build;
    let push = wanted(body).map_err(|error| (400, error))?;
    if only_build {
        let ticket = shared.world().issued.current_ticket().to_owned();
        let built = build(&push, &shared.config, shared.clock.now(), &ticket)
            .map_err(|error| (400, error.to_string()))?;
        return Ok(json!({ "query": built.query_string(), "body": built.body, "message": built.message }));
    }
    let url =
        url.ok_or((400, "no callback URL: give \"url\", or POST /_sim/callback_url first".to_owned()))?;
    Ok(json!(deliver(shared, &url, &push).await))
}

fn wanted(body: Body) -> Result<Push, String> {
    let name = body.event.as_deref().unwrap_or("component_verify_ticket");
    let event = match (name, body.fields) {
        ("ticket" | "component_verify_ticket", None) => Event::Ticket { value: body.value },
        ("message", None) => Event::Message,
        (name, Some(fields)) => Event::info(name, fields_of(&fields)),
        (name, None) if INFO_TYPES.contains(&name) => Event::sample(name),
        (name, None) => {
            return Err(format!("no sample of {name:?}; give its \"fields\", or one of {INFO_TYPES:?}"));
        }
    };
    let style = match body.style.as_deref() {
        None | Some("cdata") => XmlStyle::Cdata,
        Some("plain") => XmlStyle::Plain,
        Some("declared") => XmlStyle::Declared,
        Some(other) => return Err(format!("style is cdata, plain or declared, not {other:?}")),
    };
    let mut push = Push::new(event).style(style);
    push.flaw = body.flaw;
    push.create_time = body.create_time;
    push.timestamp = body.timestamp;
    Ok(push)
}

fn fields_of(object: &Map<String, Value>) -> Vec<Field> {
    object
        .iter()
        .map(|(name, value)| Field {
            name: name.clone(),
            value: match value {
                Value::Object(inner) => Content::Nested(fields_of(inner)),
                Value::Number(number) if number.is_i64() => Content::Number(number.as_i64().unwrap_or(0)),
                Value::String(text) => Content::Text(text.clone()),
                other => Content::Text(other.to_string()),
            },
        })
        .collect()
}
