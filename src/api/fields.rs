//! Reads the fields of a JSON request one by one. A problem names a field and what it must be. It never repeats a
//! value, because any value may be a secret.

use serde_json::{Map, Value};

use crate::platform::{Problem, ProblemCode, Result};

/// Longest part of an unknown field's name that is repeated.
const MAX_SHOWN_CHARS: usize = 40;

/// The fields of a JSON object. `null` is the same as an absent field.
pub(super) struct Fields<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Fields<'a> {
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>> {
        let text =
            |value: &'a Value| value.as_str().ok_or_else(|| invalid(format!("{name} must be a string")));
        self.get(name).map(text).transpose()
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(invalid(format!("{name} must be true or false"))),
        }
    }

    /// Refuses a field that is not among the known ones. `takes` says which those are.
    pub(super) fn refuse_unknown(&self, known: &[&str], takes: &str) -> Result<()> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => {
                let shown: String = name.chars().take(MAX_SHOWN_CHARS).collect();
                Err(invalid(format!("unknown field {shown:?}; {takes}")))
            }
        }
    }
}

pub(super) fn invalid(detail: impl Into<String>) -> Box<Problem> {
    Problem::new(ProblemCode::RequestInvalid, detail)
}
