//! A diagnosis as JSON, and as text for a person: one check after the other.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::platform::problem::Problem;

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// Nothing is wrong.
    Ok,
    /// Something is wrong: `remedy` says what to do.
    Failed,
    /// The check gave no result. This is no failure.
    Unknown,
    /// The check was not possible, or is not necessary: `detail` says why.
    Skipped,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// Its name: `credentials`, `push_keys`, `state`, `ticket`, `host:…`, `token`, `egress_ip`, `code`.
    #[serde(rename = "link")]
    pub name: String,
    /// The result.
    pub status: CheckStatus,
    /// What was found, for a person.
    pub detail: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// What was found, for programs: numbers have their units in the name.
    #[serde(flatten)]
    pub facts: Map<String, Value>,
    /// The problem that the check met. Its cause may be another check.
    #[serde(skip)]
    pub(super) problem: Option<Box<Problem>>,
}

impl Check {
    pub(super) fn new(name: &str, status: CheckStatus, detail: impl Into<String>) -> Self {
        let (name, detail) = (name.to_owned(), detail.into());
        Self { name, status, detail, remedy: None, facts: Map::new(), problem: None }
    }

    pub(super) fn ok(name: &str, detail: impl Into<String>) -> Self {
        Self::new(name, CheckStatus::Ok, detail)
    }

    pub(super) fn failed(name: &str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..Self::new(name, CheckStatus::Failed, detail) }
    }

    /// A check that met a problem. Whether it failed or is skipped is decided when all checks are there.
    pub(super) fn met(name: &str, problem: &Problem) -> Self {
        Self { problem: Some(Box::new(problem.clone())), ..Self::new(name, CheckStatus::Skipped, "") }
    }

    /// The same check with a fact; without it when there is none.
    pub(super) fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.add_facts([(name, value.into())]);
        self
    }

    /// Adds the facts that are there.
    pub(super) fn add_facts<const N: usize>(&mut self, facts: [(&str, Value); N]) {
        let known = facts.into_iter().filter(|(_, value)| !value.is_null());
        self.facts.extend(known.map(|(name, value)| (name.to_owned(), value)));
    }
}

/// The result of all checks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagnosis {
    /// Whether no check failed.
    pub ok: bool,
    /// The names of the checks that failed.
    pub failed: Vec<String>,
    /// When it was made, in UTC.
    pub checked_at: String,
    /// The component.
    pub component_appid: Option<String>,
    /// `on` or `off`.
    pub minting: &'static str,
    /// Every check, in the order of the chain.
    #[serde(rename = "links")]
    pub checks: Vec<Check>,
    /// The same for a person, in aligned lines.
    pub text: String,
}

impl Diagnosis {
    pub(super) fn new(checked_at: String, appid: Option<String>, minting: bool, checks: Vec<Check>) -> Self {
        let failed = checks.iter().filter(|check| check.status == CheckStatus::Failed);
        let failed: Vec<String> = failed.map(|check| check.name.clone()).collect();
        Self {
            ok: failed.is_empty(),
            failed,
            checked_at,
            component_appid: appid,
            minting: if minting { "on" } else { "off" },
            text: text(&checks),
            checks,
        }
    }
}

fn text(checks: &[Check]) -> String {
    let width = checks.iter().map(|check| check.name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for check in checks {
        let status = match check.status {
            CheckStatus::Ok => "ok",
            CheckStatus::Failed => "FAILED",
            CheckStatus::Unknown => "unknown",
            CheckStatus::Skipped => "skipped",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:width$}  {status:7}  {}", check.name, check.detail);
        if let Some(remedy) = &check.remedy {
            let _ = writeln!(text, "{:width$}           → {remedy}", "");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_aligned_and_a_remedy_stands_below_its_check() {
        let checks =
            vec![Check::ok("ticket", "arrived 40 s ago"), Check::failed("egress_ip", "refused", "append it")];
        let report = Diagnosis::new("now".into(), None, true, checks);
        assert_eq!(
            report.text,
            "ticket     ok       arrived 40 s ago\n\
             egress_ip  FAILED   refused\n                    → append it\n"
        );
        assert_eq!((report.ok, report.failed), (false, vec!["egress_ip".to_owned()]));
    }

    #[test]
    fn facts_stand_beside_the_other_fields() {
        let check = Check::ok("host:x", "d").fact("latency_ms", 7).fact("none", None::<i64>);
        let expected = serde_json::json!({"link":"host:x","status":"ok","detail":"d","latency_ms":7});
        assert_eq!(serde_json::to_value(check).unwrap(), expected);
    }
}
