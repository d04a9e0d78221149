//! The ticket watch: when verify tickets stay away, or WeChat refuses the one there is, WeChat is asked
//! to push (`api_start_push_ticket`). The next ticket is used at once: it overtakes the backoff.

use serde::Serialize;
use tokio::time::Instant;

use super::Keeper;
use super::calls::by_secret;
use crate::platform::problem::{ProblemCode, Result};
use crate::platform::state::{TicketItem, TokenItem};
use crate::telemetry::metric;
use crate::wechat::errcode::Endpoint;

/// Without a push for this long, in seconds, something is wrong: WeChat pushes every ten minutes.
pub(super) const SILENCE: i64 = 1800;

/// Whatever happens, all instances together ask at most this often, in seconds: once for each push
/// that may come.
const START_PUSH_INTERVAL: i64 = 600;

/// Why WeChat is asked to push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StartPushReason {
    /// No ticket has ever arrived.
    NoTicket,
    /// None was received for 30 minutes.
    Silence,
    /// WeChat refused the newest one.
    Refused,
    /// An operator wants it.
    Asked,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StartPush {
    /// Why WeChat was to be asked.
    pub why: StartPushReason,
    /// WeChat's word when it was asked: `ok`, or `in a normal state` when its pushes were running.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Why it could not be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<ProblemCode>,
    /// When it may be asked again, because that was done within the last ten minutes. Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<i64>,
}

/// Whether WeChat must be asked to push, and why.
pub(super) fn why(ticket: &TicketItem, token: &TokenItem, now: i64) -> Option<StartPushReason> {
    let Some(newest) = &ticket.ticket else { return Some(StartPushReason::NoTicket) };
    if is_refused(ticket, token) {
        return Some(StartPushReason::Refused);
    }
    (now - newest.received_at > SILENCE).then_some(StartPushReason::Silence)
}

/// Whether the last mint failed on the ticket that is still the newest.
pub(super) fn is_refused(ticket: &TicketItem, token: &TokenItem) -> bool {
    let backoff = token.backoff.as_ref().filter(|backoff| backoff.code == ProblemCode::TicketRejected);
    backoff.is_some_and(|backoff| {
        ticket.ticket.as_ref().is_some_and(|newest| Some(newest.create_time) <= backoff.ticket_create_time)
    })
}

impl Keeper {
    /// Asks WeChat to push when it must be asked, and reports it. Never fails.
    pub(super) async fn watch_ticket(
        &self,
        appid: &str,
        ticket: &TicketItem,
        token: &TokenItem,
        deadline: Instant,
    ) -> Option<StartPush> {
        // Whose token comes from elsewhere needs no ticket, and may not receive any yet.
        if !self.services.minting {
            return None;
        }
        let now = self.services.clock.now();
        let why = why(ticket, token, now)?;
        let too_early =
            |not_before| Some(StartPush { why, answer: None, problem: None, not_before: Some(not_before) });
        if let Some(asked_at) = ticket.start_push_at.filter(|at| now - at < START_PUSH_INTERVAL) {
            return too_early(asked_at + START_PUSH_INTERVAL);
        }
        match self.services.tickets.claim_start_push(appid, now, now - START_PUSH_INTERVAL).await {
            Ok(true) => {}
            Ok(false) => return too_early(now + START_PUSH_INTERVAL),
            Err(error) => {
                tracing::warn!(%error, "WeChat cannot be asked to push tickets: the state table cannot be written");
                return Some(StartPush {
                    why,
                    answer: None,
                    problem: Some(ProblemCode::StateUnavailable),
                    not_before: None,
                });
            }
        }
        let asked = self.ask_for_push(why, deadline).await;
        Some(StartPush {
            why,
            problem: asked.as_ref().err().map(|problem| problem.code),
            answer: asked.ok(),
            not_before: None,
        })
    }

    /// Asks WeChat to push because an operator wants it, whenever that was done last.
    ///
    /// # Errors
    /// The problem that kept WeChat from being asked.
    pub async fn start_push_ticket(&self, deadline: Instant) -> Result<StartPush> {
        let appid = self.tokens().appid().await?;
        let now = self.services.clock.now();
        // Noted for the schedule, which then need not ask as well. Nothing hangs on it.
        if let Err(error) = self.services.tickets.claim_start_push(&appid, now, now).await {
            tracing::warn!(%error, "the start of the pushes could not be noted");
        }
        let answer = self.ask_for_push(StartPushReason::Asked, deadline).await?;
        Ok(StartPush { why: StartPushReason::Asked, answer: Some(answer), problem: None, not_before: None })
    }

    async fn ask_for_push(&self, why: StartPushReason, deadline: Instant) -> Result<String> {
        self.services.metrics.count(metric::START_PUSH);
        let wechat = &self.services.wechat;
        let ask = |appid: String, appsecret, timeout| async move {
            wechat.start_push_ticket(&appid, &appsecret, timeout).await
        };
        let asked = by_secret(&self.services, Endpoint::StartPushTicket, deadline, ask).await;
        match &asked {
            Ok(answer) => tracing::warn!(why = ?why, answer, "asked WeChat to push verify tickets"),
            Err(problem) => tracing::warn!(
                why = ?why,
                code = problem.code.as_str(),
                detail = problem.detail,
                errcode = problem.errcode,
                rid = problem.rid,
                client_ip = problem.client_ip,
                remedy = problem.remedy,
                "WeChat could not be asked to push verify tickets"
            ),
        }
        asked
    }
}
