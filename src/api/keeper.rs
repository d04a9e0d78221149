//! The `keeper` function: woken by a schedule, and invoked directly by operators. Every failure is a
//! Lambda function error, as with `preauthcode`; a diagnosis that finds something broken is an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lambda_runtime::LambdaEvent;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::keeper_request::KeeperAction;
use super::response::FunctionError;
use super::{Invocation, failure};
use crate::operator::Keeper;
use crate::platform::{ProblemCode, Result, Services, TokenProvider};
use crate::telemetry::metric;

/// The function, for as long as its environment lives.
pub struct KeeperHandler {
    keeper: Keeper,
    warm: AtomicBool,
}

impl KeeperHandler {
    /// The function on these means.
    #[must_use]
    pub fn new(services: Services) -> Arc<Self> {
        Arc::new(Self { keeper: Keeper::new(services), warm: AtomicBool::new(false) })
    }

    /// The token of this function: for warming up.
    #[must_use]
    pub const fn tokens(&self) -> &TokenProvider {
        self.keeper.tokens()
    }

    /// Does what one event asks for.
    ///
    /// # Errors
    /// When it could not be done.
    pub async fn handle(
        self: Arc<Self>,
        event: LambdaEvent<Value>,
    ) -> std::result::Result<Value, FunctionError> {
        let invocation = Invocation::new(&event.context.request_id, Some(event.context.deadline()));
        let span = tracing::info_span!("keeper", request_id = invocation.request_id);
        let request_id = invocation.request_id.clone();
        // A task of its own, so that a panic becomes an answer too.
        let work = tokio::spawn(self.clone().answer(event.payload, invocation).instrument(span));
        let metrics = &self.keeper.services().metrics;
        work.await
            .unwrap_or_else(|_panicked| Err(failure::panicked(metrics)))
            .map_err(|problem| failure::function_error(metrics, &problem, &request_id))
    }

    async fn answer(self: Arc<Self>, event: Value, invocation: Invocation) -> Result<Value> {
        let started = Instant::now();
        let metrics = &self.keeper.services().metrics;
        let cold = !self.warm.swap(true, Ordering::Relaxed);
        if cold {
            metrics.count(metric::COLD_START);
        }
        let action = KeeperAction::parse(&event);
        let name = action.as_ref().map_or("unknown", KeeperAction::name);
        let result = match action {
            Ok(action) => self.run(action, invocation.deadline).await,
            Err(problem) => Err(problem),
        };
        let duration_ms = started.elapsed().as_secs_f64() * 1000.0;
        match &result {
            Ok(_) => tracing::info!(action = name, cold_start = cold, duration_ms, "done"),
            Err(problem) => {
                failure::count(metrics, problem);
                // What was sent wrongly may be quoted in the detail, so it stays out of the log.
                let detail = (problem.code != ProblemCode::RequestInvalid).then_some(problem.detail.as_str());
                tracing::warn!(
                    action = name,
                    code = problem.code.as_str(),
                    detail,
                    errcode = problem.errcode,
                    rid = problem.rid,
                    client_ip = problem.client_ip,
                    retry_after_s = problem.retry_after,
                    remedy = problem.remedy,
                    cold_start = cold,
                    duration_ms,
                    "not done"
                );
            }
        }
        result
    }

    async fn run(&self, action: KeeperAction, deadline: Instant) -> Result<Value> {
        let (keeper, name) = (&self.keeper, action.name());
        Ok(match action {
            KeeperAction::Refresh { force } => answer(name, &keeper.refresh(force, deadline).await?),
            KeeperAction::Diagnose => {
                let report = keeper.diagnose(deadline).await;
                if !report.ok {
                    tracing::warn!(failed = report.failed.join(","), "the diagnosis found broken links");
                }
                answer(name, &report)
            }
            KeeperAction::PutToken { component_access_token, expires_at, replace } => {
                answer(name, &keeper.put_token(&component_access_token, expires_at, replace).await?)
            }
            KeeperAction::StartPushTicket => answer(name, &keeper.start_push_ticket(deadline).await?),
            KeeperAction::ClearQuota => answer(name, &keeper.clear_quota(deadline).await?),
            KeeperAction::GetQuota { cgi_path } => {
                answer(name, &json!({ "quotas": keeper.get_quota(cgi_path.as_deref(), deadline).await? }))
            }
            KeeperAction::ExplainRid { rid } => answer(name, &keeper.explain_rid(&rid, deadline).await?),
        })
    }
}

/// An answer: the action, and what it brought.
fn answer(action: &str, result: &impl Serialize) -> Value {
    let mut answer = serde_json::to_value(result).unwrap_or_default();
    answer["action"] = action.into();
    answer
}
