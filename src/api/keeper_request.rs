//! What the keeper is asked for: a JSON object with `action`, and the fields of that action and no
//! others. No value of a field is ever repeated: one of them is a token.

use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::platform::{Problem, ProblemCode, Result};
use crate::wechat::ids::{is_cgi_path, is_rid};

/// Longest part of an unknown name that is repeated.
const MAX_SHOWN_CHARS: usize = 40;

/// One action.
#[derive(Debug)]
pub enum KeeperAction {
    /// What the schedule asks for.
    Refresh {
        /// Mint whatever is there.
        force: bool,
    },
    /// Walk the whole chain.
    Diagnose,
    /// Store a token that was minted elsewhere.
    PutToken {
        /// The token.
        component_access_token: SecretString,
        /// When it expires, in Unix seconds.
        expires_at: i64,
        /// Replace a valid token that expires later.
        replace: bool,
    },
    /// Ask WeChat to push verify tickets.
    StartPushTicket,
    /// Reset the daily quotas.
    ClearQuota,
    /// Show daily quotas.
    GetQuota {
        /// Of this call only.
        cgi_path: Option<String>,
    },
    /// Show what WeChat recorded of a request.
    ExplainRid {
        /// The request's id.
        rid: String,
    },
}

/// Every action with its fields.
const ACTIONS: [(&str, &[&str]); 7] = [
    ("refresh", &["force"]),
    ("diagnose", &[]),
    ("put_token", &["component_access_token", "expires_at", "replace"]),
    ("start_push_ticket", &[]),
    ("clear_quota", &["confirm"]),
    ("get_quota", &["cgi_path"]),
    ("explain_rid", &["rid"]),
];

impl KeeperAction {
    /// Its name in events, answers and logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Refresh { .. } => "refresh",
            Self::Diagnose => "diagnose",
            Self::PutToken { .. } => "put_token",
            Self::StartPushTicket => "start_push_ticket",
            Self::ClearQuota => "clear_quota",
            Self::GetQuota { .. } => "get_quota",
            Self::ExplainRid { .. } => "explain_rid",
        }
    }

    /// Reads an event.
    ///
    /// # Errors
    /// `Request.Invalid`, naming the action or field and what it must be.
    pub fn parse(event: &Value) -> Result<Self> {
        let Value::Object(fields) = event else {
            return Err(invalid("the event must be a JSON object with an action"));
        };
        let Some(name) = fields.get("action").and_then(Value::as_str) else {
            return Err(invalid(format!("action is missing; it is one of {}", names())));
        };
        let Some((_, known)) = ACTIONS.into_iter().find(|(action, _)| *action == name) else {
            return Err(invalid(format!("unknown action {}; it is one of {}", shown(name), names())));
        };
        let unknown = |field: &&String| *field != "action" && !known.contains(&field.as_str());
        if let Some(field) = fields.keys().find(unknown) {
            let takes = if known.is_empty() { "no field".to_owned() } else { known.join(", ") };
            return Err(invalid(format!("unknown field {}; {name} takes {takes}", shown(field))));
        }
        match name {
            "refresh" => Ok(Self::Refresh { force: flag(fields, "force")? }),
            "diagnose" => Ok(Self::Diagnose),
            "put_token" => Ok(Self::PutToken {
                component_access_token: text(fields, "component_access_token")?
                    .ok_or_else(|| invalid("put_token needs component_access_token"))?
                    .into(),
                expires_at: fields
                    .get("expires_at")
                    .and_then(Value::as_i64)
                    .ok_or_else(|| invalid("put_token needs expires_at, a number of Unix seconds"))?,
                replace: flag(fields, "replace")?,
            }),
            "start_push_ticket" => Ok(Self::StartPushTicket),
            "clear_quota" if flag(fields, "confirm")? => Ok(Self::ClearQuota),
            "clear_quota" => Err(invalid(
                "clear_quota needs \"confirm\": true: WeChat allows ten resets a month, for all calls together",
            )),
            "get_quota" => Ok(Self::GetQuota { cgi_path: path(fields)? }),
            _ => Ok(Self::ExplainRid { rid: rid(fields)? }),
        }
    }
}

