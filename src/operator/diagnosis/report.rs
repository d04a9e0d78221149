//! A diagnosis as JSON, and as text for a person: one check after the other.

use std::fmt::Write as _;

use serde::Serialize;

use crate::platform::check::{Check, CheckStatus};

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
