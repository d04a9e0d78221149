//! The control API under `/_sim/`.

use serde_json::{Value, json};
use wechat_sim::{AuthorizationRules, ERRCODES, Endpoint, EventOrder, Sim};

use crate::client::{SUCCESS, code, create_code, get, mint, post, receiver, request, start};

async fn control(sim: &Sim, path: &str, body: Value) -> Value {
    let answer = post(sim, &format!("/_sim/{path}"), &body).await;
    assert_eq!(answer.status, 200, "{path} {body}: {}", answer.body);
    answer.json()
}

#[tokio::test]
async fn a_fault_can_be_injected_with_any_content_type() {
    let sim = start().await;
    let token = sim.mint();
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let body = r#"{"api":"create_preauthcode","errcode":61004,"times":1}"#;
    request(&sim, "POST", "/_sim/faults", form, body).await.unwrap();
    assert_eq!(mint(&sim).await.errcode(), None);
    assert_eq!(create_code(&sim, &token).await.errcode(), Some(61004));
    assert_eq!(create_code(&sim, &token).await.errcode(), None);
}

#[tokio::test]
async fn every_errcode_has_a_preset() {
    let sim = start().await;
    for known in ERRCODES {
        control(&sim, "faults", json!({ "preset": known.name })).await;
        let answer = mint(&sim).await;
        assert_eq!(answer.errcode(), Some(known.code), "{}", known.name);
        let text = known.errmsg.replace("{ip}", "127.0.0.1");
        assert!(answer.errmsg().starts_with(&text), "{}: {}", known.name, answer.errmsg());
    }
    let listed = get(&sim, "/_sim/errcodes").await.json();
    assert_eq!(listed.as_array().unwrap().len(), ERRCODES.len());
}

#[tokio::test]
async fn every_kind_of_fault_is_read_and_mistakes_are_named() {
    let sim = start().await;
    let good = [
        json!({"kind": "delay", "ms": 1}),
        json!({"kind": "reset"}),
        json!({"kind": "reset_after"}),
        json!({"kind": "close"}),
        json!({"kind": "hang"}),
        json!({"kind": "truncate"}),
        json!({"kind": "html"}),
        json!({"kind": "status", "status": 500}),
        json!({"kind": "text_plain"}),
        json!({"kind": "empty_field"}),
        json!({"kind": "errcode_zero"}),
        json!({"kind": "expires_in", "seconds": 1}),
        json!({"kind": "huge", "bytes": 10}),
        json!({"errcode": 1, "as_string": true}),
        json!({"errcode": 1, "errmsg_style": "comma_rid"}),
        json!({"errcode": 1, "errmsg": "text", "when": "after", "times": "forever"}),
        json!({"errcode": 1, "api": "/cgi-bin/clear_quota"}),
    ];
    for fault in &good {
        control(&sim, "faults", fault.clone()).await;
    }
    assert_eq!(sim.faults().len(), good.len());
    assert_eq!(get(&sim, "/_sim/faults").await.json()["faults"].as_array().unwrap().len(), good.len());
    request(&sim, "DELETE", "/_sim/faults", "", "").await.unwrap();
    assert!(sim.faults().is_empty());

    let bad = [
        (json!({}), "errcode, preset or kind"),
        (json!({"kind": "delay"}), "ms is missing"),
        (json!({"kind": "nope"}), "no kind"),
        (json!({"preset": "nope"}), "no preset"),
        (json!({"errcode": 1, "api": "nope"}), "create_preauthcode"),
        (json!({"errcode": 1, "times": 0}), "times is"),
        (json!({"errcode": 1, "tmes": 1}), "unknown field"),
        (json!({"kind": "status", "status": 99}), "between 200 and 599"),
        (json!({"errcode": 1, "when": "later"}), "expected `before` or `after`"),
    ];
    for (fault, expected) in bad {
        let answer = post(&sim, "/_sim/faults", &fault).await;
        assert_eq!(answer.status, 400, "{fault}");
        assert!(answer.body.contains(expected), "{fault}: {}", answer.body);
    }
}

#[tokio::test]
async fn the_state_can_be_changed() {
    let sim = start().await;
    let token = sim.mint();
    control(&sim, "whitelist", json!({"addresses": ["203.0.113.7"]})).await;
    assert_eq!(create_code(&sim, &token).await.errcode(), Some(61004));
    control(&sim, "client_ip", json!({"address": "203.0.113.7"})).await;
    assert_eq!(create_code(&sim, &token).await.errcode(), None);
    control(&sim, "foreign_mint", json!({})).await;
    control(&sim, "clock", json!({"advance_seconds": 300})).await;
    assert_eq!(create_code(&sim, &token).await.errcode(), Some(40001));
    control(&sim, "errmsg_style", json!({"errmsg_style": "hint"})).await;
    assert!(create_code(&sim, &token).await.errmsg().contains("hint: ["));
    control(&sim, "revoke", json!({})).await;
    assert!(!sim.token_works(&sim.current_token().unwrap()));
    control(&sim, "pushing", json!({"running": false})).await;
    assert!(!sim.is_pushing());
    let ticket = control(&sim, "ticket", json!({})).await["component_verify_ticket"].clone();
    assert_eq!(ticket, sim.current_ticket());
}

