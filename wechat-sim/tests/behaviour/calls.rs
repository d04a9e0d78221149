//! `api_start_push_ticket`, the whitelist and the request log.

use serde_json::json;
use wechat_sim::{Endpoint, ErrmsgStyle};

use crate::client::{SUCCESS, create_code, mint, post, receiver, request, start, until};

#[tokio::test]
async fn start_push_ticket_says_whether_the_pushes_were_running() {
    let sim = start().await;
    let path = Endpoint::StartPushTicket.path();
    let (appid, secret) = (&sim.config().component_appid, &sim.config().component_appsecret);
    let body = json!({"component_appid": appid, "component_secret": secret});
    assert_eq!(post(&sim, path, &body).await.body, r#"{"errcode":0,"errmsg":"in a normal state"}"#);
    sim.set_pushing(false);
    assert_eq!(post(&sim, path, &body).await.body, r#"{"errcode":0,"errmsg":"ok"}"#);
    assert!(sim.is_pushing());

    let wrong_name = json!({"component_appid": appid, "component_appsecret": secret});
    let cases = [
        (json!({}), 41018),
        (json!({"component_appid": "wx0000000000000000", "component_secret": secret}), 61011),
        (wrong_name, 41004),
        (json!({"component_appid": appid, "component_secret": "wrong"}), 40125),
    ];
    for (body, errcode) in cases {
        assert_eq!(post(&sim, path, &body).await.errcode(), Some(errcode), "{body}");
    }
    sim.set_whitelist(vec!["203.0.113.7".parse().unwrap()]);
    assert_eq!(post(&sim, path, &body).await.errcode(), Some(61004));
}

#[tokio::test]
async fn starting_the_pushes_pushes_a_ticket() {
    let receiver = receiver(vec![Some(SUCCESS)]).await;
    let sim = start().await;
    sim.set_callback_url(Some(receiver.url.clone()));
    sim.set_pushing(false);
    let body = json!({
        "component_appid": sim.config().component_appid,
        "component_secret": sim.config().component_appsecret,
    });
    post(&sim, Endpoint::StartPushTicket.path(), &body).await;
    until(|| !sim.pushes().is_empty()).await;
    assert!(sim.pushes()[0].outcome.delivered);
    assert_eq!(sim.pushes()[0].info_type, "component_verify_ticket");
}

#[tokio::test]
async fn an_address_not_on_the_whitelist_is_named_and_refused() {
    let sim = start().await;
    let token = sim.mint();
    sim.set_whitelist(vec!["203.0.113.7".parse().unwrap()]);
    let answer = create_code(&sim, &token).await;
    assert_eq!(answer.errcode(), Some(61004));
    assert!(answer.errmsg().contains(" requestIP: 127.0.0.1 rid: "), "{}", answer.errmsg());
    sim.set_errmsg_style(ErrmsgStyle::HintWithoutIp);
    assert!(!create_code(&sim, &token).await.errmsg().contains("requestIP"));
    sim.set_client_ip(Some("203.0.113.7".parse().unwrap()));
    assert_eq!(create_code(&sim, &token).await.errcode(), None);
    sim.set_client_ip(None);
    sim.set_whitelist(vec!["203.0.113.7".parse().unwrap(), "127.0.0.1".parse().unwrap()]);
    assert_eq!(create_code(&sim, &token).await.errcode(), None);
}

#[tokio::test]
async fn the_log_shows_requests_and_answers() {
    let sim = start().await;
    let minted = mint(&sim).await;
    let target = format!("{}?access_token=a%20b", Endpoint::CreatePreAuthCode.path());
    request(&sim, "POST", &target, "Content-Type: text/x\r\n", "{}").await.unwrap();

    let requests = sim.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].api, Endpoint::ComponentToken);
    assert_eq!(requests[0].answer, minted.body);
    assert_eq!(requests[0].json().unwrap()["component_appid"], sim.config().component_appid.as_str());
    assert_eq!((requests[0].status, requests[0].delivered, requests[0].errcode), (200, true, None));
    assert_eq!(requests[1].query_value("access_token").as_deref(), Some("a b"));
    assert_eq!((requests[1].content_type.as_str(), requests[1].errcode), ("text/x", Some(40001)));
    assert_eq!(requests[1].at, sim.clock().now());

    sim.reset_requests();
    assert!(sim.requests().is_empty());
    assert_eq!(sim.calls(Endpoint::ComponentToken), 0);
}
