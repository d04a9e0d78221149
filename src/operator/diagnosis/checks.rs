//! The links that are judged by what is there: the credentials, the push keys, the hosts, the ticket and
//! the token. Pure functions; `diagnose` reads and asks.

use serde_json::{Value, json};

use super::report::{Check, CheckStatus};
use crate::operator::ticket_watch::{SILENCE, is_refused};
use crate::platform::clock::rfc3339;
use crate::platform::problem::{Problem, ProblemCode};
use crate::platform::state::{Backoff, TicketItem, TokenItem};
use crate::platform::{Credentials, EgressIps, PushKeysCheck};
use crate::wechat::HostProbe;

/// How long WeChat takes a ticket, in seconds.
const TICKET_LIFE: i64 = 12 * 3600;

const NETWORK: &str = "Check the way out: the subnets' route to the NAT gateway, the security group's egress to \
     port 443, and DNS in the VPC. When the other hosts answer, the service goes on with those.";

pub(super) fn credentials(ours: &Credentials) -> Check {
    let detail = format!("readable and complete, for {}", ours.component_appid);
    Check::new("credentials", CheckStatus::Ok, detail).fact("version", ours.version.as_str())
}

pub(super) fn push_keys(ours: &Credentials) -> Check {
    let found = PushKeysCheck::of(ours);
    let check = match found.remedy {
        None => Check::new(found.link, CheckStatus::Ok, found.detail),
        Some(remedy) => Check::new(found.link, CheckStatus::Failed, found.detail).remedy(remedy),
    };
    check.fact("count", found.count)
}

pub(super) fn host(probe: &HostProbe) -> Check {
    let name = format!("host:{}", probe.host);
    match &probe.answered {
        Ok(took) => {
            let latency_ms = (took.as_secs_f64() * 1e4).round() / 10.0;
            Check::new(name, CheckStatus::Ok, format!("answers in {latency_ms} ms"))
                .fact("latency_ms", latency_ms)
        }
        Err(kind) => Check::new(name, CheckStatus::Failed, kind.to_string()).remedy(NETWORK),
    }
}

pub(super) fn ticket(item: &TicketItem, token: &TokenItem, minting: bool, now: i64) -> Check {
    let link = match &item.ticket {
        None if !minting => Check::new(
            "ticket",
            CheckStatus::Unknown,
            "none has arrived; none is needed while MINTING is off, but one is before it can be on",
        ),
        None => Check::failed("ticket", &Problem::ticket_missing()),
        Some(ticket) => {
            let age = now - ticket.received_at;
            let link = if is_refused(item, token) {
                let errcode = token.backoff.as_ref().and_then(|backoff| backoff.errcode);
                let by = errcode.map(|errcode| format!(" with errcode {errcode}")).unwrap_or_default();
                Check::new("ticket", CheckStatus::Failed, format!("WeChat refused the newest ticket{by}"))
                    .remedy(silence_remedy())
            } else if age > SILENCE && minting {
                let rest = (ticket.create_time + TICKET_LIFE - now).max(0);
                let detail = format!(
                    "the last push came {} ago; the ticket is good for another {}",
                    span(age),
                    span(rest)
                );
                Check::new("ticket", CheckStatus::Failed, detail).remedy(silence_remedy())
            } else {
                Check::new("ticket", CheckStatus::Ok, format!("the last push came {} ago", span(age)))
            };
            link.fact("received_at", rfc3339(ticket.received_at))
                .fact("age_s", age)
                .fact("create_time", rfc3339(ticket.create_time))
        }
    };
    link.fact("start_push_at", item.start_push_at.map(rfc3339))
}

/// The same as for the first ticket: the pushes must come.
fn silence_remedy() -> String {
    Problem::ticket_missing().remedy.unwrap_or_default()
}

