//! Asks WeChat to push verify tickets (`api_start_push_ticket`) when none arrive, when WeChat refuses the
//! newest one, or when an operator asks. The next ticket is used at once, even during a backoff that a
//! refused ticket caused.

use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use super::Keeper;
use super::calls::log;
use crate::platform::problem::{ProblemCode, Result};
use crate::platform::state::{Backoff, TicketItem, TokenItem};
use crate::telemetry::metric;
use crate::wechat::errcode::Endpoint;

/// Without a push for this long, in seconds, something is wrong: WeChat pushes every ten minutes.
pub(super) const SILENCE: i64 = 1800;

/// The schedule's requests of all instances together: at most one in this many seconds. An operator's request
/// is not limited.
const START_PUSH_INTERVAL: i64 = 600;

/// Why WeChat is asked to push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StartPushReason {
    /// No ticket has ever arrived.
    NoTicket,
    /// No push has arrived for 30 minutes.
    Silence,
    /// WeChat refused the newest ticket.
    Refused,
    /// An operator asked for it.
    Asked,
}

/// The result of asking WeChat to push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StartPush {
    /// Why WeChat had to be asked.
    pub why: StartPushReason,
    /// WeChat's errmsg when it was asked: `ok`, or `in a normal state` when its pushes were running.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Why it could not be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<ProblemCode>,
    /// When it may be asked again, because it was asked within the last ten minutes. Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<i64>,
}

/// Whether WeChat must be asked to push, and why.
fn why(ticket: &TicketItem, token: &TokenItem, now: i64) -> Option<StartPushReason> {
    let Some(newest) = &ticket.ticket else { return Some(StartPushReason::NoTicket) };
    if refusal(ticket, token).is_some() {
        return Some(StartPushReason::Refused);
    }
    (now.saturating_sub(newest.received_at) > SILENCE).then_some(StartPushReason::Silence)
}

/// The failure of the last mint, if WeChat refused its ticket and no newer ticket has arrived.
pub(super) fn refusal<'a>(ticket: &TicketItem, token: &'a TokenItem) -> Option<&'a Backoff> {
    let newest = ticket.ticket.as_ref()?.create_time;
    token.backoff.as_ref().filter(|backoff| {
        backoff.code == ProblemCode::TicketRejected && Some(newest) <= backoff.ticket_create_time
    })
}

impl Keeper {
    /// Asks WeChat to push when that is necessary, and reports the result. Never fails.
    pub(super) async fn watch_ticket(
        &self,
        appid: &str,
        ticket: &TicketItem,
        token: &TokenItem,
        deadline: Instant,
    ) -> Option<StartPush> {
        // With MINTING=off no ticket is needed, and perhaps none is received yet.
        if !self.services.minting {
            return None;
        }
        let now = self.services.clock.now();
        let why = why(ticket, token, now)?;
        let nothing = StartPush { why, answer: None, problem: None, not_before: None };
        let asked_at =
            ticket.start_push_at.filter(|at| (0..START_PUSH_INTERVAL).contains(&now.saturating_sub(*at)));
        let claimed = match asked_at {
            Some(_) => Ok(false),
            None => self.services.tickets.claim_start_push(appid, now, now - START_PUSH_INTERVAL).await,
        };
        Some(match claimed {
            Ok(true) => match self.ask_for_push(why, deadline).await {
                Ok(answer) => StartPush { answer: Some(answer), ..nothing },
                Err(problem) => StartPush { problem: Some(problem.code), ..nothing },
            },
            Ok(false) => {
                let not_before = Some(asked_at.unwrap_or(now) + START_PUSH_INTERVAL);
                StartPush { not_before, ..nothing }
            }
            Err(error) => {
                tracing::warn!(%error, "WeChat was not asked to push tickets: the state table cannot be written");
                StartPush { problem: Some(ProblemCode::StateUnavailable), ..nothing }
            }
        })
    }

    /// Asks WeChat to push because an operator asked for it, even when WeChat was asked a moment ago.
    ///
    /// # Errors
    /// Why WeChat could not be asked.
    pub async fn start_push_ticket(&self, deadline: Instant) -> Result<StartPush> {
        let why = StartPushReason::Asked;
        let appid = self.tokens().appid().await?;
        let answer = self.ask_for_push(why, deadline).await?;
        // Stores the time, so that the schedule does not ask too. If this write fails, the action still
        // succeeds.
        let now = self.services.clock.now();
        let noted = self.services.tickets.claim_start_push(&appid, now, now);
        match timeout_at(deadline, noted).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "it could not be noted that WeChat was asked to push"),
            Err(_elapsed) => tracing::warn!("there was no time to note that WeChat was asked to push"),
        }
        Ok(StartPush { why, answer: Some(answer), problem: None, not_before: None })
    }

    async fn ask_for_push(&self, why: StartPushReason, deadline: Instant) -> Result<String> {
        self.services.metrics.count(metric::START_PUSH);
        let wechat = &self.services.wechat;
        let call = |appid: String, appsecret, timeout| async move {
            wechat.start_push_ticket(&appid, &appsecret, timeout).await
        };
        let asked = self.by_secret(Endpoint::StartPushTicket, deadline, call).await;
        match &asked {
            Ok(answer) => tracing::warn!(why = ?why, answer, "asked WeChat to push verify tickets"),
            Err(problem) => log(problem, "WeChat could not be asked to push verify tickets"),
        }
        asked
    }
}
