//! Accepts pushes: a ticket goes into the state, every other event onto the bus. A ticket or an event is
//! acknowledged only when one of them has it. A misrouted message, which belongs to the message URL, is
//! acknowledged and dropped.
//!
//! A push is answered by its deadline even if the secret, the table or the bus hangs. WeChat, or the receiver
//! that forwards its pushes, then tries again. Accepting the same push twice does no harm.

use std::sync::Arc;

use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};

use super::bus::{BusError, BusEvent, EventBus};
use super::cause::in_time;
use super::check::{self, Check};
use super::clock::Clock;
use super::credentials::{Credentials, CredentialsCache, PushKeys, SecretsError};
use super::links::{LinkStore, of_event};
use super::problem::{Problem, ProblemCode, Result, texts};
use super::state::{StateError, Ticket, TicketStore};
use crate::telemetry::{Metrics, metric};
use crate::wechat::push::{self, MAX_BODY_BYTES, Push, PushError, PushQuery};

/// The largest entry that the bus accepts, in bytes. JSON is at most twice as long as the push's XML, so no
/// push of today is that large.
const MAX_EVENT_BYTES: usize = 256 * 1024;

/// What accepting a push needs.
#[derive(Clone)]
pub struct PushServices {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where tickets are kept.
    pub tickets: Arc<dyn TicketStore>,
    /// Where it is kept which link a code was taken through.
    pub links: Arc<dyn LinkStore>,
    /// The component's appid and the keys of its pushes.
    pub credentials: Arc<CredentialsCache>,
    /// Where events go.
    pub bus: Arc<dyn EventBus>,
    /// Where metrics go.
    pub metrics: Metrics,
}

/// A push as it arrived. Nothing of it has been checked.
pub struct RawPush {
    /// The query parameters, percent-decoded, each as often as it was sent.
    pub query: Vec<(String, String)>,
    /// The body: XML with an `<Encrypt>`.
    pub body: Vec<u8>,
}

/// A push that was accepted. All of it may be logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcceptedPush {
    /// A ticket push.
    Ticket {
        /// WeChat's `CreateTime`.
        create_time: i64,
        /// Whether its value was the newest so far, and is kept.
        newest: bool,
    },
    /// An event that was forwarded to the bus.
    Event {
        /// Its `InfoType`.
        info_type: String,
        /// The account it is about.
        authorizer_appid: Option<String>,
        /// The fingerprint of the pre-auth code that led to it.
        code_fingerprint: Option<String>,
    },
    /// A message of the message URL that was acknowledged and dropped.
    Misrouted,
}

/// Checks a push and stores or forwards it.
///
/// # Errors
/// `Push.*` when it is refused. `Secrets.*`, `State.Unavailable` or `Events.Unavailable` when it could not be
/// checked, stored or forwarded by `deadline`; then it must be sent again.
pub async fn accept_push(
    services: &PushServices,
    arrived: &RawPush,
    deadline: Instant,
) -> Result<AcceptedPush> {
    // First the checks that need neither keys nor cryptography.
    if arrived.body.len() > MAX_BODY_BYTES {
        return Err(PushError::TooLarge { bytes: arrived.body.len() }.into());
    }
    let pairs = arrived.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let query = PushQuery::from_pairs(pairs)?;

    let (appid, push) = open(services, &query, &arrived.body, deadline).await?;
    let (authorizer_appid, code_fingerprint) =
        (push.authorizer_appid().map(str::to_owned), push.code_fingerprint().map(str::to_owned));
    match push {
        Push::Ticket { create_time, ticket, .. } => {
            let ticket = Ticket { value: ticket, create_time, received_at: services.clock.now() };
            if ticket.is_heartbeat() {
                services.metrics.count(metric::TICKET_PUSH);
            }
            let newest = in_time(deadline, StateError, services.tickets.put_ticket(&appid, &ticket)).await?;
            Ok(AcceptedPush::Ticket { create_time, newest })
        }
        Push::Event { info_type, mut detail, .. } => {
            if let Some(code_fingerprint) = &code_fingerprint {
                of_event::name_link(&*services.links, code_fingerprint, &mut detail, deadline).await;
            }
            let event = event(&info_type, detail)?;
            in_time(deadline, BusError, services.bus.put(&event)).await?;
            services.metrics.count(metric::EVENT_FORWARDED);
            Ok(AcceptedPush::Event { info_type, authorizer_appid, code_fingerprint })
        }
        Push::Message => {
            services.metrics.count(metric::MISROUTED_MESSAGE);
            tracing::warn!(remedy = texts::MISROUTED_REMEDY.get(), "a message arrived on the event URL");
            Ok(AcceptedPush::Misrouted)
        }
    }
}

