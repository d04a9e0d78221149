//! The table or the bus refuses: the push is not acknowledged, and a repeated push succeeds.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use wechat_preauth::platform::{
    BusError, MemoryCredentials, MemoryState, SecretsError, StateError, SystemClock, Ticket, TicketItem,
    TicketStore,
};
use wechat_sim::Push;

use crate::harness::{CallbackHarness, KEY, NOW, SENT_AT, TICKET, TOKEN, event, of_built, push_keys, secret};
use crate::refusals::sim;

/// A table that stores no tickets. The callback uses nothing else of it.
pub struct NoTickets {
    /// Whether it never answers, instead of refusing.
    pub hangs: bool,
}

#[async_trait]
impl TicketStore for NoTickets {
    async fn put_ticket(&self, _: &str, _: &Ticket) -> Result<bool, StateError> {
        if self.hangs {
            std::future::pending::<()>().await;
        }
        Err(StateError("ProvisionedThroughputExceededException".into()))
    }
    async fn ticket_item(&self, _: &str) -> Result<TicketItem, StateError> {
        unreachable!()
    }
    async fn claim_start_push(&self, _: &str, _: i64, _: i64) -> Result<bool, StateError> {
        unreachable!()
    }
}

#[tokio::test]
async fn a_table_that_is_down_is_a_503_and_the_retry_is_stored() {
    let push = event("callback-ticket-rest-api");
    let down =
        CallbackHarness::with(|push_services| push_services.tickets = Arc::new(NoTickets { hangs: false }));
    let answer = down.http(&push).await;
    assert_eq!(answer.outcome(), (503, "Service Unavailable".to_owned()));
    assert_eq!(answer.retry_after.as_deref(), Some("5"));
    assert_eq!(down.counted(&["TicketPush", "Failure", "Failure.State.Unavailable"]).len(), 3);

    let state = Arc::new(MemoryState::default());
    let up = CallbackHarness::with(|push_services| push_services.tickets = state.clone());
    assert!(up.http(&push).await.is_success());
    let stored = state.ticket_item("wx134c8103faa5a59e").await.unwrap().ticket;
    assert_eq!(crate::harness::stored_ticket(stored), Some((TICKET.to_owned(), SENT_AT, NOW)));
}

#[tokio::test]
async fn a_bus_that_refuses_is_a_503_and_the_retry_is_forwarded() {
    let harness = CallbackHarness::new();
    harness.bus.fail(Some(BusError("InternalFailure".into())));
    let answer = harness.http(&event("callback-authorized-http-api")).await;
    assert_eq!(answer.outcome(), (503, "Service Unavailable".to_owned()));
    assert_eq!(answer.retry_after.as_deref(), Some("5"));
    assert_eq!(
        harness.counted(&["EventForwarded", "Failure", "Failure.Events.Unavailable"]),
        [("Failure".into(), 1.0), ("Failure.Events.Unavailable".into(), 1.0)]
    );

    // A direct invocation gets the whole problem.
    let error = harness.direct(&event("callback-unauthorized-direct")).await.unwrap_err();
    let problem: Value = serde_json::from_str(&error.message).unwrap();
    assert_eq!(problem["detail"], "the event bus did not take the event: InternalFailure");
    assert_eq!((&problem["status"], &problem["retryable"]), (&json!(503), &json!(true)));

    harness.bus.fail(None);
    assert!(harness.http(&event("callback-authorized-http-api")).await.is_success());
    assert_eq!(harness.bus.events().len(), 1);
}

#[tokio::test]
async fn credentials_that_cannot_be_read_are_a_503_and_wrong_ones_a_500() {
    let push = event("callback-ticket-rest-api");
    for (document, outcome) in [
        (Err(SecretsError::Unavailable("down".into())), (503, "Secrets.Unavailable")),
        (Err(SecretsError::Invalid("denied".into())), (500, "Secrets.Invalid")),
        (Ok(secret(&json!([]))), (500, "Secrets.Invalid")),
        (Ok(secret(&Value::Null)), (500, "Secrets.Invalid")),
    ] {
        let source = MemoryCredentials::new("");
        match document {
            Ok(json) => source
                .set(Ok(wechat_preauth::platform::SecretDocument { json: json.into(), version: "1".into() })),
            Err(error) => source.set(Err(error)),
        }
        let harness = CallbackHarness::of(source, std::time::Duration::ZERO, |_| {});
        assert_eq!(harness.failure(&push).await, (outcome.0, outcome.1.to_owned()));
        assert_eq!(harness.ticket().await, None);
    }
}

#[tokio::test]
async fn one_wrong_entry_of_push_keys_loses_no_push_and_is_named_when_it_may_have() {
    let mut keys = push_keys();
    keys[1]["encoding_aes_key"] = "too-short".into();
    let harness =
        CallbackHarness::of(MemoryCredentials::new(&secret(&keys)), std::time::Duration::ZERO, |_| {});
    assert!(harness.http(&event("callback-ticket-rest-api")).await.is_success());
    // This one is encrypted with the second key.
    let push = event("callback-message-rest-api");
    assert_eq!(harness.failure(&push).await, (500, "Secrets.Invalid".to_owned()));
    let error = harness
        .direct(&json!({ "query": push["queryStringParameters"], "body": push["body"] }))
        .await
        .unwrap_err();
    assert!(
        error.message.contains(
            "the credentials secret has a wrong push_keys[1]: encoding_aes_key has 9 characters: it must have 43"
        ),
        "{}",
        error.message
    );
}

/// Anyone can send such a push, any number of times. The alarms watch `Failure`.
#[tokio::test]
async fn a_strangers_push_raises_no_alarm_while_an_entry_of_push_keys_is_wrong_and_wechats_does() {
    let sim = sim().await;
    let forged = of_built(&sim.build_push(&Push::ticket().keyed("stranger", KEY)).unwrap());
    let of_the_wrong_entry = of_built(&sim.build_push(&Push::ticket().keyed("new-token", KEY)).unwrap());
    let good = json!({ "token": TOKEN, "encoding_aes_key": KEY });
    for (wrong, forgery, failures) in [
        (
            json!({ "token": "new-token", "encoding_aes_key": "too-short" }),
            (401, "Push.SignatureRejected"),
            1.0,
        ),
        // Nobody can tell which Token WeChat signs with: any push may be of this entry.
        (json!({ "encoding_aes_key": KEY }), (500, "Secrets.Invalid"), 2.0),
        (json!({ "token": "new token", "encoding_aes_key": KEY }), (500, "Secrets.Invalid"), 2.0),
    ] {
        let secret = MemoryCredentials::new(&secret(&json!([good, wrong])));
        let harness = CallbackHarness::of(secret, std::time::Duration::ZERO, |push_services| {
            push_services.clock = Arc::new(SystemClock);
        });
        assert_eq!(harness.failure(&forged).await, (forgery.0, forgery.1.to_owned()), "{wrong}");
        let outcome = harness.failure(&of_the_wrong_entry).await;
        assert_eq!(outcome, (500, "Secrets.Invalid".to_owned()), "{wrong}");
        assert_eq!(harness.metrics.sum("Failure"), failures, "{wrong}");
    }
}
