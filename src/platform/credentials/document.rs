//! The credentials document: JSON in a secret that only the operator writes.
//!
//! It is read field by field, not with `Deserialize`: serde's messages quote the values they refuse. Each
//! function requires only the fields that it uses, so most errors are kept until a field is needed.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use crate::platform::cause::Cause;
use crate::wechat::ids::is_appid;
use crate::wechat::push::PushKey;

/// Longest field accepted, in characters. WeChat's appids have 18, its longest secrets 43.
const MAX_FIELD_CHARS: usize = 128;

/// The document and the name of its version.
#[derive(Debug, Clone)]
pub struct SecretDocument {
    /// The JSON text.
    pub json: SecretString,
    /// Changes whenever the text does.
    pub version: String,
}

/// Why there are no credentials.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SecretsError {
    /// An outage or throttling. The next read may succeed.
    #[error("the credentials secret cannot be read at the moment: {0}")]
    Unavailable(#[source] Cause),
    /// The secret is missing, denied, not filled or wrong. The operator must act. Says which field is wrong.
    #[error("the credentials secret {0}")]
    Invalid(String),
}

/// The credentials. Secrets are of types that cannot be printed.
#[derive(Debug)]
pub struct Credentials {
    /// The platform's appid.
    pub component_appid: String,
    component_appsecret: Result<SecretString, SecretsError>,
    /// The keys of pushes.
    pub push_keys: PushKeys,
    /// The version of the document.
    pub version: String,
}

/// The entries of `push_keys`.
#[derive(Debug, Default)]
pub struct PushKeys {
    /// The keys of the entries that are right, in their order.
    pub usable: Vec<PushKey>,
    /// The other entries, each by its place and what is wrong with it.
    pub wrong: Vec<String>,
    /// The Tokens of those of them that have a well-formed one.
    pub tokens_of_wrong: Vec<SecretString>,
}

impl Credentials {
    /// Reads the document. Unknown fields are ignored.
    ///
    /// # Errors
    /// When it is not JSON, or `component_appid` is missing or wrong. Never shows a value.
    pub fn parse(document: &SecretDocument) -> Result<Self, SecretsError> {
        let invalid = |what: &str| Err(SecretsError::Invalid(what.to_owned()));
        let text = document.json.expose_secret().trim();
        if text.is_empty() {
            return invalid("is empty: it has not been filled yet");
        }
        let Ok(Value::Object(fields)) = serde_json::from_str(text) else {
            return invalid("is not a JSON object");
        };
        let required =
            |name| field(&fields, name).map_err(|wrong| SecretsError::Invalid(format!("is wrong: {wrong}")));
        let component_appid = required("component_appid")?;
        if !is_appid(&component_appid) {
            return invalid("has a component_appid that is not an appid (wx and letters and digits)");
        }
        Ok(Self {
            component_appid,
            component_appsecret: required("component_appsecret").map(SecretString::from),
            push_keys: PushKeys::read(fields.get("push_keys")),
            version: document.version.clone(),
        })
    }

    /// The platform's appsecret.
    ///
    /// # Errors
    /// When the document does not hold it.
    pub fn appsecret(&self) -> Result<&SecretString, SecretsError> {
        self.component_appsecret.as_ref().map_err(Clone::clone)
    }
}

impl PushKeys {
    fn read(value: Option<&Value>) -> Self {
        let mut keys = Self::default();
        match value {
            None | Some(Value::Null) => {}
            Some(Value::Array(entries)) => {
                for (index, entry) in entries.iter().enumerate() {
                    match push_key(entry) {
                        Ok(key) => keys.usable.push(key),
                        Err(wrong) => {
                            keys.wrong.push(format!("push_keys[{index}]: {wrong}"));
                            keys.tokens_of_wrong.extend(token_of(entry));
                        }
                    }
                }
            }
            Some(_) => keys.wrong.push("push_keys: it is not an array".to_owned()),
        }
        keys
    }

    /// What the operator must correct before every push can be opened, if anything.
    pub fn error(&self) -> Option<SecretsError> {
        let what = match (self.wrong.first(), self.usable.is_empty()) {
            (Some(wrong), _) => format!("has a wrong {wrong}"),
            (None, true) => "has no push_keys, so no push can be checked".to_owned(),
            (None, false) => return None,
        };
        Some(SecretsError::Invalid(what))
    }
}

fn push_key(entry: &Value) -> Result<PushKey, String> {
    let entry = entry.as_object().ok_or("it is not an object")?;
    let secret = |name| field(entry, name).map(SecretString::from);
    let (token, key) = (secret("token")?, secret("encoding_aes_key")?);
    PushKey::new(token, key.expose_secret()).map_err(|error| error.to_string())
}