/// Reads the secret anew and judges its push keys. Never fails: what is wrong is in the check.
pub async fn check_push_keys(services: &PushServices, deadline: Instant) -> Check {
    let read = in_time(deadline, SecretsError::Unavailable, services.credentials.read_now()).await;
    match read.map_err(Box::<Problem>::from) {
        Ok(credentials) => check::push_keys(&credentials.push_keys, || {
            let detail = "the secret holds none, so no push can be accepted";
            Check::failed(check::PUSH_KEYS, detail, texts::PUSH_KEYS_REMEDY)
        }),
        Err(problem) => {
            let remedy = problem.remedy.unwrap_or_else(|| texts::SECRETS_UNAVAILABLE_REMEDY.into());
            let check = Check::failed(check::PUSH_KEYS, problem.detail, remedy);
            check.fact("code", problem.code.as_str()).fact("count", 0)
        }
    }
}

/// The component's appid and the opened push. When the keys in memory do not open it, the credentials are read
/// again once, so that a change of keys needs no restart.
async fn open(
    services: &PushServices,
    query: &PushQuery,
    body: &[u8],
    deadline: Instant,
) -> Result<(String, Push)> {
    let credentials = in_time(deadline, SecretsError::Unavailable, services.credentials.get()).await?;
    let now = services.clock.now();
    let problem = match open_with(&credentials, query, body, now) {
        Err(problem) if may_open_with_other_keys(&problem) => problem,
        settled => return settled,
    };
    match timeout_at(deadline, services.credentials.reread()).await {
        Ok(Ok(newer)) => open_with(&newer, query, body, now),
        Ok(Err(_)) | Err(_) => Err(problem),
    }
}

fn open_with(credentials: &Credentials, query: &PushQuery, body: &[u8], now: i64) -> Result<(String, Push)> {
    let (appid, keys) = (&credentials.component_appid, &credentials.push_keys);
    let problem: Box<Problem> = match push::open(query, body, &keys.usable, appid, now) {
        Ok(push) => return Ok((appid.clone(), push)),
        Err(error) => error.into(),
    };
    // An invalid entry in `push_keys` does not block pushes that other entries open. If no entry opens a
    // push, the invalid one may be its key, so that entry's error is returned: the push must be sent again.
    match keys.error() {
        Some(error)
            if may_open_with_other_keys(&problem)
                && may_be_of_an_invalid_key(&problem, keys, query, body) =>
        {
            Err(error.into())
        }
        _ => Err(problem),
    }
}

/// Whether a push that no valid key opens may belong to an invalid entry of `push_keys`. While the Tokens of all entries
/// are known, a push with none of their signatures is a stranger's. Otherwise anyone could raise this service's alarms
/// for as long as one entry is invalid.
fn may_be_of_an_invalid_key(problem: &Problem, keys: &PushKeys, query: &PushQuery, body: &[u8]) -> bool {
    problem.code != ProblemCode::PushSignatureRejected
        || keys.usable.is_empty()
        || keys.tokens_of_wrong.len() < keys.wrong.len()
        || keys.tokens_of_wrong.iter().any(|token| push::is_signed_with(token, query, body))
}

const fn may_open_with_other_keys(problem: &Problem) -> bool {
    use ProblemCode::{PushSignatureRejected, PushUndecryptable, SecretsInvalid};
    matches!(problem.code, PushSignatureRejected | PushUndecryptable | SecretsInvalid)
}

fn event(info_type: &str, detail: Map<String, Value>) -> Result<BusEvent> {
    let event =
        BusEvent { detail_type: info_type.to_owned(), detail: Value::Object(detail).to_string().into() };
    match event.bytes() {
        bytes if bytes > MAX_EVENT_BYTES => {
            let detail = texts::EVENT_TOO_LARGE.with(&[("bytes", &bytes), ("most", &MAX_EVENT_BYTES)]);
            Err(Problem::new(ProblemCode::PushUnreadable, detail))
        }
        _ => Ok(event),
    }
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
