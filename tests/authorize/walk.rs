//! The whole way of a merchant: the launch page, WeChat, and back.

use serde_json::{Value, json};
use wechat_preauth::platform::ProblemCode;
use wechat_preauth::platform::links::{CodeLink, LinkStore as _};

use crate::harness::{FINGERPRINT, Harness, Next, ORIGIN, PHONE_IN_WECHAT};
use crate::support::logs::Captured;

#[tokio::test]
async fn opening_a_link_costs_no_code() {
    let harness = Harness::new();
    let (id, _) = harness.link(&json!({})).await;
    for _ in 0..30 {
        let page = harness.get(&format!("/authorize/{id}")).await;
        page.is_safe();
        assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
        assert_eq!(page.header("referrer-policy"), "origin");
    }
    // A link checker asks by HEAD. API Gateway sends no body then.
    let checked = harness.http("HEAD", &format!("/authorize/{id}"), &[], "").await;
    assert_eq!((checked.status, checked.header("content-type")), (200, "text/html; charset=utf-8"));
    assert_eq!((harness.invocations(), harness.counted()), (0, vec![("LinkCreated", 1.0)]));
}

#[tokio::test]
async fn a_click_takes_one_code_and_leads_to_the_page_of_the_device() {
    let harness = Harness::new();
    let request = json!({
        "auth_type": 2, "biz_appid": "wxba5fad812f8e6fb9", "category_id_list": [1, 17], "reference": "order-17",
        "state": "s", "return_url": "https://shop.example.com/done",
    });
    let (id, link_id) = harness.link(&request).await;
    let target = format!("/authorize/{id}");
    for (agent, page) in [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "https://mp.weixin.qq.com/cgi-bin/componentloginpage?"),
        (PHONE_IN_WECHAT, "https://open.weixin.qq.com/wxaopen/safe/bindcomponent?"),
        ("Mozilla/5.0 (iPhone) Safari", "https://mp.weixin.qq.com/"),
        ("", "https://mp.weixin.qq.com/"),
    ] {
        let answer = harness.http("POST", &target, &[("User-Agent", agent)], "").await;
        answer.is_safe();
        assert_eq!((answer.status, answer.header("referrer-policy")), (303, "origin"), "{agent}");
        assert!(answer.header("location").starts_with(page), "{agent}: {}", answer.header("location"));
    }
    let expected = json!({
        "redirect_uri": format!("{ORIGIN}/authorized/{id}"), "auth_type": 2, "biz_appid": "wxba5fad812f8e6fb9",
        "category_id_list": [1, 17], "reference": "order-17",
    });
    assert_eq!(*harness.preauthcode.events.lock().unwrap(), vec![expected; 4]);
    assert_eq!(harness.metrics.sum("AuthorizationStarted"), 4.0);
    let origin = CodeLink { link_id, reference: Some("order-17".into()), state: Some("s".into()) };
    assert_eq!(harness.links.code_link(FINGERPRINT).await.unwrap(), Some(origin));
}

#[tokio::test]
async fn the_direct_link_is_a_page_and_no_redirect() {
    let harness = Harness::new();
    let (id, _) = harness.link(&json!({})).await;
    let page = harness.post(&format!("/authorize/{id}?handoff=link")).await;
    assert_eq!((page.status, page.header("referrer-policy")), (200, "origin"));
    assert!(page.body.contains("https://mp.weixin.qq.com/cgi-bin/componentloginpage?"), "{}", page.body);
    assert!(page.body.contains(r#"referrerpolicy="origin""#));
    assert_eq!(harness.invocations(), 1);
}

#[tokio::test]
async fn a_link_takes_twenty_codes_and_no_more() {
    let harness = Harness::new();
    let (id, _) = harness.link(&json!({})).await;
    let target = format!("/authorize/{id}");
    for _ in 0..20 {
        assert_eq!(harness.post(&target).await.status, 303);
    }
    for _ in 0..2 {
        let refused = harness.post(&target).await;
        refused.is_safe();
        assert_eq!(refused.status, 429);
    }
    // The launch page says so before anybody clicks.
    assert_eq!(harness.get(&target).await.status, 429);
    assert_eq!(harness.invocations(), 20);
    // It is nobody's alarm.
    assert_eq!(harness.metrics.sum("Failure"), 0.0);
    assert_eq!(harness.metrics.sum("Failure.Link.Exhausted"), 3.0);
}

#[tokio::test]
async fn the_path_may_stand_behind_a_stage_and_end_in_a_slash() {
    let harness = Harness::new();
    let (id, _) = harness.link(&json!({})).await;
    for target in [format!("/live/authorize/{id}"), format!("/base/path/authorize/{id}/")] {
        assert_eq!(harness.get(&target).await.status, 200, "{target}");
    }
}

#[tokio::test]
async fn the_log_names_the_link_and_holds_nothing_that_opens_it() {
    let logs = Captured::start();
    let harness = Harness::new();
    let request = json!({
        "reference": "order-17", "state": "STATE-17", "return_url": "https://shop.example.com/RETURN",
    });
    let (id, link_id) = harness.link(&request).await;
    harness.get(&format!("/authorize/{id}")).await;
    harness.post(&format!("/authorize/{id}")).await;
    for _ in 0..2 {
        harness
            .get(&format!("/authorized/{id}?auth_code=queryauthcode%40%40%40TEST-only&expires_in=600"))
            .await;
    }
    harness
        .preauthcode(Next::Problem(ProblemCode::WeChatBusy, json!({ "errcode": -1, "request_id": "r-1" })));
    harness.post(&format!("/authorize/{id}")).await;
    let lines = logs.end();
    let messages: Vec<String> = lines
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["message"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        messages,
        [
            "made an authorization link",
            "a merchant opened a link",
            "a merchant went to WeChat",
            "a merchant came back from WeChat",
            "a merchant came back from WeChat",
            "a merchant was not served",
        ]
    );
    for line in &lines {
        assert!(line.contains(&link_id) && line.contains("order-17"), "{line}");
    }
    assert!(lines[5].contains("WeChat.Busy") && lines[5].contains("r-1"), "{}", lines[5]);
    let all = lines.join("\n");
    for hidden in [id.as_str(), "STATE-17", "RETURN", "queryauthcode", "preauthcode@@@", "preauthcode%40"] {
        assert!(!all.contains(hidden), "{hidden} is in the log: {all}");
    }
}
