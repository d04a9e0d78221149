//! How the fields of WeChat's answers are read. WeChat writes an integer as a number or as a string, so
//! every integer is read by [`integer`].

use secrecy::SecretString;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error};
use serde_json::Value;

/// The errcode and errmsg that any answer may have. A success has errcode 0 or none.
#[derive(serde::Deserialize)]
pub(super) struct Status {
    #[serde(default, deserialize_with = "integer")]
    pub errcode: i64,
    #[serde(default, deserialize_with = "text")]
    pub errmsg: String,
}

/// An integer, or a string that holds one.
pub(super) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let integer = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
    integer.ok_or_else(|| D::Error::custom("not an integer"))
}

/// The same, or `None` when the field holds something else.
pub(super) fn optional_integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(integer(deserializer).ok())
}

/// A positive number of seconds.
pub(super) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    match integer(deserializer)? {
        seconds @ 1.. => Ok(seconds),
        _ => Err(D::Error::custom("not positive")),
    }
}

/// A string, or an empty one when the field holds something else.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(or_none(deserializer)?.unwrap_or_default())
}

/// A string that is not empty.
pub(super) fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    match text(deserializer)? {
        text if text.is_empty() => Err(D::Error::custom("not a string, or empty")),
        text => Ok(text.into()),
    }
}

/// A value of this type, or `None` when the field holds something else.
pub(super) fn or_none<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}
