//! The keeper's event: a JSON object with `action` and the fields of that action, and no others.

use secrecy::SecretString;
use serde_json::Value;

use super::fields::Fields;
use crate::operator::TokenExpiry;
use crate::platform::problem::texts::{self, Text};
use crate::platform::{Problem, Result};
use crate::wechat::ids::{is_cgi_path, is_rid};

/// One action.
#[derive(Debug)]
pub enum KeeperAction {
    /// Renew the token if it is time: the schedule's action.
    Refresh {
        /// Mint even if the stored token is fresh.
        force: bool,
    },
    /// Check the whole chain.
    Diagnose,
    /// Store a token that was minted elsewhere.
    PutToken {
        /// The token.
        component_access_token: SecretString,
        /// When it expires.
        expiry: TokenExpiry,
        /// Store it even if a stored valid token expires later.
        replace: bool,
    },
    /// Find the address that WeChat sees.
    ProbeAddress,
    /// Ask WeChat to push verify tickets.
    StartPushTicket,
    /// Reset the daily quotas.
    ClearQuota,
    /// Show daily quotas.
    GetQuota {
        /// The one call whose quota is shown.
        cgi_path: Option<String>,
    },
    /// Show what WeChat recorded of a request.
    ExplainRid {
        /// The request's id.
        rid: String,
    },
}

/// Every action with its fields.
const ACTIONS: [(&str, &[&str]); 8] = [
    ("refresh", &["force"]),
    ("diagnose", &[]),
    ("probe_address", &[]),
    ("put_token", &["component_access_token", "expires_at", "expires_in", "replace"]),
    ("start_push_ticket", &[]),
    ("clear_quota", &["confirm"]),
    ("get_quota", &["cgi_path"]),
    ("explain_rid", &["rid"]),
];

impl KeeperAction {
    /// Reads an event: the action's name and the action.
    ///
    /// # Errors
    /// `Request.Invalid`, naming the field and what it must be.
    pub fn parse(event: &Value) -> Result<(&'static str, Self)> {
        let Value::Object(fields) = event else {
            return Err(Problem::invalid(texts::KEEPER_EVENT));
        };
        let fields = Fields(fields);
        let wrong_action = |text: Text| {
            let names = ACTIONS.map(|(name, _)| name).join(", ");
            Problem::invalid(text.with(&[("actions", &names)]))
        };
        let name = fields.get("action").and_then(Value::as_str);
        let name = name.ok_or_else(|| wrong_action(texts::NO_ACTION))?;
        let action = ACTIONS.into_iter().find(|(action, _)| *action == name);
        let (name, known) = action.ok_or_else(|| wrong_action(texts::UNKNOWN_ACTION))?;
        let takes = if known.is_empty() { texts::ACTION_WITHOUT_FIELDS } else { texts::ACTION_FIELDS };
        let takes = takes.with(&[("action", &name), ("fields", &known.join(", "))]);
        fields.refuse_unknown(&[known, &["action"]].concat(), &takes)?;
        let missing = |text: Text| move || Problem::invalid(text);
        let action = match name {
            "refresh" => Self::Refresh { force: fields.flag("force")? },
            "diagnose" => Self::Diagnose,
            "probe_address" => Self::ProbeAddress,
            "put_token" => Self::PutToken {
                component_access_token: fields
                    .text("component_access_token")?
                    .ok_or_else(missing(texts::PUT_TOKEN_TOKEN))?
                    .into(),
                expiry: expiry(&fields).ok_or_else(missing(texts::PUT_TOKEN_EXPIRY))?,
                replace: fields.flag("replace")?,
            },
            "start_push_ticket" => Self::StartPushTicket,
            "clear_quota" if fields.flag("confirm")? => Self::ClearQuota,
            "clear_quota" => return Err(Problem::invalid(texts::CLEAR_QUOTA_CONFIRM)),
            "get_quota" => match fields.text("cgi_path")? {
                Some(path) if !is_cgi_path(path) => return Err(Problem::invalid(texts::CGI_PATH)),
                path => Self::GetQuota { cgi_path: path.map(str::to_owned) },
            },
            _ => match fields.text("rid")?.map(str::trim) {
                Some(rid) if is_rid(rid) => Self::ExplainRid { rid: rid.to_owned() },
                _ => return Err(Problem::invalid(texts::RID)),
            },
        };
        Ok((name, action))
    }
}

