//! The control surface under `/_sim/`: what the library's handle does, for everyone with curl.
//! Bodies are JSON, whatever Content-Type they come with.

mod fault_json;
mod push_json;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::gateway::SimRequest;
use crate::reply::Reply;
use crate::shared::Shared;
use crate::{ERRCODES, Endpoint, ErrmsgStyle};

/// Requests shown unless `?last=` asks for more.
const SHOWN_REQUESTS: usize = 50;

/// What a call of the surface gives: JSON, or a status and what is wrong.
type Outcome = Result<Value, (u16, String)>;

pub(crate) async fn answer(shared: &Arc<Shared>, arrived: &SimRequest) -> Reply {
    let outcome = match (arrived.method.as_str(), arrived.path.trim_start_matches("/_sim").trim_matches('/'))
    {
        ("GET", "" | "help") => Ok(help()),
        ("GET", "state") => Ok(state(shared)),
        ("GET", "faults") => Ok(json!({ "faults": shared.world().faults.waiting() })),
        ("POST", "faults") => inject(shared, &arrived.body),
        ("DELETE", "faults") => {
            shared.world().faults.clear();
            Ok(json!({ "faults": [] }))
        }
        ("GET", "errcodes") => Ok(errcodes()),
        ("GET", "requests") => Ok(requests(shared, &arrived.query)),
        ("DELETE", "requests") => {
            shared.world().log.reset();
            Ok(json!({ "requests": [] }))
        }
        ("GET", "pushes") => Ok(json!({ "pushes": shared.world().pushes.all() })),
        ("POST", "clock") => clock(shared, &arrived.body),
        ("POST", "whitelist") => whitelist(shared, &arrived.body),
        ("POST", "answers_ip") => answers_ip(shared, &arrived.body),
        ("POST", "callback_url") => callback_url(shared, &arrived.body),
        ("POST", "era") => era(shared, &arrived.body),
        ("POST", "ticket") => {
            let now = shared.clock.now();
            Ok(json!({ "component_verify_ticket": shared.world().issued.issue_ticket(now) }))
        }
        ("POST", "push") => push_json::push(shared, &arrived.body).await,
        ("POST", "pushing") => pushing(shared, &arrived.body),
        ("POST", "stranger") => {
            let (config, now) = (&shared.config, shared.clock.now());
            let mut world = shared.world();
            world.issued.mint(now, config.token_lifetime, config.token_overlap);
            world.issued.tokens_minted -= 1;
            Ok(json!({ "old_tokens_die_at": now + config.token_overlap.as_secs() }))
        }
        ("POST", "revoke") => {
            shared.world().issued.revoke_tokens();
            Ok(json!({ "revoked": true }))
        }
        (method, path) => Err((404, format!("no {method} /_sim/{path}; GET /_sim/help lists what there is"))),
    };
    let (status, value) = match outcome {
        Ok(value) => (200, value),
        Err((status, error)) => (status, json!({ "error": error })),
    };
    // Without a space or a newline at the end a terminal's prompt sticks to the answer.
    Reply::new(status, "application/json", format!("{value:#}\n"))
}

/// Reads a body, or says what is wrong with it.
fn read<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, (u16, String)> {
    serde_json::from_str(body).map_err(|error| (400, error.to_string()))
}

fn help() -> Value {
    json!({
        "GET /_sim/state": "clock, tokens, codes, counters, whitelist, pushes",
        "GET /_sim/requests?last=50": "what was called and answered; DELETE forgets it",
        "GET /_sim/errcodes": "every errcode with its name and real text",
        "GET /_sim/pushes": "what was pushed, and what came of it",
        "GET /_sim/faults": "faults that wait; DELETE forgets them",
        "POST /_sim/faults": fault_json::EXAMPLES,
        "POST /_sim/clock": [{"advance_seconds": 600}, {"set": 1_800_000_000}],
        "POST /_sim/whitelist": {"addresses": ["203.0.113.7"]},
        "POST /_sim/answers_ip": {"address": "203.0.113.9"},
        "POST /_sim/callback_url": {"url": "http://127.0.0.1:9000/wechat/callback"},
        "POST /_sim/era": {"era": "rid | comma_rid | hint | hint_without_ip | hint_and_rid | req_id"},
        "POST /_sim/ticket": "makes a new ticket without pushing it",
        "POST /_sim/push": push_json::EXAMPLES,
        "POST /_sim/pushing": {"running": false},
        "POST /_sim/stranger": "someone else mints: ours dies after the overlap",
        "POST /_sim/revoke": "every token is refused at once",
    })
}

