//! One code from the function `preauthcode`. The pages have no secret and no way to WeChat of their own.

use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;
use url::Url;

use super::id::LinkId;
use super::services::LinkServices;
use super::store::Link;
use crate::platform::authorization_urls::AuthorizationUrls;
use crate::platform::cause::Cause;
use crate::platform::problem::{Problem, ProblemCode, texts};

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

/// Why there is no code.
pub(super) struct NoCode {
    pub(super) problem: Box<Problem>,
    /// Whether WeChat may have issued one all the same.
    pub(super) unclear: bool,
}

/// Takes one code for a link by `deadline`.
///
/// # Errors
/// The function's problem, without its texts; `Function.Unavailable` when it did not answer.
pub(super) async fn take_code(
    services: &LinkServices,
    id: &LinkId,
    link: &Link,
    deadline: Instant,
) -> Result<Code, NoCode> {
    let unclear = |problem| NoCode { problem, unclear: true };
    let authorization = &link.authorization;
    let event = json!({
        "redirect_uri": services.origin.redirect_uri(id),
        "auth_type": authorization.auth_type,
        "biz_appid": authorization.biz_appid,
        "category_id_list": authorization.category_ids,
        "reference": link.reference,
    });
    let invoked = services.codes.invoke(event.to_string().into_bytes(), deadline).await;
    let invoked =
        invoked.map_err(|error| NoCode { problem: unavailable(&error.cause), unclear: error.unclear })?;
    if invoked.failed {
        return Err(match function_failed(&invoked.payload) {
            // WeChat's answer did not arrive, or the function failed half-way.
            Some(problem) => NoCode { unclear: may_have_a_code(problem.code), problem },
            None => unclear(unavailable(&"it ended in an error that is no answer".into())),
        });
    }
    let code = serde_json::from_slice(&invoked.payload).ok();
    // Browsers are sent there.
    let code = code.filter(|code: &Code| {
        [&code.authorization_urls.pc, &code.authorization_urls.mobile].into_iter().all(|url| is_url(url))
    });
    code.ok_or_else(|| unclear(unavailable(&"its answer cannot be read".into())))
}

const fn may_have_a_code(code: ProblemCode) -> bool {
    matches!(code, ProblemCode::WeChatTimeout | ProblemCode::WeChatUnreachable | ProblemCode::Internal)
}

fn is_url(text: &str) -> bool {
    text.is_ascii() && Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
}

pub(super) fn unavailable(error: &Cause) -> Box<Problem> {
    let detail = texts::FUNCTION_UNAVAILABLE.with(&[("error", error)]);
    Problem::new(ProblemCode::FunctionUnavailable, detail).remedy(texts::PAGES_REMEDY)
}

/// The problem that the function answered. Any other error is Lambda's: a crash, a time limit, a wrong environment
/// variable.
fn function_failed(payload: &[u8]) -> Option<Box<Problem>> {
    let error: FunctionError = serde_json::from_slice(payload).ok()?;
    let code = ProblemCode::from_name(&error.kind)?;
    let failed: Failed = serde_json::from_str(&error.message).unwrap_or_default();
    let known = [("code", &code as &dyn std::fmt::Display), ("request_id", &failed.request_id)];
    let mut problem = Problem::new(code, texts::FUNCTION_FAILED.with(&known));
    (problem.errcode, problem.rid) = (failed.errcode, failed.rid);
    problem.retry_after = failed.retry_after.or(problem.retry_after);
    Some(problem)
}
