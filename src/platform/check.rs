//! One check of the service's configuration or of its way to WeChat. The keeper's diagnosis makes many, the callback
//! the one of its push keys.

use serde::Serialize;
use serde_json::{Map, Value};

use super::credentials::PushKeys;
use super::problem::{Problem, texts};

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
    pub(crate) problem: Option<Box<Problem>>,
}

impl Check {
    pub(crate) fn new(name: &str, status: CheckStatus, detail: impl Into<String>) -> Self {
        let (name, detail) = (name.to_owned(), detail.into());
        Self { name, status, detail, remedy: None, facts: Map::new(), problem: None }
    }

    pub(crate) fn ok(name: &str, detail: impl Into<String>) -> Self {
        Self::new(name, CheckStatus::Ok, detail)
    }

    pub(crate) fn failed(name: &str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..Self::new(name, CheckStatus::Failed, detail) }
    }

    /// A check that met a problem. Whether it failed or is skipped is decided when all checks are there.
    pub(crate) fn met(name: &str, problem: &Problem) -> Self {
        Self { problem: Some(Box::new(problem.clone())), ..Self::new(name, CheckStatus::Skipped, "") }
    }

    /// The same check with a fact; without it when there is none.
    pub(crate) fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.add_facts([(name, value.into())]);
        self
    }

    /// Adds the facts that are there.
    pub(crate) fn add_facts<const N: usize>(&mut self, facts: [(&str, Value); N]) {
        let known = facts.into_iter().filter(|(_, value)| !value.is_null());
        self.facts.extend(known.map(|(name, value)| (name.to_owned(), value)));
    }
}

/// The name of the check of push keys.
pub(crate) const PUSH_KEYS: &str = "push_keys";

/// Judges the push keys of a secret. `without` is the check of a secret that holds none.
pub(crate) fn push_keys(keys: &PushKeys, without: impl FnOnce() -> Check) -> Check {
    let (usable, wrong) = (keys.usable.len(), keys.wrong.len());
    let check = match (usable, wrong) {
        (0, 0) => without(),
        (_, 0) => Check::ok(PUSH_KEYS, format!("{usable} well-formed")),
        _ => Check::failed(PUSH_KEYS, keys.wrong.join("; "), texts::PUSH_KEYS_REMEDY),
    };
    check.fact("count", usable + wrong)
}
