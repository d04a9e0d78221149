//! Authorization links, one suite for both stores.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use wechat_preauth::aws::DynamoDbState;
use wechat_preauth::platform::Authorization;
use wechat_preauth::platform::links::{CodeOrigin, Counted, Link, LinkStore, MAX_CODES, MemoryLinks};

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
        codes: 0,
    }
}

fn bare() -> Link {
    Link { created_at: NOW, expires_at: NOW + 60, ..Link::default() }
}

fn codes(counted: Counted) -> Result<u32, Option<u32>> {
    match counted {
        Counted::Yes(link) => Ok(link.codes),
        Counted::No(link) => Err(link.map(|link| link.codes)),
    }
}

async fn keeps_its_promises(links: Arc<dyn LinkStore>) {
    // A link comes back as it was kept.
    assert_eq!(links.link(LINK).await.unwrap(), None);
    for (id, link) in [(LINK, full()), ("bare", bare())] {
        links.create_link(id, &link, NOW + 7200).await.unwrap();
        assert_eq!(links.link(id).await.unwrap(), Some(link));
    }

    // Codes are counted until the link ends.
    assert_eq!(codes(links.count_code(LINK, NOW + 59).await.unwrap()), Ok(1));
    let counted = links.link(LINK).await.unwrap().unwrap();
    assert_eq!(counted, Link { codes: 1, ..full() });
    assert_eq!(codes(links.count_code(LINK, NOW + 60).await.unwrap()), Err(Some(1)));
    assert_eq!(codes(links.count_code("unknown", NOW).await.unwrap()), Err(None));

    // A count is taken back, and never below nothing.
    links.uncount_code(LINK).await.unwrap();
    links.uncount_code(LINK).await.unwrap();
    links.uncount_code("unknown").await.unwrap();
    assert_eq!(links.link("unknown").await.unwrap(), None, "taking back makes no link");
    assert_eq!(links.link(LINK).await.unwrap().unwrap().codes, 0);

    // No race takes more codes than a link may.
    let racers = (0..MAX_CODES + 10).map(|_| {
        let links = links.clone();
        tokio::spawn(async move { codes(links.count_code(LINK, NOW).await.unwrap()) })
    });
    let mut taken = Vec::new();
    for racer in racers.collect::<Vec<_>>() {
        taken.extend(racer.await.unwrap());
    }
    taken.sort_unstable();
    assert_eq!(taken, (1..=MAX_CODES).collect::<Vec<_>>());
    assert_eq!(codes(links.count_code(LINK, NOW).await.unwrap()), Err(Some(MAX_CODES)));

    // Each authorization code comes back once.
    assert!(links.note_return("bare", "0123456789ab").await.unwrap());
    assert!(!links.note_return("bare", "0123456789ab").await.unwrap());
    for code in 1..MAX_CODES {
        assert!(links.note_return("bare", &format!("{code:012x}")).await.unwrap(), "{code}");
    }
    assert!(!links.note_return("bare", "ba9876543210").await.unwrap(), "as many came as codes were taken");

    // The origin of a code.
    assert_eq!(links.code_origin("dc304e8dd012").await.unwrap(), None);
    let known = CodeOrigin { link_id: LINK.into(), reference: Some("r".into()), state: Some("s".into()) };
    let unnamed = CodeOrigin { link_id: LINK.into(), ..CodeOrigin::default() };
    for (fingerprint, origin) in [("dc304e8dd012", known), ("dc304e8dd013", unnamed)] {
        links.put_code_origin(fingerprint, &origin, NOW + 7200).await.unwrap();
        assert_eq!(links.code_origin(fingerprint).await.unwrap(), Some(origin));
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
    links.put_code_origin("dc304e8dd012", &CodeOrigin::default(), NOW + 7200).await.unwrap();
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
    assert!(links.note_return(LINK, "0123456789ab").await.unwrap());
    assert_eq!(proxy.take_seen(), ["updateitem", "updateitem"]);
    assert!(!links.note_return(LINK, "0123456789ab").await.unwrap());
    // At worst a code is counted twice.
    assert_eq!(codes(links.count_code(LINK, NOW).await.unwrap()), Ok(2));
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
    assert_eq!(links.count_code(LINK, NOW).await.unwrap(), Counted::No(None));
    assert!(!links.note_return(LINK, "0123456789ab").await.unwrap());
}
