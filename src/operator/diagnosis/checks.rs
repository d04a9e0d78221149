//! Makes the checks from what was read from the table and the secret, and from what WeChat answered. Pure functions.

use serde_json::{Value, json};

use crate::operator::ticket_watch::{SILENCE, refusal};
use crate::platform::check::{self, Check, CheckStatus};
use crate::platform::clock::rfc3339;
use crate::platform::problem::{Problem, Result, texts};
use crate::platform::state::{Backoff, Lease, TicketItem, TokenItem};
use crate::platform::token::ActiveToken;
use crate::platform::{Credentials, EgressIps};
use crate::wechat::HostProbe;

/// How long WeChat accepts a ticket, in seconds.
const TICKET_LIFE: i64 = 12 * 3600;

pub(super) fn credentials(credentials: &Credentials) -> Check {
    let detail = format!("readable and complete, for {}", credentials.component_appid);
    Check::ok("credentials", detail).fact("version", credentials.version.as_str())
}

/// Judges the push keys. A secret without any may be the keeper's own, beside the callback's.
pub(super) fn push_keys(credentials: &Credentials) -> Check {
    check::push_keys(&credentials.push_keys, || {
        let detail = "not in this function's secret: the callback's own secret holds them";
        Check::new(check::PUSH_KEYS, CheckStatus::Skipped, detail)
    })
}

pub(super) fn host(probe: &HostProbe) -> Check {
    let name = format!("host:{}", probe.host);
    match &probe.answered {
        Ok(took) => {
            let latency_ms = milliseconds(*took);
            Check::ok(&name, format!("answers in {latency_ms} ms")).fact("latency_ms", latency_ms)
        }
        Err(kind) => Check::failed(&name, kind.to_string(), texts::NETWORK_REMEDY),
    }
}

pub(super) fn ticket(item: &TicketItem, token: &TokenItem, minting: bool, now: i64) -> Check {
    let failed = |detail: String| Check::failed("ticket", detail, texts::TICKET_MISSING_REMEDY);
    let check = match &item.ticket {
        None if minting => Check::met("ticket", &Problem::ticket_missing()),
        None => Check::new("ticket", CheckStatus::Unknown, "none has arrived; MINTING=off needs none"),
        Some(ticket) => {
            let age = now - ticket.received_at;
            let pushed = format!("the last push came {} ago", span(age));
            let check = if let Some(backoff) = refusal(item, token) {
                let errcode = backoff.errcode.unwrap_or_default();
                failed(format!("WeChat refused the newest ticket with errcode {errcode}"))
            } else if age > SILENCE && minting {
                let rest = span(ticket.create_time + TICKET_LIFE - now);
                failed(format!("{pushed}; the ticket is valid for another {rest}"))
            } else {
                Check::ok("ticket", pushed)
            };
            check
                .fact("received_at", rfc3339(ticket.received_at))
                .fact("age_s", age)
                .fact("create_time", rfc3339(ticket.create_time))
        }
    };
    check.fact("start_push_at", item.start_push_at.map(rfc3339))
}

/// The token, with the lease and the backoff of its item.
pub(super) fn token(found: &Result<ActiveToken>, item: &TokenItem, minting: bool, now: i64) -> Check {
    let check = match (found, &item.token) {
        (Err(problem), _) => Check::met("token", problem),
        // Only in this process's memory, because the table cannot be written.
        (Ok(_), None) => Check::ok("token", "valid, but not stored"),
        (Ok(_), Some(token)) => {
            let (left, age) = (token.expires_at - now, now - token.minted_at);
            let origin = if minting { "minted" } else { "handed over" };
            Check::ok("token", format!("valid for {}, {origin} {} ago", span(left), span(age)))
                .fact("expires_at", rfc3339(token.expires_at))
                .fact("seconds_left", left)
                .fact("minted_at", rfc3339(token.minted_at))
                .fact("age_s", age)
        }
    };
    let live = item.live_lease(now).is_some();
    let lease = |lease: &Lease| json!({ "expires_at": rfc3339(lease.expires_at), "live": live });
    check.fact("lease", item.lease.as_ref().map(lease)).fact("backoff", item.backoff.as_ref().map(backoff))
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

/// The address that WeChat sees, compared with `EGRESS_IPS`.
pub(super) fn egress_ip(found: &Result<Option<String>>, ours: &EgressIps) -> Check {
    let seen = match found {
        Ok(seen) => seen.as_deref(),
        Err(problem) => problem.client_ip.as_deref(),
    };
    let is_egress_ip = seen.and_then(|seen| ours.is_egress_ip(seen));
    let unknown = |detail: String| Check::new("egress_ip", CheckStatus::Unknown, detail);
    let check = match (found, seen, is_egress_ip) {
        (Err(problem), ..) => Check::met("egress_ip", problem),
        (Ok(_), None, _) => unknown("WeChat did not name the address that it sees".to_owned()),
        (Ok(_), Some(seen), None) => unknown(format!("WeChat sees {seen}; EGRESS_IPS is empty")),
        (Ok(_), Some(seen), Some(true)) => {
            Check::ok("egress_ip", format!("WeChat sees {seen}, one of EGRESS_IPS"))
        }
        (Ok(_), Some(seen), Some(false)) => {
            let detail = format!("WeChat sees {seen}, which is not one of EGRESS_IPS");
            Check::failed("egress_ip", detail, ours.remedy(Some(seen)))
        }
    };
    check.fact("client_ip", seen).fact("is_egress_ip", is_egress_ip).fact("egress_ips", ours.shown())
}

/// Milliseconds with one decimal.
pub(super) fn milliseconds(time: std::time::Duration) -> f64 {
    (time.as_secs_f64() * 1e4).round() / 10.0
}

/// `47 s`, `12 min`, `1 h 50 min`.
fn span(seconds: i64) -> String {
    match seconds.max(0) {
        s @ 0..120 => format!("{s} s"),
        s @ 120..7200 => format!("{} min", s / 60),
        s => format!("{} h {} min", s / 3600, s % 3600 / 60),
    }
}
