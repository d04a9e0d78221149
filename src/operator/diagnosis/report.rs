//! A diagnosis: one link of the chain after the other, as JSON and as text for a person.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::platform::problem::{Problem, ProblemCode};

/// How a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// It holds.
    Ok,
    /// It is broken: `remedy` says what to do.
    Failed,
    /// Nothing can be said, and nothing is accused.
    Unknown,
    /// It could not be checked, because another one is broken: `detail` says which.
    Skipped,
}

/// One link of the chain.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// Its name: `credentials`, `push_keys`, `state`, `ticket`, `host:…`, `token`, `egress_ip`, `code`.
    pub link: String,
    /// How it is.
    pub status: CheckStatus,
    /// What was found, for a person.
    pub detail: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// What was found, for programs: numbers with their units in the name.
    #[serde(flatten)]
    pub facts: Map<String, Value>,
}

impl Check {
    pub(super) fn new(link: impl Into<String>, status: CheckStatus, detail: impl Into<String>) -> Self {
        Self { link: link.into(), status, detail: detail.into(), remedy: None, facts: Map::new() }
    }

    pub(super) fn failed(link: impl Into<String>, problem: &Problem) -> Self {
        Self::new(link, CheckStatus::Failed, String::new()).blamed(problem)
    }

    /// The same, as the cause of a problem.
    pub(super) fn blamed(mut self, problem: &Problem) -> Self {
        self.status = CheckStatus::Failed;
        self.detail.clone_from(&problem.detail);
        if problem.remedy.is_some() {
            self.remedy.clone_from(&problem.remedy);
        }
        self.fact("code", problem.code.as_str())
            .fact("errcode", problem.errcode)
            .fact("errmsg", problem.errmsg.clone())
            .fact("rid", problem.rid.clone())
            .fact("client_ip", problem.client_ip.clone())
    }

    pub(super) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Adds a fact; nothing when there is none.
    pub(super) fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        if !value.is_null() {
            self.facts.insert(name.to_owned(), value);
        }
        self
    }
}

/// The link that a problem is the fault of, when it is not the one it was met at.
pub(super) const fn cause_of(code: ProblemCode) -> Option<&'static str> {
    match code {
        ProblemCode::SecretsUnavailable
        | ProblemCode::SecretsInvalid
        | ProblemCode::ConfigAppIdRejected
        | ProblemCode::ConfigAppSecretRejected => Some("credentials"),
        ProblemCode::StateUnavailable => Some("state"),
        ProblemCode::TicketMissing | ProblemCode::TicketRejected => Some("ticket"),
        ProblemCode::TokenMissing | ProblemCode::TokenPending | ProblemCode::WeChatTokenRejected => {
            Some("token")
        }
        ProblemCode::ConfigEgressIpNotRegistered => Some("egress_ip"),
        _ => None,
    }
}

/// The whole chain.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagnosis {
    /// Whether no link is broken.
    pub ok: bool,
    /// The broken links.
    pub failed: Vec<String>,
    /// When it was checked, in UTC.
    pub checked_at: String,
    /// The component.
    pub component_appid: Option<String>,
    /// `on` or `off`.
    pub minting: &'static str,
    /// Every link, in the order of the chain.
    #[serde(rename = "links")]
    pub checks: Vec<Check>,
    /// The same for a person, in aligned lines.
    pub text: String,
}

impl Diagnosis {
    pub(super) fn new(
        checked_at: String,
        component_appid: Option<String>,
        minting: bool,
        checks: Vec<Check>,
    ) -> Self {
        let broken = checks.iter().filter(|link| link.status == CheckStatus::Failed);
        let failed: Vec<String> = broken.map(|link| link.link.clone()).collect();
        Self {
            ok: failed.is_empty(),
            failed,
            text: text(&checks),
            checked_at,
            component_appid,
            minting: if minting { "on" } else { "off" },
            checks,
        }
    }
}

fn text(checks: &[Check]) -> String {
    let width = checks.iter().map(|link| link.link.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for link in checks {
        let status = match link.status {
            CheckStatus::Ok => "ok",
            CheckStatus::Failed => "FAILED",
            CheckStatus::Unknown => "unknown",
            CheckStatus::Skipped => "skipped",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:width$}  {status:7}  {}", link.link, link.detail);
        if let Some(remedy) = &link.remedy {
            let _ = writeln!(text, "{:width$}           → {remedy}", "");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_aligned_and_a_remedy_stands_below_its_link() {
        let checks = vec![
            Check::new("ticket", CheckStatus::Ok, "arrived 40 s ago"),
            Check::new("egress_ip", CheckStatus::Failed, "refused").remedy("append it"),
        ];
        let report = Diagnosis::new("now".into(), None, true, checks);
        assert_eq!(
            report.text,
            "ticket     ok       arrived 40 s ago\n\
             egress_ip  FAILED   refused\n                    → append it\n"
        );
        assert_eq!((report.ok, report.failed), (false, vec!["egress_ip".to_owned()]));
    }

    #[test]
    fn facts_stand_beside_the_other_members() {
        let link = Check::new("host:x", CheckStatus::Ok, "d").fact("latency_ms", 7).fact("none", None::<i64>);
        let expected = serde_json::json!({"link":"host:x","status":"ok","detail":"d","latency_ms":7});
        assert_eq!(serde_json::to_value(link).unwrap(), expected);
    }
}
