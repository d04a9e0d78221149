//! The component's credentials: one JSON document that only the operator writes.
//!
//! Parsed here, with errors that name the field and never show a value; kept in memory, and read
//! again when WeChat's answer says that they may have changed.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::platform::problem::{Problem, ProblemCode};

/// After a failed read, the failure is repeated for this long without asking again, so that an
/// outage does not cost every request its time-out.
const FAILURE_MEMORY: Duration = Duration::from_secs(5);

/// The credentials are read again when they are this old: a key that the operator has removed must not be
/// accepted for ever by a process that lives long.
const MAX_AGE: Duration = Duration::from_secs(600);

/// How long that may take: a request waits for it.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(1);

/// The credentials are read again at most this often while WeChat refuses them.
const REREAD_INTERVAL: Duration = Duration::from_secs(10);

/// Longest appid and appsecret accepted, in characters. Real ones have 18 and 32.
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
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// An outage or throttling: the next try may succeed.
    #[error("the credentials secret cannot be read at the moment: {0}")]
    Unavailable(String),
    /// Missing, denied, unfilled or wrong: the operator must act. Says which field.
    #[error("{0}")]
    Invalid(String),
}

impl From<SecretsError> for Box<Problem> {
    fn from(error: SecretsError) -> Self {
        match error {
            SecretsError::Unavailable(_) => Problem::secrets_unavailable(error.to_string()),
            SecretsError::Invalid(_) => Problem::new(ProblemCode::SecretsInvalid, error.to_string()).remedy(
                "Fill the secret with JSON: component_appid, component_appsecret, and for the callback \
                 push_keys: [{\"token\": 消息校验Token, \"encoding_aes_key\": EncodingAESKey}].",
            ),
        }
    }
}

/// Where the document comes from.
#[async_trait]
pub trait CredentialsSource: Send + Sync {
    /// Reads it.
    async fn fetch(&self) -> Result<SecretDocument, SecretsError>;
}

/// The credentials. Secrets are of a type that cannot be printed.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The platform's appid.
    pub component_appid: String,
    /// The platform's appsecret.
    pub component_appsecret: SecretString,
    /// The keys of pushes, current first; empty when the secret holds none.
    pub push_keys: Vec<PushKeyText>,
    /// The version of the document.
    pub version: String,
}

/// One entry of `push_keys`, as the operator wrote it.
#[derive(Debug, Clone)]
pub struct PushKeyText {
    /// 消息校验Token.
    pub token: SecretString,
    /// 消息加解密Key, 43 characters.
    pub encoding_aes_key: SecretString,
}

impl Credentials {
    /// Reads the document. Unknown fields are ignored.
    ///
    /// # Errors
    /// Names the field that is missing or wrong, and never its value.
    pub fn parse(document: &SecretDocument) -> Result<Self, SecretsError> {
        let invalid = |what: &str| SecretsError::Invalid(format!("the credentials secret {what}"));
        let text = document.json.expose_secret().trim();
        if text.is_empty() {
            return Err(invalid("is empty: it has not been filled yet"));
        }
        let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(text) else {
            return Err(invalid("is not a JSON object"));
        };
        let component_appid = field(&fields, "component_appid")?;
        if !crate::wechat::ids::is_appid(&component_appid) {
            return Err(invalid("has a component_appid that is not an appid (wx and letters and digits)"));
        }
        let push_keys = match fields.get("push_keys") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(entries)) => entries
                .iter()
                .enumerate()
                .map(|(index, entry)| {
                    let Value::Object(entry) = entry else {
                        return Err(invalid(&format!("has a push_keys[{index}] that is not an object")));
                    };
                    let named = |name: &str| {
                        field(entry, name).map_err(|_| {
                            invalid(&format!(
                                "lacks push_keys[{index}].{name}, or it is not a non-empty string"
                            ))
                        })
                    };
                    Ok(PushKeyText {
                        token: named("token")?.into(),
                        encoding_aes_key: named("encoding_aes_key")?.into(),
                    })
                })
                .collect::<Result<_, _>>()?,
            Some(_) => return Err(invalid("has a push_keys that is not an array")),
        };
        Ok(Self {
            component_appid,
            component_appsecret: field(&fields, "component_appsecret")?.into(),
            push_keys,
            version: document.version.clone(),
        })
    }
}

