//! What all actions share: the end at the deadline, and the log line of a problem that does not end the
//! action.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::platform::problem::{Problem, ProblemCode, Result};

/// An action that is still running this long after its deadline is ended. Most end by themselves, with a
/// more exact problem. Less than what is kept for the answer.
const GRACE: Duration = Duration::from_millis(200);

/// Ends an action at its deadline: a table or a secret that does not answer must not hold it.
pub(super) async fn end_at<T>(deadline: Instant, action: impl Future<Output = Result<T>>) -> Result<T> {
    timeout_at(deadline + GRACE, action)
        .await
        .unwrap_or_else(|_elapsed| Err(Problem::no_answer_in_time(ProblemCode::WeChatTimeout)))
}

/// Logs a problem that does not end the action.
pub(super) fn log(problem: &Problem, message: &str) {
    tracing::warn!(
        code = problem.code.as_str(),
        detail = problem.detail,
        errcode = problem.errcode,
        rid = problem.rid,
        client_ip = problem.client_ip,
        remedy = problem.remedy,
        "{message}"
    );
}
