//! Reading the report of a diagnosis.

use serde_json::Value;

use crate::support::service::TestService;

/// The address in EGRESS_IPS of the harness.
pub const EGRESS_IP: &str = "203.0.113.7";

/// From now on WeChat sees this address.
pub fn seen_from(world: &TestService, address: &str) {
    world.wechat.set_client_ip(Some(address.parse().unwrap()));
}

/// The check whose name begins with `name`.
pub fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["links"].as_array().unwrap();
    let found = |check: &&Value| check["link"].as_str().is_some_and(|link| link.starts_with(name));
    checks.iter().find(found).unwrap_or_else(|| panic!("no {name}: {report:#}"))
}

/// Asserts that `failed` failed alone and has a remedy, and that exactly `skipped` are skipped.
#[track_caller]
pub fn names(report: &Value, failed: &str, skipped: &[&str]) {
    assert_eq!(report["ok"], false);
    let names: Vec<&str> =
        report["failed"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(names.len() == 1 && names[0].starts_with(failed), "{failed} != {names:?}\n{report:#}");
    let cause = check(report, failed);
    assert!(cause["remedy"].as_str().is_some_and(|remedy| remedy.len() > 20), "{cause:#}");
    assert!(!cause["detail"].as_str().unwrap().is_empty());
    let text = report["text"].as_str().unwrap();
    assert!(text.contains("FAILED") && text.contains(cause["remedy"].as_str().unwrap()), "{text}");
    let is_skipped = |check: &&Value| check["status"] == "skipped";
    let found: Vec<&str> = report["links"]
        .as_array()
        .unwrap()
        .iter()
        .filter(is_skipped)
        .map(|check| check["link"].as_str().unwrap())
        .collect();
    assert_eq!(found, skipped, "{report:#}");
    for check in report["links"].as_array().unwrap().iter().filter(is_skipped) {
        assert!(check["detail"].as_str().unwrap().starts_with("cannot be checked: see "), "{check:#}");
    }
}