fn names() -> String {
    ACTIONS.map(|(name, _)| name).join(", ")
}

fn shown(name: &str) -> String {
    format!("{:?}", name.chars().take(MAX_SHOWN_CHARS).collect::<String>())
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(invalid(format!("{name} must be a string"))),
    }
}

fn flag(fields: &Map<String, Value>, name: &str) -> Result<bool> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(invalid(format!("{name} must be true or false"))),
    }
}

fn path(fields: &Map<String, Value>) -> Result<Option<String>> {
    let path = text(fields, "cgi_path")?;
    match path {
        Some(path) if !is_cgi_path(path) => Err(invalid(
            "cgi_path must be a path without host and query, such as /cgi-bin/component/api_create_preauthcode",
        )),
        path => Ok(path.map(str::to_owned)),
    }
}

fn rid(fields: &Map<String, Value>) -> Result<String> {
    match text(fields, "rid")? {
        Some(rid) if is_rid(rid.trim()) => Ok(rid.trim().to_owned()),
        _ => Err(invalid("explain_rid needs rid, such as 5f92a0c3-4b491949-0aa4f69d")),
    }
}

fn invalid(detail: impl Into<String>) -> Box<Problem> {
    Problem::new(ProblemCode::RequestInvalid, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_action_is_read_with_its_fields() {
        for (event, action) in [
            (json!({"action":"refresh"}), "Refresh { force: false }"),
            (json!({"action":"refresh","force":true}), "Refresh { force: true }"),
            (json!({"action":"diagnose"}), "Diagnose"),
            (json!({"action":"start_push_ticket"}), "StartPushTicket"),
            (json!({"action":"clear_quota","confirm":true}), "ClearQuota"),
            (json!({"action":"get_quota","cgi_path":null}), "GetQuota { cgi_path: None }"),
            (json!({"action":"get_quota","cgi_path":"/a/b_c"}), r#"GetQuota { cgi_path: Some("/a/b_c") }"#),
            (
                json!({"action":"explain_rid","rid":" 5f92a0c3-4b491949-0aa4f69d "}),
                r#"ExplainRid { rid: "5f92a0c3-4b491949-0aa4f69d" }"#,
            ),
        ] {
            let parsed = KeeperAction::parse(&event).unwrap();
            assert_eq!(format!("{parsed:?}"), action);
            assert_eq!(parsed.name(), event["action"]);
        }
        let put = json!({"action":"put_token","component_access_token":"s3cret","expires_at":1_800_000_000});
        let put = KeeperAction::parse(&put).unwrap();
        assert!(!format!("{put:?}").contains("s3cret"));
    }

    #[test]
    fn what_is_wrong_is_named_and_no_value_is_repeated() {
        let all = "refresh, diagnose, put_token, start_push_ticket, clear_quota, get_quota, explain_rid";
        for (event, detail) in [
            (json!(null), "the event must be a JSON object with an action".to_owned()),
            (json!(["refresh"]), "the event must be a JSON object with an action".to_owned()),
            (json!({}), format!("action is missing; it is one of {all}")),
            (json!({"action":7}), format!("action is missing; it is one of {all}")),
            (json!({"action":"mint"}), format!("unknown action \"mint\"; it is one of {all}")),
            (json!({"action":"diagnose","deep":true}), "unknown field \"deep\"; diagnose takes no field".into()),
            (json!({"action":"refresh","Force":true}), "unknown field \"Force\"; refresh takes force".into()),
            (json!({"action":"refresh","force":"yes"}), "force must be true or false".into()),
            (json!({"action":"put_token"}), "put_token needs component_access_token".into()),
            (
                json!({"action":"put_token","component_access_token":["s3cret"]}),
                "component_access_token must be a string".into(),
            ),
            (
                json!({"action":"put_token","component_access_token":"s3cret","expires_at":"7200"}),
                "put_token needs expires_at, a number of Unix seconds".into(),
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
