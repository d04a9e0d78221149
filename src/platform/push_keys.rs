//! Whether the push keys in the credentials are usable: the check `push_keys` of a diagnosis.

use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use super::credentials::{Credentials, SecretsError};
use super::problem::{Result, texts};
use super::services::PushServices;

/// The result, in the form of a diagnosis' check. Holds no key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PushKeysCheck {
    /// `push_keys`.
    pub link: &'static str,
    /// `ok` or `failed`.
    pub status: &'static str,
    /// What was found. Names each entry that is wrong.
    pub detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<&'static str>,
    /// How many entries there are.
    pub count: usize,
    /// How many of them are usable.
    pub usable: usize,
}

impl PushKeysCheck {
    /// Checks the keys of these credentials.
    #[must_use]
    pub fn of(credentials: &Credentials) -> Self {
        let keys = &credentials.push_keys;
        let usable = keys.usable.len();
        let (failed, detail) = match (usable, keys.wrong.is_empty()) {
            (_, false) => (true, keys.wrong.join("; ")),
            (0, true) => (true, "there are none, so no push can be accepted".to_owned()),
            (1, true) => (false, "1 well-formed key".to_owned()),
            (_, true) => (false, format!("{usable} well-formed keys")),
        };
        Self {
            link: "push_keys",
            status: if failed { "failed" } else { "ok" },
            detail,
            remedy: failed.then(|| texts::PUSH_KEYS_REMEDY.get()),
            count: usable + keys.wrong.len(),
            usable,
        }
    }
}

/// Reads the credentials now and checks the push keys.
///
/// # Errors
/// `Secrets.*` when they cannot be read by `deadline`.
pub async fn check_push_keys(services: &PushServices, deadline: Instant) -> Result<PushKeysCheck> {
    let late = |_elapsed| Err(SecretsError::Unavailable("no answer in time".into()));
    let read = timeout_at(deadline, services.credentials.read_now()).await.unwrap_or_else(late);
    Ok(PushKeysCheck::of(&*read?))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::platform::{
        CredentialsCache, MemoryBus, MemoryCredentials, MemoryState, ProblemCode, SecretDocument, SystemClock,
    };
    use crate::telemetry::Metrics;

    #[tokio::test]
    async fn the_check_names_wrong_push_keys_and_shows_none() {
        let source = MemoryCredentials::new("");
        let services = PushServices {
            clock: Arc::new(SystemClock),
            tickets: Arc::new(MemoryState::default()),
            credentials: Arc::new(CredentialsCache::new(source.clone())),
            bus: Arc::new(MemoryBus::default()),
            metrics: Metrics::memory(),
        };
        let soon = Instant::now() + Duration::from_secs(5);
        let error = check_push_keys(&services, soon).await.unwrap_err();
        assert_eq!(error.code, ProblemCode::SecretsInvalid);
        let good = json!({"token": "planted", "encoding_aes_key": "p".repeat(43)});
        let wrong = json!({"token": "planted", "encoding_aes_key": "planted"});
        let remedy = texts::PUSH_KEYS_REMEDY.get();
        for (keys, check) in [
            (
                json!([]),
                json!({"status": "failed", "detail": "there are none, so no push can be accepted",
                       "remedy": remedy, "count": 0, "usable": 0}),
            ),
            (json!([good]), json!({"status": "ok", "detail": "1 well-formed key", "count": 1, "usable": 1})),
            (
                json!([good, good]),
                json!({"status": "ok", "detail": "2 well-formed keys", "count": 2, "usable": 2}),
            ),
            (
                json!([good, wrong]),
                json!({"status": "failed", "remedy": remedy, "count": 2, "usable": 1, "detail":
                       "push_keys[1]: encoding_aes_key has 7 characters: it must have 43, without a closing ="}),
            ),
        ] {
            let json = json!({"component_appid": "wx1", "push_keys": keys}).to_string();
            source.set(Ok(SecretDocument { json: json.into(), version: "1".into() }));
            let mut found = serde_json::to_value(check_push_keys(&services, soon).await.unwrap()).unwrap();
            assert_eq!(found["link"].take(), "push_keys");
            found.as_object_mut().unwrap().remove("link");
            assert_eq!(found, check);
        }
    }
}
