//! Reads the bodies of control requests.

use serde::Deserialize;
use serde_json::Value;

/// The answer to a control request: JSON, or a status and an error text.
pub(super) type Outcome = Result<Value, (u16, String)>;

/// Reads a JSON body. The error names the first mistake.
pub(super) fn read<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, (u16, String)> {
    serde_json::from_str(body).map_err(|error| (400, error.to_string()))
}
