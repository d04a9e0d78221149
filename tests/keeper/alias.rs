//! The alias `handover`, for a program that may hand tokens over and do nothing else.

use serde_json::{Value, json};

use crate::harness::{KeeperHarness, actions, stored, world};

const ARN: &str = "arn:aws-cn:lambda:cn-north-1:123456789012:function:handover";

/// What an operator may invoke, other than `put_token`, and what nobody may.
fn others() -> impl Iterator<Item = Value> {
    let unknown = json!({ "action": "unknown" });
    actions().into_iter().filter(|event| event["action"] != "put_token").chain([unknown])
}

#[tokio::test]
async fn through_the_alias_handover_a_token_can_be_handed_over_and_nothing_else() {
    let world = world().await;
    let keeper = KeeperHarness::with(&world, |services| services.minting = false);
    let arn = format!("{ARN}:handover");
    for event in others() {
        let (code, problem) = keeper.invoke_arn(event.clone(), &arn).await.unwrap_err();
        assert_eq!(code, "Request.Invalid", "{event}");
        let is_unknown = event["action"] == "unknown";
        let plain = "this alias is for handing tokens over: it takes put_token only";
        assert!(is_unknown || problem["detail"] == plain, "{problem}");
    }
    assert_eq!((world.wechat.requests().len(), keeper.state.take()), (0, (0, 0)));
    let put = json!({ "action": "put_token", "component_access_token": "token", "expires_in": 7200 });
    keeper.invoke_arn(put, &arn).await.unwrap();
    assert_eq!(stored(&world).await.as_deref(), Some("token"));
}

#[tokio::test]
async fn the_function_itself_and_its_other_alias_take_every_action() {
    let world = world().await;
    let keeper = KeeperHarness::new(&world);
    // The function's own name is no alias.
    for arn in [ARN.to_owned(), format!("{ARN}:live"), format!("{ARN}:$LATEST"), String::new()] {
        keeper.invoke_arn(json!({ "action": "refresh" }), &arn).await.unwrap();
    }
}