fn field(fields: &Map<String, Value>, name: &str) -> Result<String, SecretsError> {
    let problem = match fields.get(name) {
        None | Some(Value::Null) => "is missing",
        Some(Value::String(text)) if text.trim().is_empty() => "is empty",
        Some(Value::String(text)) if text.trim().chars().count() > MAX_FIELD_CHARS => "is too long",
        Some(Value::String(text)) => return Ok(text.trim().to_owned()),
        Some(_) => "is not a string",
    };
    Err(SecretsError::Invalid(format!("the credentials secret is wrong: {name} {problem}")))
}

/// The credentials in memory.
pub struct CredentialsCache {
    source: Box<dyn CredentialsSource>,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    credentials: Option<Arc<Credentials>>,
    failure: Option<(SecretsError, Instant)>,
    read_at: Option<Instant>,
}

impl CredentialsCache {
    /// Credentials from this source, read on first use.
    #[must_use]
    pub fn new(source: impl CredentialsSource + 'static) -> Self {
        Self { source: Box::new(source), memory: Mutex::default() }
    }

    /// The credentials, from memory when they were read within the last 10 minutes.
    ///
    /// # Errors
    /// When they could not be read now or a moment ago, or are wrong; those in memory stay good.
    pub async fn get(&self) -> Result<Arc<Credentials>, SecretsError> {
        let mut memory = self.memory.lock().await;
        if let Some(credentials) = self.current(&mut memory).await {
            return Ok(credentials);
        }
        match &memory.failure {
            Some((failure, at)) if at.elapsed() < FAILURE_MEMORY => Err(failure.clone()),
            _ => self.read(&mut memory).await,
        }
    }

    /// Those in memory, read again when they are old. What is known stays when that fails.
    async fn current(&self, memory: &mut Memory) -> Option<Arc<Credentials>> {
        let known = memory.credentials.clone()?;
        if memory.read_at.is_some_and(|at| at.elapsed() < MAX_AGE) {
            return Some(known);
        }
        match tokio::time::timeout(REFRESH_TIMEOUT, self.read(memory)).await {
            Ok(Ok(newest)) => Some(newest),
            Ok(Err(error)) => {
                tracing::warn!(%error, "the credentials could not be read again");
                Some(known)
            }
            Err(_elapsed) => {
                tracing::warn!("the credentials could not be read again in time");
                Some(known)
            }
        }
    }

    /// Reads the credentials now and says what came of it, whatever is in memory.
    ///
    /// # Errors
    /// When they cannot be read or are wrong; those in memory stay.
    pub async fn read_now(&self) -> Result<Arc<Credentials>, SecretsError> {
        let mut memory = self.memory.lock().await;
        self.read(&mut memory).await
    }

    /// Reads the credentials again, unless that was done a moment ago, and returns the newest. When
    /// they cannot be read, those in memory are.
    ///
    /// # Errors
    /// When there are none in memory either.
    pub async fn reread(&self) -> Result<Arc<Credentials>, SecretsError> {
        let mut memory = self.memory.lock().await;
        let recent = memory.read_at.is_some_and(|at| at.elapsed() < REREAD_INTERVAL);
        match &memory.credentials {
            Some(credentials) if recent => Ok(credentials.clone()),
            known => {
                let known = known.clone();
                match (self.read(&mut memory).await, known) {
                    (Err(error), Some(known)) => {
                        tracing::warn!(%error, "the credentials could not be read again");
                        Ok(known)
                    }
                    (read, _) => read,
                }
            }
        }
    }

