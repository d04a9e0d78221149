//! Taking in a push: the ticket into the state, every other event onto the bus, and nothing is
//! acknowledged before one of them has accepted it.
//!
//! A push is answered within a deadline whatever hangs behind it. WeChat, or who forwards its pushes,
//! then tries again: taking in the same push twice does no harm.

use std::future::Future;

use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};

use super::bus::{BusError, BusEvent};
use super::credentials::{Credentials, SecretsError};
use super::problem::{Problem, ProblemCode, Result, texts};
use super::services::PushServices;
use super::state::{StateError, Ticket};
use crate::telemetry::metric;
use crate::wechat::push::{self, MAX_BODY_BYTES, Push, PushError, PushKey, PushQuery};

/// The most that EventBridge takes in one entry. Escaping makes JSON of a push at most twice as long
/// as its XML, so no push that is read at all comes near; the check is there for the day when that changes.
const MAX_EVENT_BYTES: usize = 256 * 1024;

/// What a message on the event URL needs.
const MISROUTED_REMEDY: &str = "This message belongs to the platform's message URL (消息与事件接收URL), but that \
    setting points at this service, which takes authorization events only. Point it at the receiver of \
    messages; this one was acknowledged and dropped.";

/// A push as it arrived: nothing of it is believed yet.
pub struct RawPush {
    /// The query parameters, percent-decoded, each as often as it was sent.
    pub query: Vec<(String, String)>,
    /// The body: XML with an `<Encrypt>`.
    pub body: Vec<u8>,
}

/// A push that was taken in, in words that may be logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcceptedPush {
    /// A ticket push was noted.
    Ticket {
        /// WeChat's `CreateTime`.
        create_time: i64,
        /// Whether its value was the newest so far, and is kept.
        newest: bool,
    },
    /// An event was forwarded to the bus.
    Event {
        /// Its `InfoType`.
        info_type: String,
        /// The account it is about.
        authorizer_appid: Option<String>,
        /// The fingerprint of the pre-auth code it came of.
        code_fingerprint: Option<String>,
    },
    /// A message of the message URL was acknowledged and dropped.
    Misrouted,
}

/// Checks a push and brings it to where it belongs.
///
/// # Errors
/// `Push.*` when it is refused. `Secrets.*`, `StateStore.Unavailable` or `Events.Unavailable` when it could not
/// be checked or brought there by `deadline`; then it must be sent again.
pub async fn accept_push(
    services: &PushServices,
    arrived: &RawPush,
    deadline: Instant,
) -> Result<AcceptedPush> {
    // Before anything is asked for or computed: these two cost a stranger more than us.
    if arrived.body.len() > MAX_BODY_BYTES {
        return Err(refused(&PushError::TooLarge { bytes: arrived.body.len() }));
    }
    let pairs = arrived.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let query = PushQuery::from_pairs(pairs).map_err(|error| refused(&error))?;

    let (appid, push) = match open(services, &query, &arrived.body, deadline).await {
        Ok(opened) => opened,
        Err(Unopened::Refused(error)) => return Err(refused(&error)),
        Err(Unopened::Keys(error)) => return Err(error.into()),
    };
    let (authorizer_appid, code_fingerprint) =
        (push.authorizer_appid().map(str::to_owned), push.code_fingerprint().map(str::to_owned));
    match push {
        Push::Ticket { create_time, ticket, .. } => {
            services.metrics.count(metric::TICKET_PUSH);
            let ticket = Ticket { value: ticket, create_time, received_at: services.clock.now() };
            let newest = in_time(deadline, StateError, services.tickets.put_ticket(&appid, &ticket)).await?;
            Ok(AcceptedPush::Ticket { create_time, newest })
        }
        Push::Event { info_type, detail, .. } => {
            let event = event(&info_type, detail)?;
            in_time(deadline, BusError, services.bus.put(&event)).await?;
            services.metrics.count(metric::EVENT_FORWARDED);
            Ok(AcceptedPush::Event { info_type, authorizer_appid, code_fingerprint })
        }
        Push::Message => {
            services.metrics.count(metric::MISROUTED_MESSAGE);
            tracing::warn!(remedy = MISROUTED_REMEDY, "a message arrived on the event URL");
            Ok(AcceptedPush::Misrouted)
        }
    }
}

/// The work's result, or `late` when the deadline comes first.
async fn in_time<T, E>(
    deadline: Instant,
    late: impl FnOnce(String) -> E,
    work: impl Future<Output = std::result::Result<T, E>>,
) -> std::result::Result<T, E> {
    timeout_at(deadline, work).await.unwrap_or_else(|_elapsed| Err(late("no answer in time".to_owned())))
}

