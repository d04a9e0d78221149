//! Authorization links, one suite for both stores.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use wechat_preauth::aws::DynamoDbState;
use wechat_preauth::platform::Authorization;
use wechat_preauth::platform::links::{
    CodeLink, Link, LinkStore, MAX_CODES, MAX_STARTS, MemoryLinks, Noted, Started,
};

use crate::proxy::{Fate, Proxy};
use crate::support::moto::Moto;
use crate::{NOW, support};

const LINK: &str = "0123456789abcdef0123456789abcdef";

fn full() -> Link {
    Link {
        authorization: Authorization {
            auth_type: NonZeroU32::new(6),
            biz_appid: Some("wxba5fad812f8e6fb9".into()),
            category_ids: [1, 99].into_iter().filter_map(NonZeroU32::new).collect(),
        },
        reference: Some("order-17".into()),
        state: Some("s t a t e".into()),
        return_url: Some("https://shop.example.com/done?a=b".into()),
        created_at: NOW,
        expires_at: NOW + 60,
        starts: 0,
        codes: 0,
    }
}

fn bare() -> Link {
    Link { created_at: NOW, expires_at: NOW + 60, ..Link::default() }
}

/// The codes and the starts of a link after a start, or of one that could not be started.
async fn start(
    links: &dyn LinkStore,
    id: &str,
    name: &str,
    now: i64,
) -> Result<(usize, u32), Option<(usize, u32)>> {
    match links.start(id, name, now).await.unwrap() {
        Started::Yes(link) => Ok((link.codes, link.starts)),
        Started::No(link) => Err(link.map(|link| (link.codes, link.starts))),
    }
}

async fn keeps_its_promises(links: Arc<dyn LinkStore>) {
    // A link comes back as it was kept.
    assert_eq!(links.link(LINK).await.unwrap(), None);
    for (id, link) in [(LINK, full()), ("bare", bare())] {
        links.create_link(id, &link, NOW + 7200).await.unwrap();
        assert_eq!(links.link(id).await.unwrap(), Some(link));
    }

    // It is started until it ends.
    assert_eq!(start(&*links, LINK, "one", NOW + 59).await, Ok((1, 1)));
    assert_eq!(links.link(LINK).await.unwrap(), Some(Link { starts: 1, codes: 1, ..full() }));
    assert_eq!(start(&*links, LINK, "two", NOW + 60).await, Err(Some((1, 1))));
    assert_eq!(start(&*links, "unknown", "one", NOW).await, Err(None));

    // A place is given back once, however often that is said, and only by who has it.
    assert_eq!(start(&*links, LINK, "two", NOW).await, Ok((2, 2)));
    for _ in 0..2 {
        links.give_back(LINK, "two").await.unwrap();
    }
    links.give_back(LINK, "three").await.unwrap();
    links.give_back("unknown", "one").await.unwrap();
    assert_eq!(links.link("unknown").await.unwrap(), None, "giving back makes no link");
    assert_eq!(links.link(LINK).await.unwrap(), Some(Link { starts: 2, codes: 1, ..full() }));

    // No race takes more codes than a link may.
    let racers = (0..MAX_CODES + 10).map(|racer| {
        let links = links.clone();
        tokio::spawn(async move { start(&*links, LINK, &format!("racer-{racer}"), NOW).await })
    });
    let mut taken = Vec::new();
    for racer in racers.collect::<Vec<_>>() {
        taken.extend(racer.await.unwrap().map(|(codes, _)| codes));
    }
    taken.sort_unstable();
    assert_eq!(taken, (2..=MAX_CODES).collect::<Vec<_>>());

    // Nor are there more starts, even if every one is given back.
    links.create_link("tried", &bare(), NOW + 7200).await.unwrap();
    for number in 1..=MAX_STARTS {
        assert_eq!(start(&*links, "tried", "again", NOW).await, Ok((1, number)));
        links.give_back("tried", "again").await.unwrap();
    }
    assert_eq!(start(&*links, "tried", "again", NOW).await, Err(Some((0, MAX_STARTS))));

    // Each authorization code comes back once, as far as there is place for notes.
    assert_eq!(links.note_return("bare", "0123456789ab").await.unwrap(), Noted::First);
    assert_eq!(links.note_return("bare", "0123456789ab").await.unwrap(), Noted::Again);
    for code in 1..MAX_CODES {
        assert_eq!(links.note_return("bare", &format!("{code:012x}")).await.unwrap(), Noted::First, "{code}");
    }
    assert_eq!(links.note_return("bare", "ba9876543210").await.unwrap(), Noted::Full);
    assert_eq!(links.note_return("bare", "0123456789ab").await.unwrap(), Noted::Again);

    // The link of a code.
    assert_eq!(links.code_link("dc304e8dd012").await.unwrap(), None);
    let known = CodeLink { link_id: LINK.into(), reference: Some("r".into()), state: Some("s".into()) };
    let unnamed = CodeLink { link_id: LINK.into(), ..CodeLink::default() };
    for (fingerprint, origin) in [("dc304e8dd012", known), ("dc304e8dd013", unnamed)] {
        links.put_code_link(fingerprint, &origin, NOW + 7200).await.unwrap();
        assert_eq!(links.code_link(fingerprint).await.unwrap(), Some(origin));
    }
}

