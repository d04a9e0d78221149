//! The operator changes the component in the credentials secret.

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use wechat_preauth::platform::{SecretDocument, Ticket, TicketStore as _, TokenStore as _};
use wechat_sim::Endpoint;

use crate::harness::{KeeperHarness, document, stored, world};
use crate::support::service::TestService;

/// Another component. The simulator does not know it.
const B: &str = "wxsim0000000000002";

fn credentials_of_b() -> SecretDocument {
    let json = json!({ "component_appid": B, "component_appsecret": "sim-secret-of-b-000000" });
    SecretDocument { json: json.to_string().into(), version: "b".into() }
}

async fn a_ticket_for_b_arrives(world: &TestService) {
    let now = world.now();
    let ticket = Ticket { value: "ticket@@@b".to_owned().into(), create_time: now, received_at: now };
    world.state.put_ticket(B, &ticket).await.unwrap();
}

/// The calls that name component B, and the token that each carried.
fn calls_for_b(world: &TestService) -> Vec<(Endpoint, Option<String>)> {
    let requests = world.wechat.requests().into_iter();
    let names_b = requests.filter(|request| {
        let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
        body["component_appid"] == B
    });
    names_b.map(|request| (request.api, request.query_value("access_token"))).collect()
}

#[tokio::test]
async fn after_a_change_of_component_no_token_of_the_old_one_is_stored_or_used() {
    let world = world().await;
    let keeper = KeeperHarness::new(&world);
    keeper.refresh().await.unwrap();
    let token_of_a = stored(&world).await.unwrap();

    world.credentials.set(Ok(credentials_of_b()));
    let report = keeper.diagnose().await;
    assert_eq!((&report["component_appid"], &report["failed"]), (&json!(B), &json!(["ticket"])));
    assert_eq!(keeper.refresh().await.unwrap_err().0, "Ticket.Missing");

    // With a ticket B is minted for, and WeChat refuses it: a call was made, without A's token.
    a_ticket_for_b_arrives(&world).await;
    assert_eq!(keeper.refresh().await.unwrap_err().0, "Config.AppIdRejected");
    assert_eq!(keeper.diagnose().await["failed"], json!(["credentials"]));
    let item = world.state.token_item(B).await.unwrap();
    assert_eq!(item.token.map(|token| token.value.expose_secret().to_owned()), None);
    let without_a_token = [Endpoint::StartPushTicket, Endpoint::ComponentToken].map(|api| (api, None));
    assert_eq!(calls_for_b(&world), without_a_token);

    // Back again: A's token is still A's.
    let secret = world.wechat.config().component_appsecret.clone();
    world.credentials.set(Ok(document(world.wechat.config(), &secret)));
    assert_eq!(keeper.diagnose().await["component_appid"], json!(world.appid));
    assert_eq!(keeper.refresh().await.unwrap()["renewed"], false);
    assert_eq!(stored(&world).await.as_ref(), Some(&token_of_a));
}
