//! One suite for both stores: the state in memory, and the one in DynamoDB against moto's server.

mod links;
mod lost_answers;
mod one_mint;
mod proxy;
#[path = "../support/mod.rs"]
mod support;

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;

use secrecy::ExposeSecret as _;
use support::moto::Moto;
use wechat_preauth::aws::DynamoDbState;
use wechat_preauth::platform::{
    Backoff, Lease, MemoryState, ProblemCode, StoredToken, Ticket, TicketStore, TokenItem, TokenStore,
};

/// Both traits of one store.
trait Store: TokenStore + TicketStore {}
impl<S: TokenStore + TicketStore> Store for S {}

const APPID: &str = "wx134c8103faa5a59e";
const NOW: i64 = 1_795_343_400;

fn token(value: &str, minted_at: i64) -> StoredToken {
    StoredToken { value: value.into(), expires_at: minted_at + 7200, minted_at, uncertain: false }
}

fn lease(holder: &str) -> Lease {
    Lease { holder: holder.into(), expires_at: NOW + 15 }
}

fn ticket(value: &str, create_time: i64, received_at: i64) -> Ticket {
    Ticket { value: value.into(), create_time, received_at }
}

fn backoff(until: i64) -> Backoff {
    Backoff {
        code: ProblemCode::ConfigEgressIpNotRegistered,
        errcode: Some(61004),
        client_ip: Some("203.0.113.7".into()),
        count: 2,
        until,
        ticket_create_time: Some(NOW - 60),
        credentials_version: Some("v1".into()),
    }
}

async fn stored_value(state: &dyn Store) -> Option<String> {
    state.token_item(APPID).await.unwrap().token.map(|token| token.value.expose_secret().to_owned())
}

async fn take(state: &dyn Store, seen: &TokenItem, holder: &str, now: i64) -> bool {
    let lease = Lease { expires_at: now + 15, ..lease(holder) };
    state.take_lease(APPID, seen, &lease, now).await.unwrap()
}

