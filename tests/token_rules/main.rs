//! The token rules, by count: how often WeChat is asked for a token, whatever happens.

mod credentials;
mod failures;
mod minting;
mod refusals;
mod rules;
#[path = "../support/mod.rs"]
mod support;

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
