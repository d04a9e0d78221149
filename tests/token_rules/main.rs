//! The token rules, by count: how often WeChat is asked for a token, whatever happens.

mod budget;
mod cancelled;
mod clocks;
mod component;
mod credentials;
mod failures;
mod faulty_state;
mod gateway;
mod hosts;
mod lives;
mod minting;
mod refusals;
mod rejected;
mod rules;
mod scripted_wechat;
mod start_up;
#[path = "../support/mod.rs"]
mod support;
mod timed_service;
mod uncertain;
mod unstored;
mod waiting;

use futures_util::future::join_all;
use secrecy::ExposeSecret as _;
use support::service::{Instance, TestService};
use wechat_preauth::platform::{StoredToken, TokenStore as _};

async fn stored(world: &TestService) -> StoredToken {
    world.state.token_item(&world.appid).await.unwrap().token.unwrap()
}

fn value(token: &StoredToken) -> String {
    token.value.expose_secret().to_owned()
}

/// Issues with all instances at once; every request must succeed.
async fn all_issue(instances: &[Instance]) {
    for result in join_all(instances.iter().map(Instance::issue)).await {
        result.unwrap();
    }
}