/// Exactly one of `expires_at` and `expires_in`.
fn expiry(fields: &Fields<'_>) -> Option<TokenExpiry> {
    match (fields.get("expires_at"), fields.get("expires_in")) {
        (Some(time), None) => time.as_i64().map(TokenExpiry::At),
        (None, Some(seconds)) => seconds.as_i64().map(TokenExpiry::In),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::ProblemCode;
    use secrecy::ExposeSecret as _;
    use serde_json::json;

    #[test]
    fn every_action_is_read_with_its_fields() {
        for (event, action) in [
            (json!({"action":"refresh"}), "Refresh { force: false }"),
            (json!({"action":"refresh","force":true}), "Refresh { force: true }"),
            (json!({"action":"diagnose"}), "Diagnose"),
            (json!({"action":"probe_address"}), "ProbeAddress"),
            (json!({"action":"start_push_ticket"}), "StartPushTicket"),
            (json!({"action":"clear_quota","confirm":true}), "ClearQuota"),
            (json!({"action":"get_quota","cgi_path":null}), "GetQuota { cgi_path: None }"),
            (json!({"action":"get_quota","cgi_path":"/a/b_c"}), r#"GetQuota { cgi_path: Some("/a/b_c") }"#),
            (
                json!({"action":"explain_rid","rid":" 5f92a0c3-4b491949-0aa4f69d "}),
                r#"ExplainRid { rid: "5f92a0c3-4b491949-0aa4f69d" }"#,
            ),
        ] {
            let (name, parsed) = KeeperAction::parse(&event).unwrap();
            assert_eq!(format!("{parsed:?}"), action);
            assert_eq!(name, event["action"]);
        }
        for (replace, expected) in [(json!(null), false), (json!(false), false), (json!(true), true)] {
            let put = json!({
                "action": "put_token", "component_access_token": "s3cret", "expires_at": 1_800_000_000, "replace": replace,
            });
            let (_, put) = KeeperAction::parse(&put).unwrap();
            assert!(!format!("{put:?}").contains("s3cret"));
            let KeeperAction::PutToken { component_access_token, expiry, replace } = put else {
                panic!("not put_token")
            };
            assert_eq!(component_access_token.expose_secret(), "s3cret");
            assert_eq!((expiry, replace), (TokenExpiry::At(1_800_000_000), expected));
        }
    }

    #[test]
    fn put_token_takes_exactly_one_expiry() {
        let put = |mut fields: Value| {
            fields["action"] = "put_token".into();
            fields["component_access_token"] = "s3cret".into();
            KeeperAction::parse(&fields)
        };
        for (fields, expected) in [
            (json!({"expires_at":1_800_000_000}), TokenExpiry::At(1_800_000_000)),
            (json!({"expires_in":7200}), TokenExpiry::In(7200)),
            (json!({"expires_in":7200,"expires_at":null}), TokenExpiry::In(7200)),
        ] {
            let Ok((_, KeeperAction::PutToken { expiry, .. })) = put(fields) else { panic!("not put_token") };
            assert_eq!(expiry, expected);
        }
        for fields in [
            json!({}),
            json!({"expires_at":"1800000000"}),
            json!({"expires_in":"7200"}),
            json!({"expires_in":7200.5}),
            json!({"expires_at":1_800_000_000,"expires_in":7200}),
        ] {
            let detail =
                "put_token needs either expires_at, in Unix seconds, or expires_in, in seconds from now";
            assert_eq!(put(fields).unwrap_err().detail, detail);
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_no_value_is_repeated() {
        let all = "refresh, diagnose, probe_address, put_token, start_push_ticket, clear_quota, get_quota, explain_rid";
        for (event, detail) in [
            (json!(null), "the event must be a JSON object with an action".to_owned()),
            (json!(["refresh"]), "the event must be a JSON object with an action".to_owned()),
            (json!({}), format!("action is missing; it is one of {all}")),
            (json!({"action":7}), format!("action is missing; it is one of {all}")),
            (json!({"action":"mint"}), format!("unknown action; it is one of {all}")),
            (json!({"action":"diagnose","deep":true}), "unknown field \"deep\"; diagnose takes no field".into()),
            (json!({"action":"refresh","Force":true}), "unknown field \"Force\"; refresh takes force".into()),
            (json!({"action":"refresh","force":"yes"}), "force must be true or false".into()),
            (
                json!({"action":"diagnose","x".repeat(41):1}),
                format!("unknown field \"{}\"; diagnose takes no field", "x".repeat(40)),
            ),
            (
                json!({"action":"put_token","component_access_token":"s3cret","expires_at":1,"replace":"yes"}),
                "replace must be true or false".into(),
            ),
            (json!({"action":"put_token"}), "put_token needs component_access_token".into()),
            (
                json!({"action":"put_token","component_access_token":["s3cret"]}),
                "component_access_token must be a string".into(),
            ),
            (
                json!({"action":"clear_quota"}),
                "clear_quota needs \"confirm\": true: WeChat allows ten resets a month, for all calls together".into(),
            ),
            (
                json!({"action":"get_quota","cgi_path":"https://api.weixin.qq.com/cgi-bin/x"}),
                "cgi_path must be a path without host and query, such as /cgi-bin/component/api_create_preauthcode".into(),
            ),
            (
                json!({"action":"explain_rid","rid":"s3cret"}),
                "explain_rid needs rid, such as 5f92a0c3-4b491949-0aa4f69d".into(),
            ),
        ] {
            let problem = KeeperAction::parse(&event).unwrap_err();
            assert_eq!((problem.code, problem.detail), (ProblemCode::RequestInvalid, detail));
        }
    }
}