#[tokio::test]
async fn state_and_requests_are_shown_and_not_counted() {
    let sim = start().await;
    mint(&sim).await;
    let state = get(&sim, "/_sim/state").await.json();
    assert_eq!(state["calls"], json!({"component_token": 1}));
    assert_eq!(state["tokens_minted"], 1);
    assert_eq!(state["current_token_works"], true);
    let requests = get(&sim, "/_sim/requests?last=1").await.json();
    assert_eq!(requests["total"], 1);
    assert_eq!(requests["requests"][0]["api"], "component_token");
    assert_eq!(sim.calls(Endpoint::Unknown), 0);
    request(&sim, "DELETE", "/_sim/requests", "", "").await.unwrap();
    assert!(sim.requests().is_empty());
    assert_eq!(get(&sim, "/_sim/help").await.status, 200);
    assert_eq!(get(&sim, "/_sim/nothing").await.status, 404);
}

#[tokio::test]
async fn pushes_are_built_and_sent() {
    let receiver = receiver(vec![Some(SUCCESS)]).await;
    let sim = start().await;
    let nowhere = post(&sim, "/_sim/push", &json!({})).await;
    assert_eq!(nowhere.status, 400);
    control(&sim, "callback_url", json!({ "url": receiver.url })).await;
    for bad in ["ftp://127.0.0.1/", "127.0.0.1:9000"] {
        let refused = post(&sim, "/_sim/callback_url", &json!({ "url": bad })).await;
        assert_eq!(refused.status, 400, "{bad}: {}", refused.body);
    }
    let before = sim.current_ticket();
    assert_eq!(control(&sim, "push", json!({"new_ticket": true})).await["delivered"], true);
    assert_ne!(sim.current_ticket(), before);
    let event = json!({"event": "my_event", "fields": {"a": 1, "info": {"b": "x"}}, "only_build": true});
    let built = control(&sim, "push", event).await;
    let message = built["message"].as_str().unwrap();
    assert!(message.contains("<a>1</a>\n<info>\n<b><![CDATA[x]]></b>\n</info>"), "{message}");
    assert_eq!(
        control(&sim, "push", json!({"event": "message", "flaw": "wrong_signature"})).await["delivered"],
        true
    );
    assert_eq!(get(&sim, "/_sim/pushes").await.json()["pushes"].as_array().unwrap().len(), 2);
    for mistake in [json!({"event": "nope"}), json!({"style": "nope"})] {
        assert_eq!(post(&sim, "/_sim/push", &mistake).await.status, 400, "{mistake}");
    }
}

#[tokio::test]
async fn the_rules_of_the_authorization_pages_are_changed_one_by_one() {
    let sim = start().await;
    let before = sim.authorization();
    let changed =
        control(&sim, "authorization", json!({"administrator": false, "event_order": "after"})).await;
    assert_eq!(changed["rules"]["administrator"], false);
    control(&sim, "authorization", json!({"test_list": ["gh_51a000000001"]})).await;
    let expected = AuthorizationRules {
        administrator: false,
        event_order: EventOrder::After,
        test_list: Some(vec!["gh_51a000000001".to_owned()]),
        ..before
    };
    assert_eq!(sim.authorization(), expected);
    control(&sim, "authorization", json!({"test_list": null})).await;
    assert_eq!(sim.authorization().test_list, None);
    let account = json!({"appid": "wx1", "original_id": "gh_1", "nick_name": "a", "kind": "channels"});
    control(&sim, "authorization", json!({ "accounts": [account] })).await;
    assert_eq!(sim.authorization().accounts[0].appid, "wx1");
    control(&sim, "authorization_domain", json!({"host": "www.example.com"})).await;
    assert_eq!(get(&sim, "/_sim/authorization").await.json()["domain"], "www.example.com");
    let unchanged = sim.authorization();
    for mistake in [json!({"adminstrator": false}), json!({"event_order": "never"}), json!([])] {
        assert_eq!(post(&sim, "/_sim/authorization", &mistake).await.status, 400, "{mistake}");
    }
    assert_eq!(sim.authorization(), unchanged);
}

#[tokio::test]
async fn an_account_authorizes_without_the_pages() {
    let sim = start().await;
    let code = code(&sim).await;
    let body =
        json!({"pre_auth_code": code, "authorizer_appid": "wx51a0000000000003", "permission_sets": [18, 17]});
    let answer = control(&sim, "authorize", body.clone()).await;
    assert!(answer["auth_code"].as_str().unwrap().starts_with("queryauthcode@@@"));
    let shown = get(&sim, "/_sim/authorization").await.json();
    assert_eq!(shown["authorizers"][0]["account"]["nick_name"], "小城书店商城");
    assert_eq!(shown["authorizers"][0]["permission_sets"], json!([17, 18]));
    let again = post(&sim, "/_sim/authorize", &body).await;
    assert_eq!((again.status, again.json()["error"].as_str().unwrap().contains("used")), (400, true));
}
