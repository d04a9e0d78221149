//! Pushes as JSON, such as `{"event":"component_verify_ticket","flaw":"wrong_signature"}`.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::body::{Outcome, read};
use crate::delivery::deliver;
use crate::push::{Event, Field, Flaw, INFO_TYPES, Push, Value as Content, XmlStyle, build};
use crate::state::SimContext;

/// The examples in `GET /_sim/help`.
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
    #[serde(default)]
    style: XmlStyle,
    create_time: Option<u64>,
    timestamp: Option<u64>,
    url: Option<String>,
    #[serde(default)]
    only_build: bool,
}

pub(super) async fn push(context: &SimContext, body: &str) -> Outcome {
    let body: Body = read(if body.trim().is_empty() { "{}" } else { body })?;
    if body.new_ticket {
        context.issue_ticket();
    }
    let url = body.url.clone().or_else(|| context.state().callback_url.clone());
    let only_build = body.only_build;
    let push = push_of(body).map_err(|error| (400, error))?;
    if only_build {
        let ticket = context.state().issued.current_ticket().to_owned();
        let built = build(&push, &context.config, context.clock.now(), &ticket)
            .map_err(|error| (400, error.to_string()))?;
        return Ok(json!({ "query": built.query_string(), "body": built.body, "message": built.message }));
    }
    let url =
        url.ok_or((400, "no callback URL: add \"url\", or POST /_sim/callback_url first".to_owned()))?;
    Ok(json!(deliver(context, &url, &push).await))
}

fn push_of(body: Body) -> Result<Push, String> {
    let name = body.event.as_deref().unwrap_or("component_verify_ticket");
    let event = match (name, body.fields) {
        ("ticket" | "component_verify_ticket", None) => Event::Ticket { value: body.value },
        ("message", None) => Event::Message,
        (name, Some(fields)) => Event::info(name, fields_of(&fields)),
        (name, None) if INFO_TYPES.contains(&name) => Event::sample(name),
        (name, None) => {
            return Err(format!("no sample of {name:?}; add \"fields\", or use one of {INFO_TYPES:?}"));
        }
    };
    let mut push = Push::new(event).style(body.style);
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
