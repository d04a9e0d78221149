//! The control API under `/_sim/`: what [`Sim`](crate::Sim) does, over HTTP. Every body is read as JSON, whatever
//! its Content-Type is.

mod authorization_json;
mod body;
mod fault_json;
mod push_json;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use body::{Outcome, read};

use crate::push::check_callback_url;
use crate::reply::Reply;
use crate::state::SimContext;
use crate::{ERRCODES, ErrmsgStyle, SimRequest};

/// Requests shown unless `?last=` gives another number.
const SHOWN_REQUESTS: usize = 50;

/// Answers a request to the control API.
pub(crate) async fn answer(context: &Arc<SimContext>, request: &SimRequest) -> Reply {
    let path = request.path.trim_start_matches("/_sim").trim_matches('/');
    let outcome = match (request.method.as_str(), path) {
        ("GET", "" | "help") => Ok(help()),
        ("GET", "state") => Ok(state(context)),
        ("GET", "faults") => Ok(json!({ "faults": context.state().faults.waiting() })),
        ("POST", "faults") => inject(context, &request.body),
        ("DELETE", "faults") => {
            context.state().faults.clear();
            Ok(json!({ "faults": [] }))
        }
        ("GET", "errcodes") => Ok(errcodes()),
        ("GET", "requests") => Ok(requests(context, request)),
        ("DELETE", "requests") => {
            context.state().log.reset();
            Ok(json!({ "requests": [] }))
        }
        ("GET", "pushes") => Ok(json!({ "pushes": context.state().pushes.all() })),
        ("POST", "clock") => clock(context, &request.body),
        ("POST", "whitelist") => whitelist(context, &request.body),
        ("POST", "client_ip") => client_ip(context, &request.body),
        ("POST", "callback_url") => callback_url(context, &request.body),
        ("POST", "errmsg_style") => errmsg_style(context, &request.body),
        ("GET", "authorization") => Ok(authorization_json::shown(context)),
        ("POST", "authorization") => authorization_json::change(context, &request.body),
        ("POST", "authorization_domain") => authorization_json::domain(context, &request.body),
        ("POST", "authorize") => authorization_json::authorize(context, &request.body),
        ("POST", "unauthorize") => authorization_json::unauthorize(context, &request.body).await,
        ("POST", "ticket") => Ok(json!({ "component_verify_ticket": context.issue_ticket() })),
        ("POST", "push") => push_json::push(context, &request.body).await,
        ("POST", "pushing") => pushing(context, &request.body),
        ("POST", "foreign_mint") => {
            let old_tokens_end = context.clock.now() + context.config.token_overlap.as_secs();
            context.mint(true);
            Ok(json!({ "old_tokens_end_at": old_tokens_end }))
        }
        ("POST", "revoke") => {
            context.state().issued.revoke_tokens();
            Ok(json!({ "revoked": true }))
        }
        (method, path) => Err((404, format!("no {method} /_sim/{path}; GET /_sim/help lists the requests"))),
    };
    let (status, value) = match outcome {
        Ok(value) => (200, value),
        Err((status, error)) => (status, json!({ "error": error })),
    };
    // The newline keeps a terminal's prompt apart from the answer.
    Reply::new(status, "application/json", format!("{value:#}\n"))
}

fn help() -> Value {
    json!({
        "GET /_sim/state": "clock, tokens, codes, counters, whitelist, pushes",
        "GET /_sim/requests?last=50": "the requests and their answers; DELETE removes them",
        "GET /_sim/errcodes": "every errcode with its name and real text",
        "GET /_sim/pushes": "the pushes and their outcomes",
        "GET /_sim/faults": "the faults that wait; DELETE removes them",
        "POST /_sim/faults": fault_json::EXAMPLES,
        "POST /_sim/clock": [{"advance_seconds": 600}, {"set": 1_800_000_000}],
        "POST /_sim/whitelist": {"addresses": ["203.0.113.7"]},
        "POST /_sim/client_ip": {"address": "203.0.113.9"},
        "POST /_sim/callback_url": {"url": "http://127.0.0.1:9000/wechat/callback"},
        "POST /_sim/errmsg_style": {"errmsg_style": "rid | comma_rid | hint | hint_without_ip | hint_and_rid | req_id"},
        "GET /_sim/authorization": "the rules of the authorization pages, and the accounts that have authorized",
        "POST /_sim/authorization": authorization_json::EXAMPLES,
        "POST /_sim/authorization_domain": {"host": "www.example.com"},
        "POST /_sim/authorize": {"pre_auth_code": "preauthcode@@@…", "authorizer_appid": "wx51a0000000000001"},
        "POST /_sim/unauthorize": {"authorizer_appid": "wx51a0000000000001"},
        "POST /_sim/ticket": "issues a new ticket without pushing it",
        "POST /_sim/push": push_json::EXAMPLES,
        "POST /_sim/pushing": {"running": false},
        "POST /_sim/foreign_mint": "another system mints a token; the old one ends after the overlap",
        "POST /_sim/revoke": "makes every token invalid at once",
    })
}

