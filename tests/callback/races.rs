//! Fifty pushes at once, of different ages and in no order: both stores keep the newest ticket.

use std::sync::Arc;

use wechat_preauth::aws::DynamoDbState;
use wechat_preauth::platform::{MemoryState, SystemClock, TicketStore};
use wechat_sim::{Push, Sim, SimConfig};

use crate::harness::{APPID, CallbackHarness, KEY, TOKEN, of_built};
use crate::support::moto::Moto;

const PUSHES: u64 = 50;

/// More than enough for a slow machine.
const TRIES: usize = 20;

async fn the_newest_stays(state: Arc<dyn TicketStore>) {
    let config = SimConfig {
        component_appid: APPID.into(),
        push_token: TOKEN.into(),
        encoding_aes_key: KEY.into(),
        ..SimConfig::default()
    };
    let sim = Sim::start(config).await.unwrap();
    let now = sim.clock().now_unix();
    let racers = (0..PUSHES).map(|number| {
        // 17 and 50 have no common divisor, so every age comes once, in a scattered order.
        let age = number * 17 % PUSHES;
        let push = Push::ticket_value(format!("ticket@@@{age}")).created(now - age);
        let event = of_built(&sim.build_push(&push).unwrap());
        // Each has an environment of its own, as on Lambda.
        let harness = CallbackHarness::with(|push_services| {
            push_services.tickets = state.clone();
            push_services.clock = Arc::new(SystemClock);
        });
        tokio::spawn(async move {
            for _ in 0..TRIES {
                let answer = harness.http(&event).await;
                // A store that cannot keep up is a 503, and then WeChat sends the push again.
                if answer.status != 503 {
                    return assert!(answer.is_success(), "{answer:?}");
                }
            }
            panic!("not stored in {TRIES} tries");
        })
    });
    for racer in racers.collect::<Vec<_>>() {
        racer.await.unwrap();
    }
    let (value, create_time, received_at) =
        crate::harness::stored_ticket(state.ticket_item(APPID).await.unwrap().ticket).unwrap();
    assert_eq!((value.as_str(), create_time), ("ticket@@@0", i64::try_from(now).unwrap()));
    assert!(received_at >= create_time);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_pushes_at_once_leave_the_newest_ticket_in_memory() {
    the_newest_stays(Arc::new(MemoryState::default())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_pushes_at_once_leave_the_newest_ticket_in_dynamodb() {
    let moto = Moto::shared();
    let state = DynamoDbState::new(moto.dynamodb(), moto.create_table().await);
    the_newest_stays(Arc::new(state)).await;
}