    /// Reads the credentials again after WeChat refused these. `true`: the operator has changed them, and
    /// `refused` holds the new ones.
    pub async fn replace_refused(&self, refused: &mut Arc<Credentials>) -> bool {
        let Ok(newest) = self.reread().await else { return false };
        let changed = newest.version != refused.version;
        if changed {
            *refused = newest;
        }
        changed
    }

    async fn read(&self, memory: &mut Memory) -> Result<Arc<Credentials>, SecretsError> {
        memory.read_at = Some(Instant::now());
        // Stands when the caller stops waiting.
        let late = SecretsError::Unavailable("no answer in time".into());
        memory.failure = Some((late, Instant::now()));
        match self.source.fetch().await.and_then(|document| Credentials::parse(&document)) {
            Ok(credentials) => {
                let credentials = Arc::new(credentials);
                memory.credentials = Some(credentials.clone());
                memory.failure = None;
                Ok(credentials)
            }
            Err(error) => {
                memory.failure = Some((error.clone(), Instant::now()));
                Err(error)
            }
        }
    }
}

/// A document in memory: for tests and `make run`. Clones share it.
#[derive(Clone)]
pub struct MemoryCredentials(Arc<std::sync::Mutex<Result<SecretDocument, SecretsError>>>);

impl MemoryCredentials {
    /// Holds this JSON text.
    #[must_use]
    pub fn new(json: &str) -> Self {
        let document = SecretDocument { json: json.into(), version: "1".into() };
        Self(Arc::new(std::sync::Mutex::new(Ok(document))))
    }

    /// Replaces what the next read gets.
    pub fn set(&self, next: Result<SecretDocument, SecretsError>) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = next;
    }
}

#[async_trait]
impl CredentialsSource for MemoryCredentials {
    async fn fetch(&self) -> Result<SecretDocument, SecretsError> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
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
            (
                r#"{"component_appid":"wx1","component_appsecret":" "}"#,
                "the credentials secret is wrong: component_appsecret is empty",
            ),
            (
                r#"{"component_appid":"wx1","component_appsecret":"s3cret","push_keys":{}}"#,
                "the credentials secret has a push_keys that is not an array",
            ),
            (
                r#"{"component_appid":"wx1","component_appsecret":"s3cret","push_keys":["s3cret"]}"#,
                "the credentials secret has a push_keys[0] that is not an object",
            ),
            (
                r#"{"component_appid":"wx1","component_appsecret":"s3cret","push_keys":[{"token":"s3cret","encoding_aes_key":7}]}"#,
                "the credentials secret lacks push_keys[0].encoding_aes_key, or it is not a non-empty string",
            ),
        ] {
            assert_eq!(parse(json).unwrap_err().to_string(), problem);
        }
    }

    #[test]
    fn unknown_fields_are_ignored_and_secrets_cannot_be_printed() {
        let credentials = parse(
            r#"{"component_appid":" wx1 ","component_appsecret":"s3cret","note":1,
                "push_keys":[{"token":"s3cret","encoding_aes_key":"s3cret"}]}"#,
        )
        .unwrap();
        assert_eq!(credentials.component_appid, "wx1");
        assert_eq!(credentials.push_keys.len(), 1);
        assert!(!format!("{credentials:?}").contains("s3cret"));
    }

    #[tokio::test]
    async fn credentials_are_read_once_and_again_when_asked() {
        let source = MemoryCredentials::new(r#"{"component_appid":"wx1","component_appsecret":"a"}"#);
        let keeper = CredentialsCache::new(source.clone());
        assert_eq!(keeper.get().await.unwrap().version, "1");
        source.set(Err(SecretsError::Unavailable("down".into())));
        assert_eq!(keeper.get().await.unwrap().version, "1");
        assert_eq!(keeper.reread().await.unwrap().version, "1");
    }
}