/// Every promise of the trait, on a state that is empty.
async fn keeps_its_promises(state: Arc<dyn Store>) {
    let state = &*state;
    let empty = state.token_item(APPID).await.unwrap();
    assert!(empty.token.is_none() && empty.lease.is_none() && empty.backoff.is_none());
    assert!(state.ticket_item(APPID).await.unwrap().ticket.is_none());
    assert_eq!(state.component().await.unwrap(), None);

    // A lease is taken once, and again only when it has expired.
    assert!(take(state, &empty, "first", NOW).await);
    assert!(!take(state, &empty, "second", NOW + 14).await);
    assert_eq!(state.token_item(APPID).await.unwrap().lease.unwrap().holder, "first");
    assert!(take(state, &empty, "second", NOW + 15).await);

    // A holder that comes too late changes nothing.
    assert!(!state.store_token(APPID, "first", &token("late", NOW)).await.unwrap());
    assert!(!state.store_failure(APPID, "first", &backoff(NOW + 30), None).await.unwrap());
    assert_eq!(stored_value(state).await, None);

    // The token clears the lease, and a process that saw an older item gets no lease.
    assert!(state.store_token(APPID, "second", &token("one", NOW)).await.unwrap());
    let with_token = state.token_item(APPID).await.unwrap();
    assert!(with_token.lease.is_none());
    assert_eq!(with_token.token.as_ref().unwrap().expires_at, NOW + 7200);
    assert!(!take(state, &empty, "third", NOW + 16).await);

    // A failure clears the lease, keeps the token and may shorten its life.
    assert!(take(state, &with_token, "third", NOW + 20).await);
    assert!(state.store_failure(APPID, "third", &backoff(NOW + 50), Some(NOW + 320)).await.unwrap());
    let failed = state.token_item(APPID).await.unwrap();
    assert_eq!(failed.backoff, Some(backoff(NOW + 50)));
    assert!(failed.lease.is_none());
    assert_eq!(failed.token.as_ref().unwrap().expires_at, NOW + 320);
    assert_eq!(stored_value(state).await.as_deref(), Some("one"));
    assert!(!take(state, &with_token, "fourth", NOW + 51).await, "the backoff was not seen");

    // The next token clears the backoff.
    assert!(take(state, &failed, "fourth", NOW + 51).await);
    assert!(state.store_token(APPID, "fourth", &token("two", NOW + 52)).await.unwrap());
    assert!(state.token_item(APPID).await.unwrap().backoff.is_none());

    // A token that is handed over replaces whatever was there.
    assert!(!state.put_token(APPID, &token("older", NOW + 51), false).await.unwrap());
    assert!(state.put_token(APPID, &token("handed", NOW + 60), false).await.unwrap());
    assert_eq!(stored_value(state).await.as_deref(), Some("handed"));

    // A longer-lived valid token stays, unless it is to be replaced.
    let brief = StoredToken { expires_at: NOW + 900, ..token("brief", NOW + 61) };
    assert!(!state.put_token(APPID, &brief, false).await.unwrap());
    assert!(state.put_token(APPID, &brief, true).await.unwrap());
    assert!(state.put_token(APPID, &token("long", NOW + 62), false).await.unwrap());

    // What a clock an hour ahead has written blocks nobody.
    let future = state.token_item(APPID).await.unwrap();
    let lease_of_an_hour = Lease { holder: "wrong".into(), expires_at: NOW + 3600 };
    assert!(state.take_lease(APPID, &future, &lease_of_an_hour, NOW + 62).await.unwrap());
    assert!(take(state, &future, "right", NOW + 63).await);
    assert!(!take(state, &future, "other", NOW + 63).await);
    let uncertain = StoredToken { uncertain: true, ..token("uncertain", NOW + 3600) };
    assert!(state.store_token(APPID, "right", &uncertain).await.unwrap());
    assert!(state.token_item(APPID).await.unwrap().token.unwrap().uncertain);
    assert!(!state.put_token(APPID, &token("now", NOW + 64), false).await.unwrap(), "it expires earlier");
    assert!(state.put_token(APPID, &token("now", NOW + 64), true).await.unwrap());
    assert!(!state.token_item(APPID).await.unwrap().token.unwrap().uncertain);

    // A ticket's value changes only to a later one; every push is noted.
    assert!(state.claim_start_push(APPID, NOW, NOW - 600).await.unwrap());
    assert!(!state.claim_start_push(APPID, NOW + 599, NOW - 1).await.unwrap());
    let other = "wx1111111111111111";
    assert!(state.claim_start_push(other, NOW + 3600, NOW + 3000).await.unwrap());
    assert!(state.claim_start_push(other, NOW, NOW - 600).await.unwrap(), "the last one is in the future");
    assert!(state.put_ticket(APPID, &ticket("t1", NOW, NOW + 1)).await.unwrap());
    assert!(!state.put_ticket(APPID, &ticket("old", NOW - 600, NOW + 2)).await.unwrap());
    assert!(!state.put_ticket(APPID, &ticket("t1", NOW, NOW + 3)).await.unwrap());
    let item = state.ticket_item(APPID).await.unwrap();
    assert_eq!(item.start_push_at, Some(NOW));
    let stored = item.ticket.unwrap();
    assert_eq!((stored.value.expose_secret(), stored.create_time, stored.received_at), ("t1", NOW, NOW + 3));
    assert!(state.put_ticket(APPID, &ticket("t2", NOW + 600, NOW + 601)).await.unwrap());
    assert_eq!(state.ticket_item(APPID).await.unwrap().ticket.unwrap().value.expose_secret(), "t2");
    assert!(state.claim_start_push(APPID, NOW + 600, NOW).await.unwrap());

    // A push that was received earlier and is written later does not turn the heartbeat back.
    assert!(state.put_ticket(APPID, &ticket("t3", NOW + 1200, NOW + 599)).await.unwrap());
    let stored = state.ticket_item(APPID).await.unwrap().ticket.unwrap();
    assert_eq!((stored.value.expose_secret(), stored.received_at), ("t3", NOW + 601));

    // An old push brings a newer ticket and no heartbeat.
    assert!(state.put_ticket(APPID, &ticket("t4", NOW + 1800, NOW + 3600)).await.unwrap());
    let stored = state.ticket_item(APPID).await.unwrap().ticket.unwrap();
    assert_eq!((stored.value.expose_secret(), stored.received_at), ("t4", NOW + 601));
    assert!(!state.put_ticket(APPID, &ticket("old", NOW, NOW + 3601)).await.unwrap());
    assert_eq!(state.ticket_item(APPID).await.unwrap().ticket.unwrap().received_at, NOW + 601);
    // Where it is the first push, it stands for the time at which WeChat sent it.
    assert!(state.put_ticket("wxold", &ticket("old", NOW - 1800, NOW)).await.unwrap());
    assert_eq!(state.ticket_item("wxold").await.unwrap().ticket.unwrap().received_at, NOW - 1800);

    // A ticket from the future blocks no later one: a plausible one replaces it.
    for future in [NOW + 4201, i64::MAX] {
        assert!(state.put_ticket("wxfuture", &ticket("future", future, NOW)).await.unwrap());
        assert!(state.put_ticket("wxfuture", &ticket("now", NOW + 3600, NOW + 3600)).await.unwrap());
        let stored = state.ticket_item("wxfuture").await.unwrap().ticket.unwrap();
        assert_eq!((stored.value.expose_secret(), stored.received_at), ("now", NOW + 3600), "{future}");
    }
    // One that lies 600 s ahead is plausible itself.
    assert!(state.put_ticket("wxahead", &ticket("ahead", NOW + 600, NOW)).await.unwrap());
    assert!(!state.put_ticket("wxahead", &ticket("now", NOW, NOW)).await.unwrap());

    // Components do not mix.
    assert!(state.token_item("wxother").await.unwrap().token.is_none());
    state.remember_component(APPID).await.unwrap();
    state.remember_component(APPID).await.unwrap();
    assert_eq!(state.component().await.unwrap().as_deref(), Some(APPID));
    state.remember_component("wxother").await.unwrap();
    assert_eq!(state.component().await.unwrap().as_deref(), Some("wxother"));
}

