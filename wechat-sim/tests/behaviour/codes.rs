//! `api_create_preauthcode` and the lifetime of a code.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;
use wechat_sim::{CodeState, Endpoint};

use crate::client::{code, create_code, get, post, request, start};

const PATH: &str = "/cgi-bin/component/api_create_preauthcode";

#[tokio::test]
async fn every_code_is_new_and_looks_like_a_real_one() {
    let sim = start().await;
    let token = sim.mint();
    let mut codes = HashSet::new();
    for _ in 0..20 {
        let answer = create_code(&sim, &token).await.json();
        assert_eq!(answer["expires_in"], 1800);
        let code = answer["pre_auth_code"].as_str().unwrap().to_owned();
        assert!(code.starts_with("preauthcode@@@"));
        assert_eq!(code.len(), 100);
        assert_eq!(sim.code_state(&code), CodeState::Valid);
        codes.insert(code);
    }
    assert_eq!((codes.len(), sim.codes_issued()), (20, 20));
}

#[tokio::test]
async fn both_names_of_the_token_parameter_work() {
    let sim = start().await;
    let token = sim.mint();
    let body = json!({"component_appid": sim.config().component_appid});
    for name in ["access_token", "component_access_token"] {
        let answer = post(&sim, &format!("{PATH}?{name}={token}"), &body).await;
        assert_eq!(answer.errcode(), None, "{name}");
    }
}

#[tokio::test]
async fn each_mistake_has_its_errcode() {
    let sim = start().await;
    let token = sim.mint();
    let good = json!({"component_appid": sim.config().component_appid}).to_string();
    let with_token = format!("{PATH}?access_token={token}");
    let cases = [
        ("POST", PATH, good.as_str(), 41001),
        ("POST", &format!("{PATH}?access_token="), &good, 41001),
        ("POST", &format!("{PATH}?access_token=99_never_given_out"), &good, 40001),
        ("POST", &with_token, "{\"component_appid\":", 47001),
        ("POST", &with_token, "[]", 47001),
        ("POST", &with_token, "", 44002),
        ("POST", &with_token, "{}", 41018),
        ("POST", &with_token, "{\"component_appid\":\"wx0000000000000000\"}", 40013),
        ("GET", &with_token, "", 43002),
    ];
    for (method, target, body, errcode) in cases {
        let answer = request(&sim, method, target, "", body).await.unwrap();
        assert_eq!((answer.status, answer.errcode()), (200, Some(errcode)), "{method} {target} {body}");
    }
    assert_eq!(sim.codes_issued(), 0);
    assert_eq!(sim.calls(Endpoint::CreatePreAuthCode), 9);
}

#[tokio::test]
async fn an_unknown_path_is_an_invalid_url() {
    let sim = start().await;
    assert_eq!(get(&sim, "/cgi-bin/component/nothing").await.errcode(), Some(40066));
    assert_eq!(sim.calls(Endpoint::Unknown), 1);
}

#[tokio::test]
async fn a_code_is_used_once_and_leaves_others_alone() {
    let sim = start().await;
    let (first, second) = (code(&sim).await, code(&sim).await);
    assert!(sim.authorize(&first, "wx0123456789abcdef").is_ok());
    assert_eq!(sim.authorize(&first, "wx0123456789abcdef"), Err(CodeState::Used));
    assert_eq!(sim.code_state(&second), CodeState::Valid);
    assert_eq!(sim.authorize("preauthcode@@@never", "wx0123456789abcdef"), Err(CodeState::Unknown));
}

#[tokio::test]
async fn a_code_expires_after_half_an_hour() {
    let sim = start().await;
    let code = code(&sim).await;
    sim.clock().advance(Duration::from_secs(1799));
    assert_eq!(sim.code_state(&code), CodeState::Valid);
    sim.clock().advance(Duration::from_secs(1));
    assert_eq!(sim.authorize(&code, "wx0123456789abcdef"), Err(CodeState::Expired));
}