/// The Token of an entry, if it is one.
fn token_of(entry: &Value) -> Option<SecretString> {
    let token = field(entry.as_object()?, "token").ok()?;
    token.bytes().all(|byte| byte.is_ascii_graphic()).then(|| token.into())
}

/// The text of a field, or what is wrong with it.
fn field(fields: &Map<String, Value>, name: &str) -> Result<String, String> {
    let wrong = match fields.get(name) {
        None | Some(Value::Null) => "is missing",
        Some(Value::String(text)) if text.trim().is_empty() => "is empty",
        Some(Value::String(text)) if text.trim().chars().count() > MAX_FIELD_CHARS => "is too long",
        Some(Value::String(text)) => return Ok(text.trim().to_owned()),
        Some(_) => "is not a string",
    };
    Err(format!("{name} {wrong}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Credentials, SecretsError> {
        Credentials::parse(&SecretDocument { json: json.into(), version: "1".into() })
    }

    #[test]
    fn the_error_names_the_field_and_never_its_value() {
        for (json, problem) in [
            ("", "the credentials secret is empty: it has not been filled yet"),
            ("s3cret", "the credentials secret is not a JSON object"),
            (r#"["s3cret"]"#, "the credentials secret is not a JSON object"),
            ("{}", "the credentials secret is wrong: component_appid is missing"),
            (r#"{"component_appid":7}"#, "the credentials secret is wrong: component_appid is not a string"),
            (
                r#"{"component_appid":"wx s3cret"}"#,
                "the credentials secret has a component_appid that is not an appid (wx and letters and digits)",
            ),
        ] {
            assert_eq!(parse(json).unwrap_err().to_string(), problem);
        }
    }

    #[test]
    fn an_appsecret_is_required_only_where_it_is_used() {
        for (json, problem) in [
            (r#"{"component_appid":"wx1"}"#, "is wrong: component_appsecret is missing"),
            (
                r#"{"component_appid":"wx1","component_appsecret":" "}"#,
                "is wrong: component_appsecret is empty",
            ),
            (
                r#"{"component_appid":"wx1","component_appsecret":7}"#,
                "is wrong: component_appsecret is not a string",
            ),
        ] {
            let error = parse(json).unwrap().appsecret().unwrap_err();
            assert_eq!(error.to_string(), format!("the credentials secret {problem}"));
        }
    }

    #[test]
    fn wrong_push_keys_are_named_and_disturb_nothing_else() {
        let key = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
        let good = format!(r#"{{"token":"t","encoding_aes_key":"{key}"}}"#);
        for (entries, wrong) in [
            ("{}".to_owned(), "push_keys: it is not an array"),
            (format!(r#"["s3cret",{good}]"#), "push_keys[0]: it is not an object"),
            (
                format!(r#"[{good},{{"token":"s3cret","encoding_aes_key":7}}]"#),
                "push_keys[1]: encoding_aes_key is not a string",
            ),
            (format!(r#"[{{"encoding_aes_key":"{key}"}},{good}]"#), "push_keys[0]: token is missing"),
            (
                format!(r#"[{{"token":"s3 cret","encoding_aes_key":"{key}"}},{good}]"#),
                "push_keys[0]: token: character 3 is not a printable ASCII character without space",
            ),
        ] {
            let json =
                format!(r#"{{"component_appid":"wx1","component_appsecret":"s","push_keys":{entries}}}"#);
            let credentials = parse(&json).unwrap();
            assert_eq!(credentials.push_keys.wrong, [wrong]);
            assert_eq!(credentials.push_keys.usable.len(), usize::from(entries.contains(key)));
            let error = credentials.push_keys.error().unwrap().to_string();
            assert_eq!(error, format!("the credentials secret has a wrong {wrong}"));
            credentials.appsecret().unwrap();
        }
    }

    #[test]
    fn unknown_fields_are_ignored_and_secrets_cannot_be_printed() {
        let credentials = parse(
            r#"{"component_appid":" wx1 ","component_appsecret":"s3cret","note":1,
                "push_keys":[{"token":"s3cret","encoding_aes_key":"s3cretefghijklmnopqrstuvwxyz0123456789ABCDE"}]}"#,
        )
        .unwrap();
        assert_eq!(credentials.component_appid, "wx1");
        assert_eq!((credentials.push_keys.usable.len(), credentials.push_keys.error().is_none()), (1, true));
        assert!(!format!("{credentials:?}").contains("s3cret"));
    }
}