/// Many at once: one gets the lease, and the newest ticket stays.
async fn survives_races(state: Arc<dyn Store>) {
    let seen = state.token_item(APPID).await.unwrap();
    let racers = (0..24).map(|racer| {
        let (state, seen) = (state.clone(), seen.clone());
        tokio::spawn(async move { take(&*state, &seen, &format!("racer-{racer}"), NOW).await })
    });
    let mut taken = 0;
    for racer in racers.collect::<Vec<_>>() {
        taken += usize::from(racer.await.unwrap());
    }
    assert_eq!(taken, 1);

    let pushes = (0..24).map(|age| {
        let state = state.clone();
        let ticket = ticket(&format!("ticket-{age}"), NOW - age, NOW + age);
        tokio::spawn(async move { state.put_ticket(APPID, &ticket).await.unwrap() })
    });
    for push in pushes.collect::<Vec<_>>() {
        push.await.unwrap();
    }
    let stored = state.ticket_item(APPID).await.unwrap().ticket.unwrap();
    assert_eq!((stored.value.expose_secret(), stored.create_time), ("ticket-0", NOW));
    // Whichever was written last, the heartbeat is that of the latest push.
    assert_eq!(stored.received_at, NOW + 23);
}

#[tokio::test]
async fn the_state_in_memory_keeps_its_promises() {
    keeps_its_promises(Arc::new(MemoryState::default())).await;
    survives_races(Arc::new(MemoryState::default())).await;
}

#[tokio::test]
async fn the_state_in_dynamodb_keeps_its_promises() {
    support::logs::start();
    let moto = Moto::shared();
    let state = DynamoDbState::new(moto.dynamodb(), moto.create_table().await);
    keeps_its_promises(Arc::new(state)).await;
}

#[tokio::test]
async fn the_state_in_dynamodb_survives_races() {
    support::logs::start();
    let moto = Moto::shared();
    let state = DynamoDbState::new(moto.dynamodb(), moto.create_table().await);
    survives_races(Arc::new(state)).await;
}

#[tokio::test]
async fn a_missing_table_is_an_outage_and_says_so() {
    support::logs::start();
    let moto = Moto::shared();
    let state = DynamoDbState::new(moto.dynamodb(), "no-such-table".into());
    let error = state.token_item(APPID).await.unwrap_err();
    assert_eq!(error.to_string(), "ResourceNotFoundException");
    let behind = std::error::Error::source(&error).unwrap().to_string();
    assert!(behind.starts_with("ResourceNotFoundException: "), "{behind}");
    let error = state.take_lease(APPID, &TokenItem::default(), &lease("x"), NOW).await.unwrap_err();
    assert_eq!(error.to_string(), "ResourceNotFoundException");
}

#[tokio::test]
async fn an_item_that_another_version_wrote_does_not_stop_minting() {
    support::logs::start();
    let moto = Moto::shared();
    let table = moto.create_table().await;
    let text = |value: &str| AttributeValue::S(value.into());
    let number = |value: i64| AttributeValue::N(value.to_string());
    let backoff = HashMap::from([("code".into(), text("Of.Tomorrow")), ("until".into(), number(NOW))]);
    let put = moto.dynamodb().put_item().table_name(&table).item("pk", text(&format!("token#{APPID}")));
    put.item("minted_at", number(NOW)).item("backoff", AttributeValue::M(backoff)).send().await.unwrap();
    let state = DynamoDbState::new(moto.dynamodb(), table);
    let item = state.token_item(APPID).await.unwrap();
    assert!(item.token.is_none());
    assert_eq!(item.backoff.as_ref().unwrap().code, ProblemCode::WeChatError);
    assert!(take(&state, &item, "next", NOW).await);
    assert!(state.store_token(APPID, "next", &token("one", NOW + 1)).await.unwrap());
    assert!(state.token_item(APPID).await.unwrap().backoff.is_none());
}
