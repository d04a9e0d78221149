//! One code from the function `preauthcode`. The pages have no secret and no way to WeChat of their own.

use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::id::LinkId;
use super::services::LinkServices;
use super::store::Link;
use crate::platform::authorization_urls::AuthorizationUrls;
use crate::platform::cause::Cause;
use crate::platform::problem::{Problem, ProblemCode, Result, texts};

/// What the pages use of an answer.
#[derive(Deserialize)]
pub(super) struct Code {
    pub(super) code_fingerprint: String,
    pub(super) authorization_urls: AuthorizationUrls,
}

/// Lambda's error object.
#[derive(Deserialize)]
struct FunctionError {
    #[serde(rename = "errorType")]
    kind: String,
    #[serde(rename = "errorMessage", default)]
    message: String,
}

/// What the pages use of the problem in `errorMessage`.
#[derive(Deserialize, Default)]
struct Failed {
    retry_after: Option<i64>,
    errcode: Option<i64>,
    rid: Option<String>,
    #[serde(default)]
    request_id: String,
}

/// Takes one code for a link.
///
/// # Errors
/// The function's problem, without its texts; `Function.Unavailable` when it did not answer.
pub(super) async fn take_code(
    services: &LinkServices,
    id: &LinkId,
    link: &Link,
    deadline: Instant,
) -> Result<Code> {
    let authorization = &link.authorization;
    let event = json!({
        "redirect_uri": services.origin.redirect_uri(id),
        "auth_type": authorization.auth_type,
        "biz_appid": authorization.biz_appid,
        "category_id_list": authorization.category_ids,
        "reference": link.reference,
    });
    let invoked = services.codes.invoke(event.to_string().into_bytes(), deadline).await;
    let invoked = invoked.map_err(|error| unavailable(&error))?;
    if invoked.failed {
        return Err(function_failed(&invoked.payload));
    }
    serde_json::from_slice(&invoked.payload).map_err(|_| unavailable(&"its answer cannot be read".into()))
}

pub(super) fn unavailable(error: &Cause) -> Box<Problem> {
    let detail = texts::FUNCTION_UNAVAILABLE.with(&[("error", error)]);
    Problem::new(ProblemCode::FunctionUnavailable, detail).remedy(texts::PAGES_REMEDY)
}

fn function_failed(payload: &[u8]) -> Box<Problem> {
    let Ok(error) = serde_json::from_slice::<FunctionError>(payload) else {
        return unavailable(&"its error cannot be read".into());
    };
    // Anything else is Lambda's: a crash, a time limit, a wrong environment variable.
    let Some(code) = ProblemCode::from_name(&error.kind) else {
        return unavailable(&Cause::from("it ended in an error that is no answer"));
    };
    let failed: Failed = serde_json::from_str(&error.message).unwrap_or_default();
    let known = [("code", &code as &dyn std::fmt::Display), ("request_id", &failed.request_id)];
    let mut problem = Problem::new(code, texts::FUNCTION_FAILED.with(&known));
    (problem.errcode, problem.rid) = (failed.errcode, failed.rid);
    problem.retry_after = failed.retry_after.or(problem.retry_after);
    problem
}