/// Why a push stays closed.
enum Unopened {
    /// It is not acceptable.
    Refused(PushError),
    /// There are no keys to open it with.
    Keys(SecretsError),
}

impl Unopened {
    /// Whether keys that were changed a moment ago could open it.
    const fn may_open_with_newer_keys(&self) -> bool {
        matches!(self, Self::Keys(_) | Self::Refused(PushError::Signature | PushError::Undecryptable))
    }
}

/// The component's appid and the opened push. When the keys in memory do not open it, the credentials
/// are read again once, so that a change of keys needs no restart.
async fn open(
    services: &PushServices,
    query: &PushQuery,
    body: &[u8],
    deadline: Instant,
) -> std::result::Result<(String, Push), Unopened> {
    let credentials = in_time(deadline, SecretsError::Unavailable, services.credentials.get())
        .await
        .map_err(Unopened::Keys)?;
    let now = services.clock.now();
    let unopened = match open_with(&credentials, query, body, now) {
        Err(unopened) if unopened.may_open_with_newer_keys() => unopened,
        settled => return settled,
    };
    match timeout_at(deadline, services.credentials.reread()).await {
        Ok(Ok(newer)) => open_with(&newer, query, body, now),
        Ok(Err(_)) | Err(_) => Err(unopened),
    }
}

fn open_with(
    credentials: &Credentials,
    query: &PushQuery,
    body: &[u8],
    now: i64,
) -> std::result::Result<(String, Push), Unopened> {
    let appid = &credentials.component_appid;
    let (mut keys, mut unusable) = (Vec::new(), None);
    for (index, key) in credentials.push_keys.iter().enumerate() {
        match PushKey::new(key.token.clone(), key.encoding_aes_key.expose_secret()) {
            Ok(key) => keys.push(key),
            Err(error) => unusable = unusable.or(Some((index, error))),
        }
    }
    let opened = push::open(query, body, &keys, appid, now).map_err(Unopened::Refused);
    match (opened, unusable) {
        (Ok(push), _) => Ok((appid.clone(), push)),
        // A wrong entry loses no push that the others open. What they do not open may have been its.
        (Err(unopened), Some((index, error))) if unopened.may_open_with_newer_keys() => Err(Unopened::Keys(
            SecretsError::Invalid(format!("the credentials secret has a wrong push_keys[{index}]: {error}")),
        )),
        (Err(unopened), None) if keys.is_empty() && unopened.may_open_with_newer_keys() => {
            Err(Unopened::Keys(SecretsError::Invalid(
                "the credentials secret has no push_keys, so no push can be checked".to_owned(),
            )))
        }
        (Err(unopened), _) => Err(unopened),
    }
}

fn event(info_type: &str, detail: Map<String, Value>) -> Result<BusEvent> {
    let event =
        BusEvent { detail_type: info_type.to_owned(), detail: Value::Object(detail).to_string().into() };
    match event.bytes() {
        bytes if bytes > MAX_EVENT_BYTES => Err(Problem::new(
            ProblemCode::PushUnreadable,
            format!("the event has {bytes} bytes: a bus takes at most {MAX_EVENT_BYTES}"),
        )),
        _ => Ok(event),
    }
}

/// The problem that a refused push is to its sender.
fn refused(error: &PushError) -> Box<Problem> {
    let (code, remedy) = match error {
        PushError::Signature => (ProblemCode::PushSignatureRejected, Some(texts::PUSH_SIGNATURE_REMEDY)),
        PushError::Stale { .. } => (ProblemCode::PushStale, Some(texts::PUSH_STALE_REMEDY)),
        PushError::NotEncrypted => (ProblemCode::PushMalformed, Some(texts::PUSH_NOT_ENCRYPTED_REMEDY)),
        PushError::Undecryptable => (ProblemCode::PushUndecryptable, Some(texts::PUSH_UNDECRYPTABLE_REMEDY)),
        PushError::Unreadable(_) | PushError::Field { .. } => {
            (ProblemCode::PushUnreadable, Some(texts::PUSH_UNREADABLE_REMEDY))
        }
        _ => (ProblemCode::PushMalformed, None),
    };
    let mut problem = Problem::new(code, error.to_string());
    problem.remedy = remedy.map(String::from);
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_fits_into_an_entry_of_the_bus_or_is_refused() {
        let of = |bytes: usize| event("x", Map::from_iter([("a".to_owned(), "x".repeat(bytes).into())]));
        // {"a":""} has 8 bytes, and the detail-type one.
        let most = MAX_EVENT_BYTES - super::super::bus::SOURCE.len() - 9;
        assert_eq!(of(most).unwrap().bytes(), MAX_EVENT_BYTES);
        assert_eq!(of(most + 1).unwrap_err().code, ProblemCode::PushUnreadable);
    }
}
