//! The events of an authorization: which one, with which content, and when.

use std::time::Duration;

use serde_json::json;
use wechat_sim::{AuthorizationRules, Endpoint, EventOrder, Sim, SimConfig};

use super::{SERVICE_ACCOUNT, agree, decide, link, location, scanned};
use crate::client::{Receiver, SUCCESS, code, post, receiver, start_with, until};
use crate::push_build;

struct World {
    sim: Sim,
    receiver: Receiver,
}

impl World {
    async fn new(change: impl FnOnce(&mut AuthorizationRules)) -> Self {
        let receiver = receiver(vec![Some(SUCCESS)]).await;
        let mut config = SimConfig { callback_url: Some(receiver.url.clone()), ..SimConfig::default() };
        change(&mut config.authorization);
        Self { sim: start_with(config).await, receiver }
    }

    /// The decrypted pushes.
    fn events(&self) -> Vec<String> {
        let key = &self.sim.config().encoding_aes_key;
        let received = self.receiver.received.lock().unwrap();
        let bodies = received.iter().map(|push| push.split_once("\r\n\r\n").unwrap().1);
        bodies.map(|body| push_build::open(body, key).message).collect()
    }

    /// Authorizes the service account by the PC page. Returns the pre-authorization code and the redirect.
    async fn authorize(&self, form: &str) -> (String, String) {
        let code = code(&self.sim).await;
        let visit = scanned(&self.sim, &link(&self.sim, Endpoint::AuthPagePc, &code, &[])).await;
        let answer = decide(&self.sim, &visit, SERVICE_ACCOUNT, form).await;
        (code, location(&answer).to_owned())
    }
}

fn field<'a>(event: &'a str, name: &str) -> &'a str {
    let content = event.split_once(&format!("<{name}>")).unwrap().1.split_once("</").unwrap().0;
    content.trim_start_matches("<![CDATA[").trim_end_matches("]]>")
}

const TWO_SETS: &str = "permission=1&permission=2&decision=agree";

#[tokio::test]
async fn a_first_authorization_pushes_authorized() {
    let world = World::new(|_| {}).await;
    let (code, redirect) = world.authorize(TWO_SETS).await;
    // The order is `before`: the event is here already.
    let events = world.events();
    assert_eq!(events.len(), 1);
    assert_eq!(field(&events[0], "InfoType"), "authorized");
    assert_eq!(field(&events[0], "AuthorizerAppid"), SERVICE_ACCOUNT);
    assert_eq!(field(&events[0], "PreAuthCode"), code);
    let expires = world.sim.clock().now() + 3600;
    assert_eq!(field(&events[0], "AuthorizationCodeExpiredTime"), expires.to_string());
    let event_code = field(&events[0], "AuthorizationCode");
    assert!(event_code.starts_with("queryauthcode@@@"));
    assert!(!redirect.contains(event_code), "redirect and event carry codes of their own");
}

#[tokio::test]
async fn redirect_and_event_can_carry_one_code() {
    let world = World::new(|rules| rules.one_auth_code = true).await;
    let (_, redirect) = world.authorize(TWO_SETS).await;
    let event_code = field(&world.events()[0], "AuthorizationCode").to_owned();
    assert!(redirect.contains(&format!("auth_code={event_code}&")), "{redirect}");
}

#[tokio::test]
async fn another_permission_set_pushes_updateauthorized_and_the_same_one_nothing() {
    let world = World::new(|_| {}).await;
    world.authorize(TWO_SETS).await;
    let (_, redirect) = world.authorize(TWO_SETS).await;
    assert!(redirect.contains("auth_code="), "{redirect}");
    assert_eq!(world.events().len(), 1);
    let (code, _) = world.authorize("permission=1&decision=agree").await;
    let events = world.events();
    assert_eq!(events.len(), 2);
    assert_eq!(field(&events[1], "InfoType"), "updateauthorized");
    assert_eq!(field(&events[1], "PreAuthCode"), code);
    assert_eq!(world.sim.authorizers()[0].permission_sets, [1]);
}

#[tokio::test]
async fn refusing_pushes_nothing() {
    let world = World::new(|_| {}).await;
    let code = code(&world.sim).await;
    let visit = scanned(&world.sim, &link(&world.sim, Endpoint::AuthPagePc, &code, &[])).await;
    decide(&world.sim, &visit, SERVICE_ACCOUNT, "permission=1&decision=refuse").await;
    // Any event of the refusal would come before this one.
    world.authorize(TWO_SETS).await;
    assert_eq!(world.events().len(), 1);
}

#[tokio::test]
async fn the_event_can_come_after_the_redirect() {
    let hour = World::new(|rules| {
        (rules.event_order, rules.event_delay_ms) = (EventOrder::After, 3_600_000);
    })
    .await;
    hour.authorize(TWO_SETS).await;
    assert!(hour.events().is_empty());

    let soon = World::new(|rules| {
        (rules.event_order, rules.event_delay_ms) = (EventOrder::After, 0);
    })
    .await;
    soon.authorize(TWO_SETS).await;
    until(|| !soon.sim.pushes().is_empty()).await;
    assert_eq!(field(&soon.events()[0], "InfoType"), "authorized");
}

#[tokio::test]
async fn the_event_can_come_twice() {
    let world = World::new(|rules| {
        (rules.event_order, rules.event_delay_ms) = (EventOrder::Twice, 0);
    })
    .await;
    world.authorize(TWO_SETS).await;
    until(|| world.sim.pushes().len() == 2).await;
    let events = world.events();
    assert_eq!(events[0], events[1]);
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_holds_no_merchant_back() {
    let silent = receiver(vec![None]).await;
    let sim = start_with(SimConfig {
        callback_url: Some(silent.url.clone()),
        push_timeout: Duration::from_millis(50),
        push_retry_delay: Duration::from_secs(3600),
        ..SimConfig::default()
    })
    .await;
    let link = link(&sim, Endpoint::AuthPageMobile, &code(&sim).await, &[]);
    let answer = tokio::time::timeout(Duration::from_secs(30), agree(&sim, &link)).await.unwrap();
    assert_eq!(answer.status, 302);
    until(|| !silent.received.lock().unwrap().is_empty()).await;
}

#[tokio::test]
async fn a_withdrawn_authorization_pushes_unauthorized_and_the_next_one_is_new() {
    let world = World::new(|_| {}).await;
    world.authorize(TWO_SETS).await;
    let refresh_token = world.sim.authorizers()[0].refresh_token.clone();
    let body = json!({ "authorizer_appid": SERVICE_ACCOUNT });
    let withdrawn = post(&world.sim, "/_sim/unauthorize", &body).await;
    assert_eq!(withdrawn.json()["push"]["delivered"], true);
    assert!(world.sim.authorizers().is_empty());
    let events = world.events();
    assert_eq!(field(&events[1], "InfoType"), "unauthorized");
    assert_eq!(field(&events[1], "AuthorizerAppid"), SERVICE_ACCOUNT);
    assert!(!events[1].contains("AuthorizationCode"));
    assert_eq!(post(&world.sim, "/_sim/unauthorize", &body).await.status, 400);
    assert!(world.sim.unauthorize(SERVICE_ACCOUNT).await.is_none());

    world.authorize(TWO_SETS).await;
    assert_eq!(field(&world.events()[2], "InfoType"), "authorized");
    assert_ne!(world.sim.authorizers()[0].refresh_token, refresh_token);
}