pub(super) fn token(item: &TokenItem, minting: bool, now: i64) -> Check {
    let Some(token) = &item.token else {
        // Only in this process's memory, because the table cannot be written.
        return with_attempts(Check::new("token", CheckStatus::Ok, "valid, but not stored"), item, now);
    };
    let (left, age) = (token.expires_at - now, now - token.minted_at);
    let came = if minting { "minted" } else { "handed over" };
    let detail = format!("valid for {}, {came} {} ago", span(left), span(age));
    let link = Check::new("token", CheckStatus::Ok, detail)
        .fact("expires_at", rfc3339(token.expires_at))
        .fact("seconds_left", left)
        .fact("minted_at", rfc3339(token.minted_at))
        .fact("age_s", age);
    with_attempts(link, item, now)
}

/// Adds the lease and the backoff to a token's link.
pub(super) fn with_attempts(link: Check, item: &TokenItem, now: i64) -> Check {
    let lease = item.lease.as_ref().map_or(
        Value::Null,
        |lease| json!({ "expires_at": rfc3339(lease.expires_at), "live": lease.expires_at > now }),
    );
    link.fact("lease", lease).fact("backoff", item.backoff.as_ref().map_or(Value::Null, backoff))
}

fn backoff(backoff: &Backoff) -> Value {
    json!({
        "code": backoff.code,
        "errcode": backoff.errcode,
        "client_ip": backoff.client_ip,
        "failed_mints": backoff.count,
        "until": rfc3339(backoff.until),
    })
}

/// The address WeChat saw, held against `EGRESS_IPS`. `refused`: it is not in the whitelist.
pub(super) fn egress_ip(seen: Option<&str>, refused: Option<&Problem>, ours: &EgressIps) -> Check {
    let listed = !ours.addresses().is_empty();
    let is_egress_ip = seen.filter(|_| listed).map(|seen| ours.contains(seen));
    let link = match (refused, seen, is_egress_ip) {
        (Some(problem), ..) => Check::failed("egress_ip", problem),
        (None, Some(seen), Some(true)) => Check::new(
            "egress_ip",
            CheckStatus::Ok,
            format!("WeChat sees {seen}, one of EGRESS_IPS, and lets it in"),
        ),
        (None, Some(seen), Some(false)) => Check::new(
            "egress_ip",
            CheckStatus::Failed,
            format!("WeChat sees {seen}, which is none of EGRESS_IPS; it lets it in today"),
        )
        .remedy(ours.remedy(Some(seen))),
        (None, Some(seen), None) => Check::new(
            "egress_ip",
            CheckStatus::Unknown,
            format!(
                "WeChat sees {seen} and lets it in; EGRESS_IPS is empty, so there is nothing to hold it against"
            ),
        ),
        (None, None, _) => Check::new(
            "egress_ip",
            CheckStatus::Unknown,
            "WeChat lets us in, but does not tell which address it sees",
        ),
    };
    let addresses: Vec<String> = ours.addresses().iter().map(ToString::to_string).collect();
    link.fact("client_ip", seen).fact("is_egress_ip", is_egress_ip).fact("egress_ips", addresses)
}

/// What a problem met at `link` makes of it: its own failure, or a link that cannot be checked.
pub(super) fn failed_check(link: &str, problem: &Problem) -> Check {
    match super::report::cause_of(problem.code) {
        Some(cause_of) if cause_of != link => {
            Check::new(link, CheckStatus::Skipped, format!("cannot be checked: see {cause_of}"))
        }
        _ => {
            let failed = Check::failed(link, problem);
            match (problem.code, &failed.remedy) {
                (ProblemCode::WeChatUnreachable | ProblemCode::WeChatTimeout, None) => failed.remedy(NETWORK),
                (_, None) => failed.remedy("Try again in a minute; if it stays, see rid and errmsg."),
                _ => failed,
            }
        }
    }
}

/// `47 s`, `12 min`, `1 h 50 min`.
fn span(seconds: i64) -> String {
    match seconds.max(0) {
        s @ 0..120 => format!("{s} s"),
        s @ 120..7200 => format!("{} min", s / 60),
        s => format!("{} h {} min", s / 3600, s % 3600 / 60),
    }
}
