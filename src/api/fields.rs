//! Reads the fields of a JSON request one by one. A problem names a field and what it must be. It never repeats a
//! value, because any value may be a secret.

use serde_json::{Map, Value};

use crate::platform::problem::texts::{self, Text};
use crate::platform::problem::{Problem, Result};

/// Longest part of an unknown field's name that is repeated.
const MAX_SHOWN_CHARS: usize = 40;

/// The fields of a JSON object. `null` is the same as an absent field.
pub(super) struct Fields<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Fields<'a> {
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>> {
        self.read(name, texts::NOT_A_STRING, Value::as_str)
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool> {
        Ok(self.read(name, texts::NOT_A_BOOLEAN, Value::as_bool)?.unwrap_or(false))
    }

    /// A field's value as `read` understands it. `detail` says what it must be.
    pub(super) fn read<T>(
        &self,
        name: &str,
        detail: Text,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>> {
        let wrong = || Problem::invalid(detail.with(&[("field", &name)]));
        self.get(name).map(|value| read(value).ok_or_else(wrong)).transpose()
    }

    /// Refuses a field that is not among the known ones. `takes` says which those are.
    pub(super) fn refuse_unknown(&self, known: &[&str], takes: &str) -> Result<()> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => {
                let shown: String = name.chars().take(MAX_SHOWN_CHARS).collect();
                let detail =
                    texts::UNKNOWN_FIELD.with(&[("takes", &takes), ("field", &format!("{shown:?}"))]);
                Err(Problem::invalid(detail))
            }
        }
    }
}
