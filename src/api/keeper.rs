//! The `keeper` function: invoked by a schedule, and directly by operators. Every failure is a Lambda
//! function error, as with a direct invocation of `preauthcode`. A diagnosis that finds a fault still
//! succeeds; the report shows the fault.

use std::sync::Arc;

use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::handler::Environment;
use super::keeper_request::KeeperAction;
use super::response::FunctionError;
use crate::operator::Keeper;
use crate::platform::problem::texts;
use crate::platform::{Problem, Result, Services, TokenProvider};

/// The alias for a program that hands tokens over. Whoever may invoke only this alias can do nothing else.
const HANDOVER_ALIAS: &str = "handover";

/// The function's handler, one for each execution environment.
pub struct KeeperHandler {
    environment: Environment,
    keeper: Keeper,
}

impl KeeperHandler {
    /// Creates the handler from these services.
    pub fn new(services: Services) -> Arc<Self> {
        let environment = Environment::new(services.metrics.clone());
        Arc::new(Self { environment, keeper: Keeper::new(services) })
    }

    /// This function's token, to be warmed up.
    pub const fn tokens(&self) -> &TokenProvider {
        self.keeper.tokens()
    }

    /// Performs the action of one event.
    ///
    /// # Errors
    /// When the action failed.
    pub async fn handle(
        self: Arc<Self>,
        event: LambdaEvent<Value>,
    ) -> std::result::Result<Value, FunctionError> {
        let invocation = self.environment.begin(Some(&event.context), true);
        let deadline = invocation.deadline;
        let by_handover = is_handover(&event.context.invoked_function_arn);
        let work = async move { self.act(&event.payload, by_handover, deadline).await };
        let log = |result: &Result<Value>| match result {
            Ok(_) => tracing::info!("the action succeeded"),
            Err(problem) => invocation.failed(problem, "the action failed", false),
        };
        let result = invocation.run(work, log).await;
        result.map_err(|problem| FunctionError::new(&problem, &invocation.request_id))
    }

    async fn act(&self, event: &Value, by_handover: bool, deadline: Instant) -> Result<Value> {
        let parsed = KeeperAction::parse(event);
        tracing::Span::current().record("action", parsed.as_ref().map_or("unknown", |(name, _)| name));
        let (keeper, (name, action)) = (&self.keeper, parsed?);
        if by_handover && !matches!(action, KeeperAction::PutToken { .. }) {
            return Err(Problem::invalid(texts::HANDOVER));
        }
        let mut answer = match action {
            KeeperAction::Refresh { force } => json!(keeper.refresh(force, deadline).await?),
            KeeperAction::Diagnose => {
                let report = keeper.diagnose(deadline).await;
                if !report.ok {
                    tracing::warn!(failed = report.failed.join(","), "a check of the diagnosis failed");
                }
                json!(report)
            }
            KeeperAction::ProbeAddress => json!(keeper.probe_address(deadline).await?),
            KeeperAction::PutToken { component_access_token, expiry, replace } => {
                json!(keeper.put_token(&component_access_token, expiry, replace).await?)
            }
            KeeperAction::StartPushTicket => json!(keeper.start_push_ticket(deadline).await?),
            KeeperAction::ClearQuota => json!(keeper.clear_quota(deadline).await?),
            KeeperAction::GetQuota { cgi_path } => {
                json!({ "quotas": keeper.get_quota(cgi_path.as_deref(), deadline).await? })
            }
            KeeperAction::ExplainRid { rid } => json!(keeper.explain_rid(&rid, deadline).await?),
        };
        answer["action"] = name.into();
        Ok(answer)
    }
}

/// Whether the function was invoked through [`HANDOVER_ALIAS`]. The alias is the eighth part of an ARN such as
/// `arn:aws:lambda:eu-west-1:123456789012:function:keeper:handover`.
fn is_handover(invoked_function_arn: &str) -> bool {
    invoked_function_arn.split(':').nth(7) == Some(HANDOVER_ALIAS)
}
