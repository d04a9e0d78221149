//! Changed push keys need no restart.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use wechat_preauth::platform::{MemoryCredentials, SecretDocument, SystemClock};
use wechat_sim::{Push, Sim, SimConfig};

use crate::harness::{APPID, CallbackHarness, KEY, TOKEN, of_built, secret};

/// A little longer than the credentials are not read again.
const REREAD_INTERVAL: Duration = Duration::from_millis(10_200);

const NEW_TOKEN: &str = "new-token";
const NEW_KEY: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";

#[tokio::test(start_paused = true)]
async fn changed_keys_are_picked_up_without_a_restart() {
    let sim = Sim::start(SimConfig { component_appid: APPID.into(), ..SimConfig::default() }).await.unwrap();
    let built =
        |token: &str, key: &str| of_built(&sim.build_push(&Push::ticket().keyed(token, key)).unwrap());
    let old = json!({ "token": TOKEN, "encoding_aes_key": KEY });
    let version = |number: &str, keys| SecretDocument { json: secret(&keys).into(), version: number.into() };

    let source = MemoryCredentials::new(&secret(&json!([old])));
    let harness = CallbackHarness::of(source.clone(), Duration::ZERO, |push_services| {
        push_services.clock = Arc::new(SystemClock);
    });
    assert!(harness.http(&built(TOKEN, KEY)).await.is_success());

    // The credentials were read a moment ago, and forgeries do not read them again.
    source.set(Ok(version("2", json!([{ "token": TOKEN, "encoding_aes_key": NEW_KEY }, old]))));
    assert_eq!(harness.http(&built(TOKEN, NEW_KEY)).await.outcome(), (400, "Push.Undecryptable".to_owned()));
    assert_eq!(
        harness.http(&built(NEW_TOKEN, NEW_KEY)).await.outcome(),
        (401, "Push.SignatureRejected".to_owned())
    );

    // A new EncodingAESKey with the same Token. The previous key still works.
    tokio::time::advance(REREAD_INTERVAL).await;
    assert!(harness.http(&built(TOKEN, NEW_KEY)).await.is_success());
    assert!(harness.http(&built(TOKEN, KEY)).await.is_success());

    // A new Token. The old keys stop working at once.
    tokio::time::advance(REREAD_INTERVAL).await;
    source.set(Ok(version("3", json!([{ "token": NEW_TOKEN, "encoding_aes_key": NEW_KEY }]))));
    assert!(harness.http(&built(NEW_TOKEN, NEW_KEY)).await.is_success());
    assert_eq!(harness.http(&built(TOKEN, KEY)).await.outcome(), (401, "Push.SignatureRejected".to_owned()));
}