fn state(shared: &Shared) -> Value {
    let now = shared.clock.now();
    let world = shared.world();
    let token = world.issued.current_token();
    json!({
        "component_appid": shared.config.component_appid,
        "now": now,
        "clock_offset_seconds": shared.clock.offset(),
        "current_ticket": world.issued.current_ticket(),
        "current_token": token,
        "current_token_works": token.is_some_and(|token| world.issued.check_token(token, now).is_ok()),
        "tokens_minted": world.issued.tokens_minted,
        "codes_issued": world.issued.codes_issued,
        "calls": world.log.counts(),
        "whitelist": world.whitelist,
        "answers_ip": world.answers_ip,
        "callback_url": world.callback_url,
        "pushing": world.pushing,
        "era": world.era,
        "faults": world.faults.waiting(),
        "last_push": world.pushes.last(),
    })
}

fn errcodes() -> Value {
    ERRCODES
        .iter()
        .map(|known| json!({"errcode": known.code, "name": known.name, "errmsg": known.errmsg}))
        .collect()
}

fn requests(shared: &Shared, query: &str) -> Value {
    let last = url::form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == "last")
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(SHOWN_REQUESTS);
    let entries = shared.world().log.entries();
    let shown = &entries[entries.len().saturating_sub(last)..];
    json!({ "total": entries.len(), "requests": shown })
}

fn inject(shared: &Shared, body: &str) -> Outcome {
    let fault = fault_json::parse(body).map_err(|error| (400, error))?;
    let mut world = shared.world();
    world.faults.inject(fault);
    Ok(json!({ "faults": world.faults.waiting() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockBody {
    advance_seconds: Option<u64>,
    set: Option<u64>,
}

fn clock(shared: &Shared, body: &str) -> Outcome {
    let wanted: ClockBody = read(body)?;
    if let Some(set) = wanted.set {
        shared.clock.set(set);
    }
    if let Some(seconds) = wanted.advance_seconds {
        shared.clock.advance(Duration::from_secs(seconds));
    }
    Ok(json!({ "now": shared.clock.now(), "clock_offset_seconds": shared.clock.offset() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WhitelistBody {
    addresses: Vec<IpAddr>,
}

fn whitelist(shared: &Shared, body: &str) -> Outcome {
    let wanted: WhitelistBody = read(body)?;
    shared.world().whitelist.clone_from(&wanted.addresses);
    Ok(json!({ "whitelist": wanted.addresses }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddressBody {
    address: Option<IpAddr>,
}

fn answers_ip(shared: &Shared, body: &str) -> Outcome {
    let wanted: AddressBody = read(body)?;
    shared.world().answers_ip = wanted.address;
    Ok(json!({ "answers_ip": wanted.address }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UrlBody {
    url: Option<String>,
}

fn callback_url(shared: &Shared, body: &str) -> Outcome {
    let wanted: UrlBody = read(body)?;
    shared.world().callback_url.clone_from(&wanted.url);
    Ok(json!({ "callback_url": wanted.url }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EraBody {
    era: ErrmsgStyle,
}

fn era(shared: &Shared, body: &str) -> Outcome {
    let wanted: EraBody = read(body)?;
    shared.world().era = wanted.era;
    Ok(json!({ "era": wanted.era }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PushingBody {
    running: bool,
}

fn pushing(shared: &Shared, body: &str) -> Outcome {
    let wanted: PushingBody = read(body)?;
    shared.world().pushing = wanted.running;
    if wanted.running {
        shared.push_now.notify_one();
    }
    Ok(json!({ "pushing": wanted.running }))
}

/// An API by its name or by its path.
fn api_named(name: &str) -> Result<Endpoint, String> {
    serde_json::from_value(Value::from(name))
        .ok()
        .or_else(|| Some(Endpoint::of_path(name)).filter(|api| *api != Endpoint::Unknown))
        .ok_or_else(|| {
            let names: Vec<Value> = Endpoint::ALL.iter().map(|api| json!(api)).collect();
            format!("no api {name:?}; there are {}", Value::from(names))
        })
}
