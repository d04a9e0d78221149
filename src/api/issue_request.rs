//! The request for a code: a JSON object whose fields are all optional, checked one by one.

use super::authorization_fields::{authorization, object, reference};
use super::fields::Fields;
use crate::platform::problem::texts;
use crate::platform::{IssueRequest, Problem, Result, UrlOptions};

const FIELDS: [&str; 6] =
    ["component_appid", "redirect_uri", "auth_type", "biz_appid", "category_id_list", "reference"];

/// Reads a request. An empty body and `null` are the same as `{}`.
///
/// # Errors
/// `Request.Invalid`, naming the field and what it must be.
pub fn parse(body: &[u8]) -> Result<IssueRequest> {
    let fields = object(body)?;
    let fields = Fields(&fields);
    fields.refuse_unknown(&FIELDS, &texts::REQUEST_FIELDS.with(&[("fields", &FIELDS.join(", "))]))?;
    Ok(IssueRequest {
        component_appid: fields.text("component_appid")?.map(str::to_owned),
        links: links(&fields)?,
        reference: reference(&fields)?,
    })
}

fn links(fields: &Fields<'_>) -> Result<Option<UrlOptions>> {
    let Some(redirect_uri) = fields.text("redirect_uri")? else {
        let needs_it = ["auth_type", "biz_appid", "category_id_list"];
        return match needs_it.iter().find(|name| fields.get(name).is_some()) {
            Some(name) => Err(Problem::invalid(texts::NEEDS_REDIRECT_URI.with(&[("field", name)]))),
            None => Ok(None),
        };
    };
    UrlOptions::new(redirect_uri, authorization(fields)?).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::ProblemCode;

    #[test]
    fn an_empty_body_is_a_request_without_fields() {
        for body in ["", "  \n", "{}", "null", r#"{"redirect_uri":null,"reference":null}"#] {
            assert_eq!(parse(body.as_bytes()).unwrap(), IssueRequest::default(), "{body:?}");
        }
    }

    #[test]
    fn a_bad_field_is_named_with_what_it_must_be() {
        let long = format!(r#"{{"reference":"{}"}}"#, "x".repeat(65));
        let huge = format!(r#"{{"reference":"{}"}}"#, "x".repeat(20_000));
        for (body, detail) in [
            ("{", "the request is not JSON (line 1, column 1)"),
            ("[]", "the request must be a JSON object"),
            ("\"x\"", "the request must be a JSON object"),
            (
                r#"{"redirectUri":"x"}"#,
                "unknown field \"redirectUri\"; the fields are component_appid, redirect_uri, auth_type, biz_appid, category_id_list, reference",
            ),
            (r#"{"component_appid":7}"#, "component_appid must be a string"),
            (r#"{"redirect_uri":["https://a.example"]}"#, "redirect_uri must be a string"),
            (r#"{"redirect_uri":"http://a.example"}"#, "redirect_uri must be an https:// URL"),
            (r#"{"auth_type":3}"#, "auth_type is for the links, which need redirect_uri"),
            (
                r#"{"redirect_uri":"https://a.example","auth_type":"3"}"#,
                "auth_type must be a positive integer",
            ),
            (r#"{"redirect_uri":"https://a.example","auth_type":0}"#, "auth_type must be a positive integer"),
            (
                r#"{"redirect_uri":"https://a.example","auth_type":-1}"#,
                "auth_type must be a positive integer",
            ),
            (r#"{"redirect_uri":"https://a.example","biz_appid":""}"#, "biz_appid must be an appid"),
            (
                r#"{"redirect_uri":"https://a.example","category_id_list":"1|2"}"#,
                "category_id_list must be an array of positive integers",
            ),
            (
                r#"{"redirect_uri":"https://a.example","category_id_list":[1.5]}"#,
                "category_id_list must be an array of positive integers",
            ),
            (r#"{"reference":"订单"}"#, "reference must be at most 64 printable ASCII characters"),
            (&long, "reference must be at most 64 printable ASCII characters"),
            (&huge, "the request is larger than 16384 bytes"),
        ] {
            let problem = parse(body.as_bytes()).unwrap_err();
            assert_eq!((problem.code, problem.detail.as_str()), (ProblemCode::RequestInvalid, detail));
        }
    }
}
