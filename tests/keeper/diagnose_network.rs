//! The diagnosis of the way to WeChat: the egress address and the hosts.

use std::sync::Arc;

use serde_json::json;
use wechat_preauth::platform::{EgressIps, Services};
use wechat_preauth::tls::TrustRoots;
use wechat_preauth::wechat::http::http_client;
use wechat_preauth::wechat::{ApiHosts, Client};
use wechat_sim::ErrmsgStyle;

use crate::harness::{KeeperHarness, world};
use crate::report::{EGRESS_IP, check, names, seen_from};

#[tokio::test]
async fn an_address_outside_the_whitelist_is_named_with_what_it_is() {
    for (seen, says) in [(EGRESS_IP, "Append 203.0.113.7"), ("198.51.100.9", "bypasses the NAT gateway")] {
        let world = world().await;
        seen_from(&world, seen);
        world.wechat.set_whitelist(vec!["192.0.2.1".parse().unwrap()]);
        let report = KeeperHarness::new(&world).diagnose().await;
        names(&report, "egress_ip", &["token", "code"]);
        let egress = check(&report, "egress_ip");
        assert_eq!(
            (&egress["client_ip"], &egress["is_egress_ip"]),
            (&json!(seen), &json!(seen == EGRESS_IP))
        );
        assert!(egress["remedy"].as_str().unwrap().contains(says), "{egress:#}");
    }
}

#[tokio::test]
async fn an_address_refused_with_a_valid_token_is_named_too() {
    let world = world().await;
    seen_from(&world, EGRESS_IP);
    let keeper = KeeperHarness::new(&world);
    keeper.refresh().await.unwrap();
    world.wechat.set_whitelist(vec!["192.0.2.1".parse().unwrap()]);
    names(&keeper.diagnose().await, "egress_ip", &["code"]);
}

#[tokio::test]
async fn traffic_that_bypasses_the_nat_is_seen_before_it_is_refused() {
    let world = world().await;
    seen_from(&world, "198.51.100.9");
    let report = KeeperHarness::new(&world).diagnose().await;
    names(&report, "egress_ip", &[]);
    assert_eq!(check(&report, "code")["status"], "ok");
}

#[tokio::test]
async fn an_address_that_cannot_be_known_or_compared_is_no_failure() {
    let world = world().await;
    seen_from(&world, "198.51.100.9");
    let keeper = KeeperHarness::with(&world, |services| services.egress = EgressIps::default());
    let report = keeper.diagnose().await;
    let egress = check(&report, "egress_ip");
    assert_eq!((&report["ok"], &egress["status"]), (&json!(true), &json!("unknown")));
    assert_eq!(egress["client_ip"], "198.51.100.9");
    // An older gateway tells neither address nor rid.
    world.wechat.set_errmsg_style(ErrmsgStyle::HintWithoutIp);
    let report = keeper.diagnose().await;
    assert_eq!((&report["ok"], &check(&report, "egress_ip")["status"]), (&json!(true), &json!("unknown")));
}

fn hosts(services: &mut Services, origins: &str) {
    let http = http_client(&TrustRoots::default()).unwrap();
    services.wechat = Arc::new(Client::new(http, ApiHosts::parse(origins).unwrap()));
}

#[tokio::test]
async fn a_host_that_does_not_answer_is_named_and_the_other_one_issues_the_code() {
    let world = world().await;
    seen_from(&world, EGRESS_IP);
    let both = format!("http://127.0.0.1:1,{}", world.wechat.url());
    let report = KeeperHarness::with(&world, |services| hosts(services, &both)).diagnose().await;
    names(&report, "host:127.0.0.1:1", &[]);
    assert_eq!(check(&report, "code")["status"], "ok");
}

#[tokio::test]
async fn without_a_way_out_only_the_hosts_fail() {
    let world = world().await;
    let keeper = KeeperHarness::with(&world, |services| hosts(services, "http://127.0.0.1:1"));
    names(&keeper.diagnose().await, "host:127.0.0.1:1", &["token", "egress_ip", "code"]);
}