fn state(context: &SimContext) -> Value {
    let now = context.clock.now();
    let state = context.state();
    let token = state.issued.current_token();
    json!({
        "component_appid": context.config.component_appid,
        "now": now,
        "clock_offset_seconds": context.clock.offset(),
        "current_ticket": state.issued.current_ticket(),
        "current_token": token,
        "current_token_works": token.is_some_and(|token| state.issued.check_token(token, now).is_ok()),
        "tokens_minted": state.issued.tokens_minted,
        "codes_issued": state.issued.codes_issued,
        "calls": state.log.counts(),
        "whitelist": state.whitelist,
        "client_ip": state.client_ip,
        "callback_url": state.callback_url,
        "pushing": state.pushing,
        "errmsg_style": state.errmsg_style,
        "faults": state.faults.waiting(),
        "last_push": state.pushes.last(),
    })
}

fn errcodes() -> Value {
    ERRCODES
        .iter()
        .map(|known| json!({"errcode": known.code, "name": known.name, "errmsg": known.errmsg}))
        .collect()
}

fn requests(context: &SimContext, request: &SimRequest) -> Value {
    let last = request.query_value("last").and_then(|last| last.parse().ok()).unwrap_or(SHOWN_REQUESTS);
    let requests = context.state().log.requests();
    let shown = &requests[requests.len().saturating_sub(last)..];
    json!({ "total": requests.len(), "requests": shown })
}

fn inject(context: &SimContext, body: &str) -> Outcome {
    let fault = fault_json::parse(body).map_err(|error| (400, error))?;
    let mut state = context.state();
    state.faults.inject(fault);
    Ok(json!({ "faults": state.faults.waiting() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockBody {
    advance_seconds: Option<u64>,
    set: Option<u64>,
}

fn clock(context: &SimContext, body: &str) -> Outcome {
    let wanted: ClockBody = read(body)?;
    if let Some(set) = wanted.set {
        context.clock.set(set);
    }
    if let Some(seconds) = wanted.advance_seconds {
        context.clock.advance(Duration::from_secs(seconds));
    }
    Ok(json!({ "now": context.clock.now(), "clock_offset_seconds": context.clock.offset() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WhitelistBody {
    addresses: Vec<IpAddr>,
}

fn whitelist(context: &SimContext, body: &str) -> Outcome {
    let wanted: WhitelistBody = read(body)?;
    context.state().whitelist.clone_from(&wanted.addresses);
    Ok(json!({ "whitelist": wanted.addresses }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddressBody {
    address: Option<IpAddr>,
}

fn client_ip(context: &SimContext, body: &str) -> Outcome {
    let wanted: AddressBody = read(body)?;
    context.state().client_ip = wanted.address;
    Ok(json!({ "client_ip": wanted.address }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UrlBody {
    url: Option<String>,
}

fn callback_url(context: &SimContext, body: &str) -> Outcome {
    let wanted: UrlBody = read(body)?;
    if let Some(url) = &wanted.url {
        check_callback_url(url).map_err(|error| (400, error.to_string()))?;
    }
    context.state().callback_url.clone_from(&wanted.url);
    Ok(json!({ "callback_url": wanted.url }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrmsgStyleBody {
    errmsg_style: ErrmsgStyle,
}

fn errmsg_style(context: &SimContext, body: &str) -> Outcome {
    let wanted: ErrmsgStyleBody = read(body)?;
    context.state().errmsg_style = wanted.errmsg_style;
    Ok(json!({ "errmsg_style": wanted.errmsg_style }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PushingBody {
    running: bool,
}

fn pushing(context: &SimContext, body: &str) -> Outcome {
    let wanted: PushingBody = read(body)?;
    context.set_pushing(wanted.running);
    Ok(json!({ "pushing": wanted.running }))
}
