//! The pieces that events are made of.

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use serde_json::{Value, json};

/// The query parameters of a push.
pub(super) const QUERY_NAMES: [&str; 5] =
    ["timestamp", "nonce", "encrypt_type", "msg_signature", "signature"];

/// A string: one that has a meaning where it stands, or any other.
#[derive(Debug, Arbitrary)]
pub enum Word {
    /// An index into the strings that have a meaning there.
    Known(u8),
    /// Any string.
    Any(String),
}

impl Word {
    /// The string, where `known` are those that have a meaning.
    pub(crate) fn of(&self, known: &[&str]) -> String {
        match self {
            Self::Known(index) => known[usize::from(*index) % known.len()].to_owned(),
            Self::Any(word) => word.clone(),
        }
    }
}

/// A JSON value.
#[derive(Debug, Arbitrary)]
pub enum Piece {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An integer.
    Whole(i64),
    /// Any other number.
    Broken(f64),
    /// A string.
    Text(String),
    /// A string that starts with `https://`.
    Https(String),
    /// An array of numbers.
    Ids(Vec<u32>),
    /// An array of strings.
    Texts(Vec<String>),
    /// An object.
    Object(Vec<(String, String)>),
}

impl Piece {
    pub(super) fn json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => json!(value),
            Self::Whole(value) => json!(value),
            Self::Broken(value) => json!(value),
            Self::Text(text) => json!(text),
            Self::Https(rest) => json!(format!("https://{rest}")),
            Self::Ids(ids) => json!(ids),
            Self::Texts(texts) => json!(texts),
            Self::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), json!(value))).collect(),
        }
    }
}

/// A request for a code, valid or not.
#[derive(Debug, Arbitrary)]
pub struct CodeRequest(Vec<(Word, Piece)>);

impl CodeRequest {
    /// As JSON.
    pub(super) fn json(&self) -> Value {
        let names = [
            "component_appid",
            "redirect_uri",
            "auth_type",
            "biz_appid",
            "category_id_list",
            "reference",
            "state",
            "return_url",
            "expires_in",
        ];
        self.0.iter().map(|(name, value)| (name.of(&names), value.json())).collect()
    }
}
