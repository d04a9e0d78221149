//! What a request for a code and a request for an authorization link have in common.

use std::num::NonZeroU32;

use serde_json::{Map, Value};

use super::fields::Fields;
use crate::platform::problem::texts;
use crate::platform::{Authorization, Problem, Result};

/// Largest request, in bytes. A full one, with the longest URL, has some 4 KiB.
const MAX_REQUEST_BYTES: usize = 16 * 1024;
/// Longest `reference`, in characters.
const MAX_REFERENCE_CHARS: usize = 64;

/// The fields of a request. An empty body and `null` are the same as `{}`.
///
/// # Errors
/// `Request.Invalid` when it is too large or no JSON object.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>> {
    if body.len() > MAX_REQUEST_BYTES {
        return Err(Problem::invalid(texts::TOO_LARGE.with(&[("most", &MAX_REQUEST_BYTES)])));
    }
    if body.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => Err(Problem::invalid(texts::NOT_AN_OBJECT)),
        Err(error) => {
            let detail = texts::NOT_JSON.with(&[("line", &error.line()), ("column", &error.column())]);
            Err(Problem::invalid(detail))
        }
    }
}

/// The caller's `reference`.
pub(super) fn reference(fields: &Fields<'_>) -> Result<Option<String>> {
    match fields.text("reference")? {
        Some(reference) if !is_printable(reference, MAX_REFERENCE_CHARS) => {
            Err(Problem::invalid(texts::REFERENCE.with(&[("most", &MAX_REFERENCE_CHARS)])))
        }
        reference => Ok(reference.map(str::to_owned)),
    }
}

/// `auth_type`, `biz_appid` and `category_id_list`.
pub(super) fn authorization(fields: &Fields<'_>) -> Result<Authorization> {
    let auth_type = fields.read("auth_type", texts::NOT_A_POSITIVE_INTEGER, id)?;
    let ids = |value: &Value| value.as_array()?.iter().map(id).collect::<Option<Vec<_>>>();
    let category_ids = fields.read("category_id_list", texts::NOT_POSITIVE_INTEGERS, ids)?;
    Authorization::new(auth_type, fields.text("biz_appid")?, category_ids.unwrap_or_default())
}

fn id(value: &Value) -> Option<NonZeroU32> {
    NonZeroU32::new(value.as_u64()?.try_into().ok()?)
}

/// Whether a text is printable ASCII and has at most so many characters.
pub(super) fn is_printable(text: &str, most: usize) -> bool {
    text.len() <= most && text.bytes().all(|b| (b' '..=b'~').contains(&b))
}
