//! Accepted pushes: over every API, and of every kind.

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use wechat_sim::{INFO_TYPES, Push, Sim, SimConfig};

use crate::harness::{
    APPID, At, CallbackHarness, KEY, NOW, SENT_AT, TICKET, TOKEN, direct_event, event, of_built,
};

async fn sim() -> Sim {
    let config = SimConfig {
        component_appid: APPID.into(),
        push_token: TOKEN.into(),
        encoding_aes_key: KEY.into(),
        ..SimConfig::default()
    };
    let sim = Sim::start(config).await.unwrap();
    sim.clock().set(u64::try_from(SENT_AT).unwrap());
    sim.clock().freeze();
    sim
}

fn forwarded(harness: &CallbackHarness) -> Vec<(String, Value)> {
    let parsed = |detail: &str| serde_json::from_str(detail).unwrap();
    let events = harness.bus.events().into_iter();
    events.map(|event| (event.detail_type, parsed(event.detail.expose_secret()))).collect()
}

#[tokio::test]
async fn a_ticket_is_stored_whichever_way_it_comes() {
    for name in ["callback-ticket-rest-api", "callback-ticket-http-api"] {
        let harness = CallbackHarness::new();
        let answer = harness.http(&event(name)).await;
        assert!(answer.is_success(), "{name}: {answer:?}");
        assert_eq!(harness.ticket().await, Some((TICKET.to_owned(), SENT_AT, NOW)), "{name}");
        assert_eq!(
            harness.counted(&["TicketPush", "ColdStart", "EventForwarded", "Failure", "SignatureRefused"]),
            [("TicketPush".to_owned(), 1.0), ("ColdStart".to_owned(), 1.0)]
        );
        assert!(forwarded(&harness).is_empty());
    }
    let harness = CallbackHarness::new();
    assert_eq!(harness.direct(&event("callback-ticket-direct")).await, Ok(json!({ "result": "success" })));
    assert_eq!(harness.ticket().await, Some((TICKET.to_owned(), SENT_AT, NOW)));
}

#[tokio::test]
async fn an_authorization_reaches_the_bus_with_what_its_consumers_need() {
    for name in ["callback-authorized-rest-api-base64", "callback-authorized-http-api"] {
        let harness = CallbackHarness::new();
        assert!(harness.http(&event(name)).await.is_success(), "{name}");
        let detail = json!({
            "AppId": APPID,
            "CreateTime": SENT_AT,
            "InfoType": "authorized",
            "AuthorizerAppid": "wxba5fad812f8e6fb9",
            "AuthorizationCode": "queryauthcode@@@TEST-only",
            "AuthorizationCodeExpiredTime": SENT_AT + 3600,
            "PreAuthCode": "preauthcode@@@TEST-only",
            "code_fingerprint": "dc304e8dd012",
        });
        assert_eq!(forwarded(&harness), [("authorized".to_owned(), detail)], "{name}");
        assert_eq!(
            harness.counted(&["EventForwarded", "TicketPush", "Failure"]),
            [("EventForwarded".into(), 1.0)]
        );
        assert_eq!(harness.ticket().await, None);
    }
}

#[tokio::test]
async fn an_event_that_is_forwarded_by_direct_invocation_reaches_the_bus() {
    let harness = CallbackHarness::new();
    assert_eq!(
        harness.direct(&event("callback-unauthorized-direct")).await,
        Ok(json!({ "result": "success" }))
    );
    let detail = json!({
        "AppId": APPID,
        "CreateTime": SENT_AT,
        "InfoType": "unauthorized",
        "AuthorizerAppid": "wxba5fad812f8e6fb9",
    });
    assert_eq!(forwarded(&harness), [("unauthorized".to_owned(), detail)]);
}

