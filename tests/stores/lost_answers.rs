//! The AWS SDK repeats a write whose answer was lost. The store recognizes its own earlier write.

use secrecy::ExposeSecret as _;
use wechat_preauth::aws::DynamoDbState;
use wechat_preauth::platform::{TicketStore as _, TokenStore as _};

use crate::proxy::{Fate, Proxy};
use crate::support::moto::Moto;
use crate::{APPID, NOW, backoff, lease, support, ticket, token};

/// A store whose every first, third, … write loses its answer, so each write arrives twice.
async fn store_that_loses_answers() -> (Proxy, DynamoDbState, std::sync::Arc<Moto>) {
    support::logs::start();
    let moto = Moto::shared();
    let lose = |operation: &str, before: usize| match operation {
        "updateitem" if before.is_multiple_of(2) => Fate::AnswerLost,
        _ => Fate::Answered,
    };
    let proxy = Proxy::start(&moto, lose).await;
    let store = proxy.store(&moto, &moto.create_table().await);
    (proxy, store, moto)
}

fn arrived_twice(proxy: &Proxy) {
    assert_eq!(proxy.take_seen(), ["updateitem", "updateitem"]);
}

#[tokio::test]
async fn a_repeated_write_of_the_lease_and_of_its_result_counts_as_the_first() {
    let (proxy, store, moto) = store_that_loses_answers().await;
    let empty = store.token_item(APPID).await.unwrap();
    proxy.take_seen();

    let taken = store.take_lease(APPID, &empty, &lease("one"), NOW).await.unwrap();
    assert!(taken);
    arrived_twice(&proxy);
    assert!(store.store_token(APPID, "one", &token("first", NOW)).await.unwrap());
    arrived_twice(&proxy);

    let item = store.token_item(APPID).await.unwrap();
    proxy.take_seen();
    assert!(store.take_lease(APPID, &item, &lease("two"), NOW).await.unwrap());
    arrived_twice(&proxy);
    assert!(store.store_failure(APPID, "two", &backoff(NOW + 30), Some(NOW + 300)).await.unwrap());
    arrived_twice(&proxy);

    let item = store.token_item(APPID).await.unwrap();
    assert_eq!((item.lease, item.backoff), (None, Some(backoff(NOW + 30))));
    assert_eq!(item.token.unwrap().expires_at, NOW + 300);
    drop(moto);
}

#[tokio::test]
async fn a_repeated_claim_of_the_next_start_push_succeeds_once() {
    let (proxy, store, moto) = store_that_loses_answers().await;
    assert!(store.claim_start_push(APPID, NOW, NOW - 600).await.unwrap());
    arrived_twice(&proxy);
    // Another process at the same second does not take it for its own.
    assert!(!store.claim_start_push(APPID, NOW, NOW - 600).await.unwrap());
    drop(moto);
}

#[tokio::test]
async fn a_repeated_ticket_or_handed_over_token_does_no_harm() {
    let (proxy, store, moto) = store_that_loses_answers().await;
    store.put_ticket(APPID, &ticket("t1", NOW, NOW + 1)).await.unwrap();
    let stored = store.ticket_item(APPID).await.unwrap().ticket.unwrap();
    assert_eq!((stored.value.expose_secret(), stored.create_time, stored.received_at), ("t1", NOW, NOW + 1));
    proxy.take_seen();

    assert!(store.put_token(APPID, &token("handed", NOW), false).await.unwrap());
    arrived_twice(&proxy);
    let stored = store.token_item(APPID).await.unwrap().token.unwrap();
    assert_eq!((stored.value.expose_secret(), stored.expires_at), ("handed", NOW + 7200));
    drop(moto);
}

#[tokio::test]
async fn a_ticket_push_costs_one_write_and_a_late_or_repeated_one_two() {
    support::logs::start();
    let moto = Moto::shared();
    let proxy = Proxy::start(&moto, |_, _| Fate::Answered).await;
    let store = proxy.store(&moto, &moto.create_table().await);
    for (push, writes) in [
        (ticket("t1", NOW, NOW + 1), 1),
        (ticket("t2", NOW + 600, NOW + 601), 1),
        // The same again, and an older one.
        (ticket("t2", NOW + 600, NOW + 611), 2),
        (ticket("t1", NOW, NOW + 621), 2),
        // Received before the last one, stored after it.
        (ticket("t3", NOW + 700, NOW + 620), 2),
        // No heartbeat.
        (ticket("t1", NOW, NOW + 1801), 1),
        (ticket("t4", NOW + 1200, NOW + 9000), 1),
        (ticket("t5", NOW + 9600, NOW + 9601), 1),
    ] {
        store.put_ticket(APPID, &push).await.unwrap();
        assert_eq!(proxy.take_seen().len(), writes, "{push:?}");
    }
}

/// The SDK would like to close the connection of a failed answer. It knows none, and must not complain of that.
#[tokio::test]
async fn a_fault_of_the_table_is_repeated_without_a_word() {
    let moto = Moto::shared();
    let fail = |operation: &str, before: usize| match operation {
        "getitem" if before == 0 => Fate::Failed,
        _ => Fate::Answered,
    };
    let proxy = Proxy::start(&moto, fail).await;
    let store = proxy.store(&moto, &moto.create_table().await);
    let logs = support::logs::Captured::start();
    store.token_item(APPID).await.unwrap();
    assert_eq!(logs.end(), [""; 0]);
    assert_eq!(proxy.take_seen(), ["getitem", "getitem"]);
    drop(moto);
}
