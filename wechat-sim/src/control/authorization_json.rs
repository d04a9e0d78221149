//! The authorization pages and the authorizers as JSON.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::body::{Outcome, read};
use crate::consent;
use crate::state::SimContext;

/// The examples in `GET /_sim/help`.
pub(super) const EXAMPLES: &[&str] = &[
    r#"{"administrator":false}"#,
    r#"{"test_list":["gh_51a000000001"]}  (null: published)"#,
    r#"{"permission_sets":[1,2,17,18]}"#,
    r#"{"event_order":"before | after | twice","event_delay_ms":1000}"#,
    r#"{"scan_uses_code":false,"one_auth_code":true,"auth_code_expires_in":3600}"#,
    r#"{"mobile_checks_referer":true,"mobile_requires_wechat":false,"mobile_escapes_ampersand":false}"#,
];

/// The rules of the pages, and the accounts that have authorized.
pub(super) fn shown(context: &SimContext) -> Value {
    let state = context.state();
    let authorizers: Vec<_> = state.authorizers.all().collect();
    json!({
        "domain": state.authorization_domain,
        "rules": state.authorization,
        "authorizers": authorizers,
    })
}

/// Changes the rules that the body names.
pub(super) fn change(context: &SimContext, body: &str) -> Outcome {
    let changes: Map<String, Value> = read(body)?;
    let mut state = context.state();
    let mut rules = json!(state.authorization);
    if let Some(rules) = rules.as_object_mut() {
        rules.extend(changes);
    }
    state.authorization = serde_json::from_value(rules).map_err(|error| (400, error.to_string()))?;
    Ok(json!({ "rules": state.authorization }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DomainBody {
    host: Option<String>,
}

pub(super) fn domain(context: &SimContext, body: &str) -> Outcome {
    let wanted: DomainBody = read(body)?;
    context.state().authorization_domain.clone_from(&wanted.host);
    Ok(json!({ "domain": wanted.host }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthorizeBody {
    pre_auth_code: String,
    authorizer_appid: String,
    permission_sets: Option<Vec<u32>>,
}

/// Authorizes without the pages.
pub(super) fn authorize(context: &Arc<SimContext>, body: &str) -> Outcome {
    let AuthorizeBody { pre_auth_code, authorizer_appid, permission_sets } = read(body)?;
    match consent::authorize(context, &pre_auth_code, &authorizer_appid, permission_sets) {
        Ok(issued) => Ok(json!(issued)),
        Err(state) => Err((400, format!("the code is {}", json!(state)))),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnauthorizeBody {
    authorizer_appid: String,
}

/// Withdraws an authorization, and answers the outcome of the push.
pub(super) async fn unauthorize(context: &SimContext, body: &str) -> Outcome {
    let UnauthorizeBody { authorizer_appid } = read(body)?;
    match consent::withdraw(context, &authorizer_appid).await {
        Some(outcome) => Ok(json!({ "unauthorized": authorizer_appid, "push": outcome })),
        None => Err((400, format!("{authorizer_appid} has not authorized the platform"))),
    }
}