#[tokio::test]
async fn links_in_memory_keep_their_promises() {
    keeps_its_promises(Arc::new(MemoryLinks::default())).await;
}

#[tokio::test]
async fn links_in_dynamodb_keep_their_promises() {
    support::logs::start();
    let moto = Moto::shared();
    keeps_its_promises(Arc::new(DynamoDbState::new(moto.dynamodb(), moto.create_table().await))).await;
}

#[tokio::test]
async fn an_item_says_when_it_may_be_deleted() {
    support::logs::start();
    let moto = Moto::shared();
    let table = moto.create_table().await;
    let links = DynamoDbState::new(moto.dynamodb(), table.clone());
    links.create_link(LINK, &full(), NOW + 7260).await.unwrap();
    links.put_code_link("dc304e8dd012", &CodeLink::default(), NOW + 7200).await.unwrap();
    let items = moto.dynamodb().scan().table_name(table).send().await.unwrap();
    let text = |item: &HashMap<String, AttributeValue>| {
        format!("{} {}", item["pk"].as_s().unwrap(), item["delete_at"].as_n().unwrap())
    };
    let mut deleted: Vec<String> = items.items().iter().map(text).collect();
    deleted.sort();
    let expected = [format!("code#dc304e8dd012 {}", NOW + 7200), format!("link#{LINK} {}", NOW + 7260)];
    assert_eq!(deleted, expected);
}

/// Every write loses its first answer, so the SDK repeats it.
#[tokio::test]
async fn a_repeated_write_counts_as_the_first() {
    support::logs::start();
    let moto = Moto::shared();
    let lose = |operation: &str, before: usize| match operation {
        "updateitem" | "putitem" if before.is_multiple_of(2) => Fate::AnswerLost,
        _ => Fate::Answered,
    };
    let proxy = Proxy::start(&moto, lose).await;
    let links = proxy.store(&moto, &moto.create_table().await);
    links.create_link(LINK, &full(), NOW).await.unwrap();
    assert_eq!(proxy.take_seen(), ["putitem", "putitem"]);
    // The merchant's one return is not taken for a second one.
    assert_eq!(links.note_return(LINK, "0123456789ab").await.unwrap(), Noted::First);
    assert_eq!(proxy.take_seen(), ["updateitem", "updateitem"]);
    assert_eq!(links.note_return(LINK, "0123456789ab").await.unwrap(), Noted::Again);
    proxy.take_seen();
    // Two starts, of which one is given back: one code is taken. A start may be counted twice.
    assert_eq!(start(&links, LINK, "one", NOW).await, Ok((1, 2)));
    assert_eq!(start(&links, LINK, "two", NOW).await, Ok((2, 4)));
    links.give_back(LINK, "two").await.unwrap();
    assert_eq!(proxy.take_seen(), ["updateitem"; 6]);
    assert_eq!(links.link(LINK).await.unwrap().unwrap().codes, 1);
    // The last place, taken by a write that lost its answer, is not refused.
    for number in 2..=MAX_CODES {
        assert!(start(&links, LINK, &format!("start-{number}"), NOW).await.is_ok(), "{number}");
    }
    assert!(start(&links, LINK, "more", NOW).await.is_err());
    drop(moto);
}

#[tokio::test]
async fn an_item_that_is_no_link_is_none() {
    support::logs::start();
    let moto = Moto::shared();
    let table = moto.create_table().await;
    let links = DynamoDbState::new(moto.dynamodb(), table.clone());
    let pk = AttributeValue::S(format!("link#{LINK}"));
    moto.dynamodb().put_item().table_name(&table).item("pk", pk).send().await.unwrap();
    assert_eq!(links.link(LINK).await.unwrap(), None);
    assert_eq!(links.start(LINK, "one", NOW).await.unwrap(), Started::No(None));
    links.give_back(LINK, "one").await.unwrap();
    assert_eq!(links.note_return(LINK, "0123456789ab").await.unwrap(), Noted::Full);
}
