//! The address step alone: which address WeChat sees.

use serde_json::{Value, json};
use wechat_preauth::platform::EgressIps;
use wechat_sim::{Endpoint, ErrmsgStyle, Fault};

use crate::harness::{KeeperHarness, world, world_of};
use crate::report::{EGRESS_IP, seen_from};

/// Another address.
const FOREIGN: &str = "198.51.100.9";

async fn probe(keeper: &KeeperHarness) -> Value {
    keeper.invoke(json!({ "action": "probe_address" })).await.unwrap()
}

fn answer(client_ip: Option<&str>, is_egress_ip: Option<bool>, accepted: bool) -> Value {
    json!({
        "action": "probe_address", "client_ip": client_ip, "is_egress_ip": is_egress_ip,
        "egress_ips": [EGRESS_IP], "accepted": accepted,
    })
}

#[tokio::test]
async fn the_address_that_wechat_sees_is_compared_with_the_egress_ips_and_no_code_is_issued() {
    let world = world().await;
    let keeper = KeeperHarness::new(&world);
    for (seen, is_egress_ip) in [(EGRESS_IP, true), (FOREIGN, false)] {
        seen_from(&world, seen);
        assert_eq!(probe(&keeper).await, answer(Some(seen), Some(is_egress_ip), true));
    }
    assert_eq!((world.mints(), world.wechat.codes_issued()), (1, 0));
}

#[tokio::test]
async fn a_refused_address_is_an_answer_with_and_without_a_token() {
    for (seen, is_egress_ip) in [(EGRESS_IP, true), (FOREIGN, false)] {
        for with_a_token in [true, false] {
            let world = world().await;
            let keeper = KeeperHarness::new(&world);
            if with_a_token {
                keeper.refresh().await.unwrap();
            }
            seen_from(&world, seen);
            world.wechat.set_whitelist(vec!["192.0.2.1".parse().unwrap()]);
            // The second time without a token it is the stored refusal of the mint.
            for _ in 0..2 {
                assert_eq!(probe(&keeper).await, answer(Some(seen), Some(is_egress_ip), false));
            }
            assert_eq!(world.mints(), 1);
        }
    }
}

#[tokio::test]
async fn an_address_that_is_not_named_or_cannot_be_compared_is_null() {
    let world = world().await;
    seen_from(&world, FOREIGN);
    let keeper = KeeperHarness::with(&world, |services| services.egress = EgressIps::default());
    let found = probe(&keeper).await;
    assert_eq!(
        (&found["client_ip"], &found["is_egress_ip"], &found["egress_ips"]),
        (&json!(FOREIGN), &Value::Null, &json!([]))
    );
    // An older gateway tells neither address nor rid.
    world.wechat.set_errmsg_style(ErrmsgStyle::HintWithoutIp);
    assert_eq!(probe(&KeeperHarness::new(&world)).await, answer(None, None, true));
}

#[tokio::test]
async fn what_hides_the_address_is_the_actions_failure() {
    let no_ticket = world_of(wechat_sim::SimConfig::default()).await;
    let failed = |world| async move {
        KeeperHarness::new(world).invoke(json!({ "action": "probe_address" })).await.unwrap_err().0
    };
    assert_eq!(failed(&no_ticket).await, "Ticket.Missing");
    let world = world().await;
    world.wechat.inject(Fault::errcode(-1).on(Endpoint::GetRid).forever());
    assert_eq!(failed(&world).await, "WeChat.Busy");
    // A refusal for another reason has a rid too, which names the address.
    world.wechat.clear_faults();
    seen_from(&world, EGRESS_IP);
    world.wechat.inject(Fault::errcode(45009).on(Endpoint::CreatePreAuthCode));
    assert_eq!(probe(&KeeperHarness::new(&world)).await, answer(Some(EGRESS_IP), Some(true), true));
}
