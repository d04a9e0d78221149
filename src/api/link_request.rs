//! The request for an authorization link: a JSON object whose fields are all optional, checked one by one.

use serde_json::Value;

use super::authorization_fields::{authorization, is_printable, object, reference};
use super::fields::Fields;
use crate::platform::https_url::check_https_url;
use crate::platform::links::LinkRequest;
use crate::platform::problem::texts;
use crate::platform::{Problem, Result};

/// Longest `state`, in characters.
const MAX_STATE_CHARS: usize = 128;
/// Life of a link in seconds: the shortest, the longest, and the one of a request that names none.
const LIFE: (i64, i64, i64) = (60, 30 * 86_400, 86_400);

const FIELDS: [&str; 7] =
    ["auth_type", "biz_appid", "category_id_list", "reference", "state", "return_url", "expires_in"];

/// Whether a direct invocation asks for the check of the pages.
pub fn asks_for_check(event: &[u8]) -> bool {
    serde_json::from_slice::<Value>(event)
        .is_ok_and(|event| event == serde_json::json!({"action": "check_pages"}))
}

/// Reads a request. An empty body and `null` are the same as `{}`.
///
/// # Errors
/// `Request.Invalid`, naming the field and what it must be.
pub fn parse(body: &[u8]) -> Result<LinkRequest> {
    let fields = object(body)?;
    let fields = Fields(&fields);
    // Callers know it from POST /preauthcode.
    if fields.get("redirect_uri").is_some() {
        return Err(Problem::invalid(texts::LINK_REDIRECT_URI));
    }
    fields.refuse_unknown(&FIELDS, &texts::REQUEST_FIELDS.with(&[("fields", &FIELDS.join(", "))]))?;
    let state = fields.text("state")?;
    if state.is_some_and(|state| !is_printable(state, MAX_STATE_CHARS)) {
        return Err(Problem::invalid(texts::LINK_STATE.with(&[("most", &MAX_STATE_CHARS)])));
    }
    let return_url = fields.text("return_url")?;
    if let Some(url) = return_url {
        check_https_url("return_url", url)?;
    }
    Ok(LinkRequest {
        authorization: authorization(&fields)?,
        reference: reference(&fields)?,
        state: state.map(str::to_owned),
        return_url: return_url.map(str::to_owned),
        expires_in: expires_in(&fields)?,
    })
}

fn expires_in(fields: &Fields<'_>) -> Result<i64> {
    let (least, most, default) = LIFE;
    match fields.get("expires_in") {
        None => Ok(default),
        Some(value) => value.as_i64().filter(|seconds| (least..=most).contains(seconds)).ok_or_else(|| {
            Problem::invalid(texts::LINK_EXPIRES_IN.with(&[("least", &least), ("most", &most)]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::{Authorization, ProblemCode};

    #[test]
    fn a_link_without_fields_lives_for_a_day() {
        for body in ["", "{}", "null", r#"{"state":null}"#] {
            let link = parse(body.as_bytes()).unwrap();
            assert_eq!((link.expires_in, link.authorization), (86_400, Authorization::default()), "{body}");
            assert_eq!((link.reference, link.state, link.return_url), (None, None, None));
        }
    }

    #[test]
    fn every_field_arrives() {
        let body =
            br#"{"auth_type":2,"biz_appid":"wxba5fad812f8e6fb9","category_id_list":[1,17],"reference":"r-1",
            "state":"s 2","return_url":"https://shop.example.com/done?a=b","expires_in":60}"#;
        let link = parse(body).unwrap();
        assert_eq!(link.authorization.auth_type.map(u32::from), Some(2));
        assert_eq!(link.authorization.biz_appid.as_deref(), Some("wxba5fad812f8e6fb9"));
        assert_eq!(link.authorization.category_ids.iter().map(|id| id.get()).collect::<Vec<_>>(), [1, 17]);
        assert_eq!((link.reference.as_deref(), link.state.as_deref()), (Some("r-1"), Some("s 2")));
        assert_eq!(link.return_url.as_deref(), Some("https://shop.example.com/done?a=b"));
        assert_eq!(link.expires_in, 60);
    }

    #[test]
    fn a_bad_field_is_named_with_what_it_must_be() {
        let long = format!(r#"{{"state":"{}"}}"#, "x".repeat(129));
        for (body, detail) in [
            (
                r#"{"redirect_uri":"https://a.example"}"#,
                "redirect_uri is not for links: the merchant comes back to this service, and from there to return_url",
            ),
            (
                r#"{"returnUrl":"x"}"#,
                "unknown field \"returnUrl\"; the fields are auth_type, biz_appid, category_id_list, reference, state, return_url, expires_in",
            ),
            (r#"{"return_url":"http://a.example"}"#, "return_url must be an https:// URL"),
            (r#"{"return_url":"javascript:alert(1)"}"#, "return_url must be an https:// URL"),
            (r#"{"return_url":"https://u:p@a.example"}"#, "return_url must not hold a user name or password"),
            (r#"{"return_url":7}"#, "return_url must be a string"),
            (r#"{"state":"订单"}"#, "state must be at most 128 printable ASCII characters"),
            (r#"{"state":"a\nb"}"#, "state must be at most 128 printable ASCII characters"),
            (&long, "state must be at most 128 printable ASCII characters"),
            (r#"{"expires_in":59}"#, "expires_in must be 60 to 2592000 seconds"),
            (r#"{"expires_in":2592001}"#, "expires_in must be 60 to 2592000 seconds"),
            (r#"{"expires_in":"60"}"#, "expires_in must be 60 to 2592000 seconds"),
            (r#"{"expires_in":60.5}"#, "expires_in must be 60 to 2592000 seconds"),
            (r#"{"auth_type":0}"#, "auth_type must be a positive integer"),
        ] {
            let problem = parse(body.as_bytes()).unwrap_err();
            assert_eq!((problem.code, problem.detail.as_str()), (ProblemCode::RequestInvalid, detail));
        }
    }

    #[test]
    fn only_the_action_alone_asks_for_the_check() {
        assert!(asks_for_check(br#"{ "action": "check_pages" }"#));
        for other in ["", "{}", r#"{"action":"check"}"#, r#"{"action":"check_pages","state":"x"}"#] {
            assert!(!asks_for_check(other.as_bytes()), "{other}");
        }
    }
}
