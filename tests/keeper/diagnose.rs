//! The diagnosis: the check that causes a problem fails, with a remedy. Checks that only met the problem are
//! skipped.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use wechat_preauth::platform::{SecretDocument, SecretsError};
use wechat_sim::{Endpoint, Fault, FaultKind, SimConfig};

use crate::harness::{KeeperHarness, document, world, world_of};
use crate::report::{EGRESS_IP, check, names, seen_from};

#[tokio::test]
async fn a_chain_without_a_failure_is_shown_check_by_check_and_nothing_is_minted() {
    let world = world().await;
    seen_from(&world, EGRESS_IP);
    let keeper = KeeperHarness::new(&world);
    keeper.refresh().await.unwrap();
    world.advance(125);
    let report = keeper.diagnose().await;
    assert_eq!(
        (&report["ok"], &report["failed"], &report["minting"]),
        (&json!(true), &json!([]), &json!("on"))
    );
    let shown: Vec<(&str, &str)> = report["links"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| (check["link"].as_str().unwrap(), check["status"].as_str().unwrap()))
        .collect();
    let host = format!("host:127.0.0.1:{}", world.wechat.addr().port());
    let names = ["credentials", "push_keys", "state", "ticket", &host, "token", "egress_ip", "code"];
    assert_eq!(shown, names.map(|name| (name, "ok")));
    assert_eq!(check(&report, "ticket")["age_s"], 125);
    assert_eq!(
        (&check(&report, "token")["age_s"], &check(&report, "token")["seconds_left"]),
        (&json!(125), &json!(7075))
    );
    assert_eq!(check(&report, "egress_ip")["client_ip"], EGRESS_IP);
    assert_eq!(check(&report, "egress_ip")["is_egress_ip"], true);
    assert!(check(&report, "host:")["latency_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(check(&report, "code")["code_fingerprint"].as_str().unwrap().len(), 12);
    assert!(!report.to_string().contains("preauthcode@@@"), "{report:#}");
    assert_eq!(report["text"].as_str().unwrap().lines().count(), 8);
    assert_eq!((world.mints(), world.wechat.codes_issued()), (1, 1));
}

#[tokio::test]
async fn with_a_wrong_secret_document_the_credentials_fail() {
    // Without the appsecret the component is known all the same, and so are its ticket and the table.
    for (json, says, skipped) in [
        (
            r#"{"component_appid":"wxsim0000000000001"}"#,
            "component_appsecret is missing",
            &["push_keys", "token", "egress_ip", "code"][..],
        ),
        ("", "it has not been filled yet", &["push_keys", "state", "ticket", "token", "egress_ip", "code"]),
    ] {
        let world = world().await;
        world.credentials.set(Ok(SecretDocument { json: json.into(), version: "2".into() }));
        let report = KeeperHarness::new(&world).diagnose().await;
        names(&report, "credentials", skipped);
        assert!(check(&report, "credentials")["detail"].as_str().unwrap().contains(says), "{report:#}");
    }
}

#[tokio::test]
async fn an_outage_of_secrets_manager_is_seen_although_codes_go_on() {
    let world = world().await;
    seen_from(&world, EGRESS_IP);
    let keeper = KeeperHarness::new(&world);
    keeper.refresh().await.unwrap();
    world.credentials.set(Err(SecretsError::Unavailable("no answer in time".into())));
    let report = keeper.diagnose().await;
    names(&report, "credentials", &["push_keys"]);
    assert_eq!(check(&report, "code")["status"], "ok");
}

/// A secret with these push keys.
fn with_push_keys(keys: &Value) -> SecretDocument {
    let json = json!({
        "component_appid": "wxsim0000000000001",
        "component_appsecret": "sim-secret-for-tests-only-000000",
        "push_keys": keys,
    });
    SecretDocument { json: json.to_string().into(), version: "2".into() }
}

#[tokio::test]
async fn malformed_push_keys_are_named_by_their_place() {
    let world = world().await;
    seen_from(&world, EGRESS_IP);
    let keys = json!([{ "token": "planted", "encoding_aes_key": "planted" }]);
    world.credentials.set(Ok(with_push_keys(&keys)));
    let report = KeeperHarness::new(&world).diagnose().await;
    names(&report, "push_keys", &[]);
    let detail = check(&report, "push_keys")["detail"].as_str().unwrap();
    assert!(detail.starts_with("push_keys[0]: encoding_aes_key has 7 characters"), "{report:#}");
    assert!(!report.to_string().contains("planted"));
}

#[tokio::test]
async fn without_push_keys_the_report_is_green_because_the_callback_has_its_own_secret() {
    for keys in [json!(null), json!([])] {
        let world = world().await;
        seen_from(&world, EGRESS_IP);
        world.credentials.set(Ok(with_push_keys(&keys)));
        let report = KeeperHarness::new(&world).diagnose().await;
        let shown = json!({
            "link": "push_keys", "status": "skipped", "count": 0,
            "detail": "not in this function's secret: the callback's own secret holds them",
        });
        assert_eq!((&report["ok"], check(&report, "push_keys")), (&json!(true), &shown));
    }
}

#[tokio::test]
async fn a_table_that_cannot_be_read_is_named() {
    let world = world().await;
    let keeper = KeeperHarness::new(&world);
    keeper.state.down.store(true, Ordering::Relaxed);
    names(&keeper.diagnose().await, "state", &["ticket", "token", "egress_ip", "code"]);
}

#[tokio::test]
async fn a_ticket_that_is_missing_refused_or_overdue_is_named() {
    let world = world_of(SimConfig::default()).await;
    let keeper = KeeperHarness::new(&world);
    names(&keeper.diagnose().await, "ticket", &["token", "egress_ip", "code"]);

    world.ticket_arrives().await;
    world.wechat.inject(Fault::errcode(61006).on(Endpoint::ComponentToken));
    let report = keeper.diagnose().await;
    names(&report, "ticket", &["token", "egress_ip", "code"]);
    assert!(check(&report, "ticket")["detail"].as_str().unwrap().contains("61006"), "{report:#}");
    assert_eq!(check(&report, "token")["backoff"]["code"], "Ticket.Rejected");

    world.advance(60);
    world.ticket_arrives().await;
    seen_from(&world, EGRESS_IP);
    keeper.refresh().await.unwrap();
    world.advance(2700);
    let report = keeper.diagnose().await;
    names(&report, "ticket", &[]);
    let detail = "the last push came 45 min ago; the ticket is valid for another 11 h 15 min";
    assert_eq!(check(&report, "ticket")["detail"], detail);
}

#[tokio::test]
async fn with_a_wrong_appsecret_the_credentials_fail_and_not_the_token() {
    let world = world().await;
    world.credentials.set(Ok(document(world.wechat.config(), "0123456789abcdef0123456789abcdef")));
    let report = KeeperHarness::new(&world).diagnose().await;
    names(&report, "credentials", &["token", "egress_ip", "code"]);
    assert_eq!(check(&report, "credentials")["code"], "Config.AppSecretRejected");
    assert!(!report.to_string().contains("0123456789abcdef"));
}

#[tokio::test]
async fn when_a_gateway_answers_html_the_call_it_answers_fails() {
    let world = world().await;
    seen_from(&world, EGRESS_IP);
    let keeper = KeeperHarness::new(&world);
    keeper.refresh().await.unwrap();
    let html = FaultKind::Html { status: 502 };
    world.wechat.inject(Fault::new(html).on(Endpoint::CreatePreAuthCode).forever());
    names(&keeper.diagnose().await, "code", &[]);
}

#[tokio::test]
async fn with_a_used_up_quota_the_code_fails() {
    let limits = BTreeMap::from([(Endpoint::CreatePreAuthCode, 0)]);
    let world = world_of(SimConfig { daily_quota: limits, ..SimConfig::default() }).await;
    world.ticket_arrives().await;
    seen_from(&world, EGRESS_IP);
    let report = KeeperHarness::new(&world).diagnose().await;
    names(&report, "code", &[]);
    assert_eq!(check(&report, "code")["code"], "WeChat.DailyQuotaExhausted");
}

#[tokio::test]
async fn when_no_token_can_be_minted_the_token_alone_fails() {
    let limits = BTreeMap::from([(Endpoint::ComponentToken, 0)]);
    let world = world_of(SimConfig { daily_quota: limits, ..SimConfig::default() }).await;
    world.ticket_arrives().await;
    let report = KeeperHarness::new(&world).diagnose().await;
    names(&report, "token", &["egress_ip", "code"]);
    assert_eq!(check(&report, "code")["detail"], "cannot be checked: see token");
}

#[tokio::test]
async fn with_minting_off_a_token_that_nobody_handed_over_is_named() {
    let world = world_of(SimConfig::default()).await;
    let keeper = KeeperHarness::with(&world, |services| services.minting = false);
    let report = keeper.diagnose().await;
    names(&report, "token", &["egress_ip", "code"]);
    assert_eq!((&report["minting"], &check(&report, "ticket")["status"]), (&json!("off"), &json!("unknown")));
}