#[tokio::test]
async fn every_info_type_is_forwarded_known_or_not() {
    let (harness, sim) = (CallbackHarness::new(), sim().await);
    let events: Vec<&str> = INFO_TYPES[1..].iter().copied().chain(["something_of_next_year"]).collect();
    for info_type in &events {
        let push = sim.build_push(&Push::sample(info_type)).unwrap();
        assert!(harness.http(&of_built(&push)).await.is_success(), "{info_type}");
    }
    let forwarded = forwarded(&harness);
    let types: Vec<&str> = forwarded.iter().map(|(detail_type, _)| detail_type.as_str()).collect();
    assert_eq!(types, events);
    for (detail_type, detail) in &forwarded {
        assert_eq!(detail["InfoType"], *detail_type);
        assert_eq!(detail["CreateTime"], SENT_AT);
    }
    // Each has the shape that docs/EVENTS.md shows.
    let documented = documented_details();
    for (detail_type, detail) in &forwarded[..events.len() - 1] {
        let example = documented.iter().find(|example| example["InfoType"] == *detail_type).unwrap();
        assert_eq!(shape(detail), shape(example), "{detail_type}");
    }
    assert_eq!(documented.len(), events.len() - 1);
}

/// The examples in `docs/EVENTS.md`.
fn documented_details() -> Vec<Value> {
    let text = include_str!("../../docs/EVENTS.md");
    let blocks = text.split("```json detail\n").skip(1);
    blocks.map(|block| serde_json::from_str(block.split("```").next().unwrap()).unwrap()).collect()
}

/// A value with its texts and numbers replaced by their kind.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        Value::Number(_) => "number".into(),
        _ => "text".into(),
    }
}

#[tokio::test]
async fn a_repeated_ticket_is_noted_and_an_older_one_changes_nothing() {
    let sim = sim().await;
    let old = sim.build_push(&Push::ticket_value("ticket@@@old").created(1_715_943_000)).unwrap();
    let harness = CallbackHarness::with(|push_services| push_services.clock = std::sync::Arc::new(At(NOW)));
    assert!(harness.http(&of_built(&old)).await.is_success());
    assert_eq!(harness.ticket().await.unwrap().0, "ticket@@@old");
    assert!(harness.http(&event("callback-ticket-rest-api")).await.is_success());
    assert_eq!(harness.ticket().await.unwrap().0, TICKET);

    // The same state, ten minutes later: every push is a heartbeat.
    for (push, at) in [(event("callback-ticket-rest-api"), NOW + 600), (of_built(&old), NOW + 601)] {
        let later = CallbackHarness::with(|push_services| {
            push_services.tickets = harness.state.clone();
            push_services.clock = std::sync::Arc::new(At(at));
        });
        assert!(later.http(&push).await.is_success());
        assert_eq!(harness.ticket().await, Some((TICKET.to_owned(), SENT_AT, at)));
        assert_eq!(later.metrics.sum("TicketPush"), 1.0);
    }
}

#[tokio::test]
async fn a_message_of_the_message_url_is_acknowledged_counted_and_dropped() {
    let harness = CallbackHarness::new();
    assert!(harness.http(&event("callback-message-rest-api")).await.is_success());
    assert_eq!(
        harness.counted(&["MisroutedMessage", "EventForwarded", "Failure"]),
        [("MisroutedMessage".into(), 1.0)]
    );
    assert!(forwarded(&harness).is_empty());
    assert_eq!(harness.ticket().await, None);
}

#[tokio::test]
async fn a_get_is_answered_below_every_stage_and_reads_nothing() {
    for path in ["/wechat/callback", "/wechat/callback/", "/base/wechat/callback"] {
        let mut get = event("callback-get-rest-api");
        get["path"] = path.into();
        let harness = CallbackHarness::new();
        let answer = harness.http(&get).await;
        assert_eq!(
            (answer.status, answer.content_type.as_str(), answer.body.as_str()),
            (200, "text/plain", "ok")
        );
        assert_eq!(harness.counted(&["TicketPush", "Failure"]), []);
    }
}

#[tokio::test]
async fn a_first_push_counts_as_cold_and_the_second_does_not() {
    let (harness, sim) = (CallbackHarness::new(), sim().await);
    let push = sim.build_push(&Push::ticket()).unwrap();
    harness.direct(&direct_event(&push)).await.unwrap();
    harness.direct(&direct_event(&push)).await.unwrap();
    assert_eq!(
        harness.counted(&["ColdStart", "TicketPush"]),
        [("ColdStart".into(), 1.0), ("TicketPush".into(), 2.0)]
    );
}
