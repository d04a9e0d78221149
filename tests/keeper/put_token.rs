//! Tokens that are handed over with `put_token`.

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use wechat_preauth::platform::TokenStore as _;

use crate::harness::{KeeperHarness, handed_over, stored, world};
use crate::support::service::TestService;

fn keeper(world: &TestService) -> KeeperHarness {
    KeeperHarness::with(world, |services| services.minting = false)
}

fn put(token: &str, expires_at: i64) -> Value {
    json!({ "action": "put_token", "component_access_token": token, "expires_at": expires_at })
}

#[tokio::test]
async fn a_token_may_expire_two_hours_and_ten_minutes_from_now() {
    let world = world().await;
    let longest = keeper(&world).invoke(put("longest", world.now() + 7800)).await.unwrap();
    assert_eq!((&longest["seconds_left"], stored(&world).await.as_deref()), (&json!(7800), Some("longest")));
}

#[tokio::test]
async fn a_token_may_be_handed_over_with_the_life_that_wechat_said() {
    let world = world().await;
    let put = |seconds: i64| json!({ "action": "put_token", "component_access_token": "planted", "expires_in": seconds });
    for seconds in [0, -1, 7801, i64::MAX, i64::MIN] {
        let (code, problem) = keeper(&world).invoke(put(seconds)).await.unwrap_err();
        let detail = json!("expires_in must be 1 to 7800 seconds");
        assert_eq!((code.as_str(), &problem["detail"]), ("Request.Invalid", &detail));
    }
    assert_eq!(stored(&world).await, None);
    let longest = keeper(&world).invoke(put(7800)).await.unwrap();
    assert_eq!((&longest["seconds_left"], stored(&world).await.as_deref()), (&json!(7800), Some("planted")));
    let item = world.state.token_item(&world.appid).await.unwrap();
    assert_eq!(item.token.unwrap().expires_at, world.now() + 7800);
}

#[tokio::test]
async fn a_valid_token_that_expires_later_is_replaced_on_request_only() {
    let world = world().await;
    let keeper = keeper(&world);
    let newest = handed_over(&world);
    keeper.invoke(put(newest.expose_secret(), world.now() + 7000)).await.unwrap();
    // A second server hands its token over late.
    let mut late = put("late", world.now() + 900);
    for replace in [json!(null), json!(false)] {
        late["replace"] = replace;
        let (code, problem) = keeper.invoke(late.clone()).await.unwrap_err();
        assert_eq!(code, "Request.Invalid");
        let says = "a valid token that expires later is stored (it expires at 2026-03-04T05:56:40Z); say \
                    \"replace\": true to replace it";
        assert_eq!(problem["detail"], says);
        assert_eq!(stored(&world).await.as_deref(), Some(newest.expose_secret()));
    }
    world.instance_with(|services| services.minting = false).issue().await.unwrap();

    late["replace"] = json!(true);
    assert_eq!(keeper.invoke(late).await.unwrap()["seconds_left"], 900);
    assert_eq!(stored(&world).await.as_deref(), Some("late"));
    // One that expires later needs no request.
    keeper.invoke(put("later", world.now() + 901)).await.unwrap();
    assert_eq!(stored(&world).await.as_deref(), Some("later"));
}

#[tokio::test]
async fn an_expired_token_is_replaced_by_any_valid_one() {
    let world = world().await;
    let keeper = keeper(&world);
    keeper.invoke(put("expired", world.now() + 7200)).await.unwrap();
    world.advance(7200);
    keeper.invoke(put("short", world.now() + 60)).await.unwrap();
    assert_eq!(stored(&world).await.as_deref(), Some("short"));
}

#[tokio::test]
async fn replace_must_be_true_or_false() {
    let world = world().await;
    let mut event = put("planted", world.now() + 7200);
    event["replace"] = json!("yes");
    let (code, problem) = keeper(&world).invoke(event).await.unwrap_err();
    assert_eq!(
        (code.as_str(), &problem["detail"]),
        ("Request.Invalid", &json!("replace must be true or false"))
    );
}

#[tokio::test]
async fn what_cannot_be_a_token_is_not_stored_and_not_repeated() {
    let world = world().await;
    let keeper = KeeperHarness::with(&world, |services| services.minting = false);
    let now = world.now();
    let long = "planted".repeat(200);
    for (token, expires_at, field) in [
        ("", now + 7200, "component_access_token"),
        (long.as_str(), now + 7200, "component_access_token"),
        ("planted with spaces", now + 7200, "component_access_token"),
        ("planted-令牌", now + 7200, "component_access_token"),
        ("planted", now, "expires_at"),
        ("planted", now - 1, "expires_at"),
        ("planted", now + 7801, "expires_at"),
        ("planted", now + 3 * 3600, "expires_at"),
        ("planted", (now + 7200) * 1000, "expires_at"),
        ("planted", i64::MIN, "expires_at"),
    ] {
        let put = json!({ "action": "put_token", "component_access_token": token, "expires_at": expires_at });
        let (code, problem) = keeper.invoke(put).await.unwrap_err();
        assert_eq!(code, "Request.Invalid");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with(field) && !detail.contains('{'), "{problem}");
        assert!(!problem.to_string().contains("planted"), "{problem}");
    }
    assert_eq!((stored(&world).await, keeper.state.take().1), (None, 0));
}

#[tokio::test]
async fn put_token_is_refused_clearly_while_minting_is_on() {
    let world = world().await;
    let keeper = KeeperHarness::new(&world);
    let put = json!({
        "action": "put_token", "component_access_token": "planted", "expires_at": world.now() + 7200,
    });
    let (code, problem) = keeper.invoke(put).await.unwrap_err();
    assert_eq!(code, "Request.Invalid");
    assert!(problem["detail"].as_str().unwrap().starts_with("put_token is for MINTING=off"));
    assert_eq!(stored(&world).await, None);
}
