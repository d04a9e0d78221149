//! The diagnosis: whatever is broken is named, with what to do, and what hangs on it is not accused.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};
use wechat_preauth::platform::{EgressIps, SecretDocument, SecretsError, Services};
use wechat_preauth::tls::TrustRoots;
use wechat_preauth::wechat::http::http_client;
use wechat_preauth::wechat::{ApiHosts, Client};
use wechat_sim::{Endpoint, ErrmsgStyle, Fault, FaultKind, SimConfig};

use crate::harness::{Actor, document, world, world_of};
use crate::support::service::TestService;

/// The address that the stage registers as EGRESS_IPS.
const EGRESS_IP: &str = "203.0.113.7";

fn seen_from(world: &TestService, address: &str) {
    world.wechat.set_answers_ip(Some(address.parse().unwrap()));
}

fn link<'a>(report: &'a Value, name: &str) -> &'a Value {
    let links = report["links"].as_array().unwrap();
    let found = |link: &&Value| link["link"].as_str().is_some_and(|link| link.starts_with(name));
    links.iter().find(found).unwrap_or_else(|| panic!("no {name}: {report:#}"))
}

/// Checks that exactly `failed` is broken and has a remedy, and that `skipped` point at it.
#[track_caller]
fn names(report: &Value, failed: &str, skipped: &[&str]) {
    assert_eq!(report["ok"], false);
    let names: Vec<&str> =
        report["failed"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(names.len() == 1 && names[0].starts_with(failed), "{failed} != {names:?}\n{report:#}");
    let culprit = link(report, failed);
    assert!(culprit["remedy"].as_str().is_some_and(|remedy| remedy.len() > 20), "{culprit:#}");
    assert!(!culprit["detail"].as_str().unwrap().is_empty());
    let text = report["text"].as_str().unwrap();
    assert!(text.contains("FAILED") && text.contains(culprit["remedy"].as_str().unwrap()), "{text}");
    let is_skipped = |link: &&Value| link["status"] == "skipped";
    let found: Vec<&str> = report["links"]
        .as_array()
        .unwrap()
        .iter()
        .filter(is_skipped)
        .map(|link| link["link"].as_str().unwrap())
        .collect();
    assert_eq!(found, skipped, "{report:#}");
    for link in report["links"].as_array().unwrap().iter().filter(is_skipped) {
        assert!(link["detail"].as_str().unwrap().starts_with("cannot be checked: see "), "{link:#}");
    }
}

#[tokio::test]
async fn a_chain_that_holds_is_shown_link_by_link_and_nothing_is_minted() {
    let world = world().await;
    seen_from(&world, EGRESS_IP);
    let keeper = Actor::new(&world);
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
        .map(|link| (link["link"].as_str().unwrap(), link["status"].as_str().unwrap()))
        .collect();
    let host = format!("host:127.0.0.1:{}", world.wechat.addr().port());
    let names = ["credentials", "push_keys", "state", "ticket", &host, "token", "egress_ip", "code"];
    assert_eq!(shown, names.map(|name| (name, "ok")));
    assert_eq!(link(&report, "ticket")["age_s"], 125);
    assert_eq!(
        (&link(&report, "token")["age_s"], &link(&report, "token")["seconds_left"]),
        (&json!(125), &json!(7075))
    );
    assert_eq!(link(&report, "egress_ip")["client_ip"], EGRESS_IP);
    assert_eq!(link(&report, "egress_ip")["is_egress_ip"], true);
    assert!(link(&report, "host:")["latency_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(link(&report, "code")["code_fingerprint"].as_str().unwrap().len(), 12);
    assert!(!report.to_string().contains("preauthcode@@@"), "{report:#}");
    assert_eq!(report["text"].as_str().unwrap().lines().count(), 8);
    assert_eq!((world.mints(), world.wechat.codes_issued()), (1, 1));
}

#[tokio::test]
async fn a_wrong_secret_document_breaks_the_credentials() {
    // Without the appsecret the component is known all the same, and so are its ticket and the table.
    for (json, says, skipped) in [
        (
            r#"{"component_appid":"wxsim0000000000001"}"#,
            "component_appsecret is missing",
            &["push_keys", "token", "egress_ip", "code"][..],
        ),
        ("", "not been filled", &["push_keys", "state", "ticket", "token", "egress_ip", "code"]),
    ] {
        let world = world().await;
        world.credentials.set(Ok(SecretDocument { json: json.into(), version: "2".into() }));
        let report = Actor::new(&world).diagnose().await;
        names(&report, "credentials", skipped);
        assert!(link(&report, "credentials")["detail"].as_str().unwrap().contains(says), "{report:#}");
    }
}

#[tokio::test]
async fn an_outage_of_secrets_manager_is_seen_although_codes_go_on() {
    let world = world().await;
    seen_from(&world, EGRESS_IP);
    let keeper = Actor::new(&world);
    keeper.refresh().await.unwrap();
    world.credentials.set(Err(SecretsError::Unavailable("no answer in time".into())));
    let report = keeper.diagnose().await;
    names(&report, "credentials", &["push_keys"]);
    assert_eq!(link(&report, "code")["status"], "ok");
}

#[tokio::test]
async fn push_keys_that_are_missing_or_malformed_are_named_by_their_place() {
    let base = json!({"component_appid":"wxsim0000000000001","component_appsecret":"sim-secret-for-tests-only-000000"});
    for (keys, says) in [
        (json!(null), "there are none"),
        (
            json!([{"token":"planted","encoding_aes_key":"planted"}]),
            "push_keys[0]: encoding_aes_key has 7 characters",
        ),
    ] {
        let world = world().await;
        seen_from(&world, EGRESS_IP);
        let mut secret = base.clone();
        secret["push_keys"] = keys;
        world.credentials.set(Ok(SecretDocument { json: secret.to_string().into(), version: "2".into() }));
        let report = Actor::new(&world).diagnose().await;
        names(&report, "push_keys", &[]);
        assert!(link(&report, "push_keys")["detail"].as_str().unwrap().starts_with(says), "{report:#}");
        assert!(!report.to_string().contains("planted"));
    }
}

#[tokio::test]
async fn a_table_that_cannot_be_read_is_named() {
    let world = world().await;
    let keeper = Actor::new(&world);
    keeper.state.down.store(true, Ordering::Relaxed);
    names(&keeper.diagnose().await, "state", &["ticket", "token", "egress_ip", "code"]);
}

#[tokio::test]
async fn a_ticket_that_is_missing_refused_or_overdue_is_named() {
    let world = world_of(SimConfig::default()).await;
    let keeper = Actor::new(&world);
    names(&keeper.diagnose().await, "ticket", &["token", "egress_ip", "code"]);

    world.ticket_arrives().await;
    world.wechat.inject(Fault::errcode(61006).on(Endpoint::ComponentToken));
    let report = keeper.diagnose().await;
    names(&report, "ticket", &["token", "egress_ip", "code"]);
    assert!(link(&report, "ticket")["detail"].as_str().unwrap().contains("61006"), "{report:#}");
    assert_eq!(link(&report, "token")["backoff"]["code"], "Ticket.Rejected");

    world.advance(60);
    world.ticket_arrives().await;
    seen_from(&world, EGRESS_IP);
    keeper.refresh().await.unwrap();
    world.advance(2700);
    let report = keeper.diagnose().await;
    names(&report, "ticket", &[]);
    let detail = "the last push came 45 min ago; the ticket is good for another 11 h 15 min";
    assert_eq!(link(&report, "ticket")["detail"], detail);
}

#[tokio::test]
async fn a_wrong_appsecret_breaks_the_credentials_and_not_the_token() {
    let world = world().await;
    world.credentials.set(Ok(document(world.wechat.config(), "0123456789abcdef0123456789abcdef")));
    let report = Actor::new(&world).diagnose().await;
    names(&report, "credentials", &["token", "egress_ip", "code"]);
    assert_eq!(link(&report, "credentials")["code"], "Config.AppSecretRejected");
    assert!(!report.to_string().contains("0123456789abcdef"));
}

#[tokio::test]
async fn an_address_outside_the_whitelist_is_named_with_what_it_is() {
    for (seen, says) in [(EGRESS_IP, "Append 203.0.113.7"), ("198.51.100.9", "bypasses the NAT gateway")] {
        let world = world().await;
        seen_from(&world, seen);
        world.wechat.set_whitelist(vec!["192.0.2.1".parse().unwrap()]);
        let report = Actor::new(&world).diagnose().await;
        names(&report, "egress_ip", &["token", "code"]);
        let egress = link(&report, "egress_ip");
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
    let keeper = Actor::new(&world);
    keeper.refresh().await.unwrap();
    world.wechat.set_whitelist(vec!["192.0.2.1".parse().unwrap()]);
    names(&keeper.diagnose().await, "egress_ip", &["code"]);
}

#[tokio::test]
async fn traffic_that_bypasses_the_nat_is_seen_before_it_is_refused() {
    let world = world().await;
    seen_from(&world, "198.51.100.9");
    let report = Actor::new(&world).diagnose().await;
    names(&report, "egress_ip", &[]);
    assert_eq!(link(&report, "code")["status"], "ok");
}

#[tokio::test]
async fn an_address_that_cannot_be_known_or_compared_accuses_nobody() {
    let world = world().await;
    seen_from(&world, "198.51.100.9");
    let keeper = Actor::with(&world, |services| services.egress = EgressIps::default());
    let report = keeper.diagnose().await;
    let egress = link(&report, "egress_ip");
    assert_eq!((&report["ok"], &egress["status"]), (&json!(true), &json!("unknown")));
    assert_eq!(egress["client_ip"], "198.51.100.9");
    // An older gateway tells neither address nor rid.
    world.wechat.set_era(ErrmsgStyle::HintWithoutIp);
    let report = keeper.diagnose().await;
    assert_eq!((&report["ok"], &link(&report, "egress_ip")["status"]), (&json!(true), &json!("unknown")));
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
    let report = Actor::with(&world, |services| hosts(services, &both)).diagnose().await;
    names(&report, "host:127.0.0.1:1", &[]);
    assert_eq!(link(&report, "code")["status"], "ok");
}

#[tokio::test]
async fn without_any_way_out_only_the_hosts_are_named() {
    let world = world().await;
    let keeper = Actor::with(&world, |services| hosts(services, "http://127.0.0.1:1"));
    names(&keeper.diagnose().await, "host:127.0.0.1:1", &["token", "egress_ip", "code"]);
}

#[tokio::test]
async fn a_gateway_that_answers_html_breaks_the_call_it_answers() {
    let world = world().await;
    seen_from(&world, EGRESS_IP);
    let keeper = Actor::new(&world);
    keeper.refresh().await.unwrap();
    let html = FaultKind::Html { status: 502 };
    world.wechat.inject(Fault::new(html).on(Endpoint::CreatePreAuthCode).forever());
    names(&keeper.diagnose().await, "code", &[]);
}

#[tokio::test]
async fn a_used_up_quota_breaks_the_code() {
    let limits = BTreeMap::from([(Endpoint::CreatePreAuthCode, 0)]);
    let world = world_of(SimConfig { daily_quota: limits, ..SimConfig::default() }).await;
    world.ticket_arrives().await;
    seen_from(&world, EGRESS_IP);
    let report = Actor::new(&world).diagnose().await;
    names(&report, "code", &[]);
    assert_eq!(link(&report, "code")["code"], "WeChat.DailyQuotaExhausted");
}

#[tokio::test]
async fn with_minting_off_a_token_that_nobody_handed_over_is_named() {
    let world = world_of(SimConfig::default()).await;
    let keeper = Actor::with(&world, |services| services.minting = false);
    let report = keeper.diagnose().await;
    names(&report, "token", &["egress_ip", "code"]);
    assert_eq!((&report["minting"], &link(&report, "ticket")["status"]), (&json!("off"), &json!("unknown")));
}

#[tokio::test]
async fn a_diagnosis_takes_no_longer_than_its_invocation() {
    let world = world().await;
    world.wechat.inject(Fault::delay(Duration::from_secs(30)).forever());
    let started = std::time::Instant::now();
    let report = Actor::new(&world).diagnose().await;
    assert!(started.elapsed() < Duration::from_secs(12), "{:?}", started.elapsed());
    assert_eq!(report["ok"], false);
}
