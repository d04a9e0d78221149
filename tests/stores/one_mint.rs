//! Fifty instances without a token mint one, with the table in DynamoDB.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wechat_preauth::platform::{Ticket, TicketStore as _};

use crate::proxy::{Fate, Proxy};
use crate::support::moto::Moto;
use crate::support::service::TestService;

const INSTANCES: usize = 50;

/// More than enough for a slow machine: moto answers one request at a time.
const LIMIT: Duration = Duration::from_secs(60);

async fn fifty_instances_mint_once(decide: impl Fn(&str, usize) -> Fate + Send + Sync + 'static) {
    let world = TestService::without_ticket().await;
    let moto = Moto::shared();
    let (proxy, table) = (Proxy::start(&moto, decide).await, moto.create_table().await);
    let (value, now) = (world.wechat.issue_ticket().into(), world.now());
    let ticket = Ticket { value, create_time: now, received_at: now };
    proxy.store(&moto, &table).put_ticket(&world.appid, &ticket).await.unwrap();
    let instances = (0..INSTANCES).map(|_| {
        let instance = world.instance_with(|services| {
            let store = Arc::new(proxy.store(&moto, &table));
            (services.tokens, services.tickets) = (store.clone(), store);
        });
        tokio::spawn(async move { instance.issuer.tokens().get(Instant::now() + LIMIT).await })
    });
    let mut tokens = Vec::new();
    for instance in instances.collect::<Vec<_>>() {
        use secrecy::ExposeSecret as _;
        tokens.push(instance.await.unwrap().unwrap().token.value.expose_secret().to_owned());
    }
    tokens.dedup();
    assert_eq!((world.mints(), tokens.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_instances_mint_once_in_dynamodb() {
    fifty_instances_mint_once(|_, _| Fate::Answered).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_instances_mint_once_while_dynamodb_throttles_every_third_request() {
    let throttle = |_: &str, before: usize| match before % 3 {
        2 => Fate::Throttled,
        _ => Fate::Answered,
    };
    fifty_instances_mint_once(throttle).await;
}
