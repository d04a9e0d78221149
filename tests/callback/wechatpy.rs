//! Pushes encrypted by wechatpy: they are accepted as they are, and refused with one bit changed.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::{APPID, CallbackHarness, KEY, SENT_AT, TOKEN, http_event};
use crate::support::process::tool;

const MESSAGES: [&str; 2] = [
    "<xml><AppId><![CDATA[wx134c8103faa5a59e]]></AppId>\n<CreateTime>1715943329</CreateTime>\n\
     <InfoType><![CDATA[component_verify_ticket]]></InfoType>\n\
     <ComponentVerifyTicket><![CDATA[ticket@@@wechatpy]]></ComponentVerifyTicket>\n</xml>",
    "<xml><AppId>wx134c8103faa5a59e</AppId><CreateTime>1715943329</CreateTime>\
     <InfoType>notify_third_fasteregister</InfoType><status>0</status>\
     <info><name><![CDATA[腾讯科技]]></name><code>911101080000000000</code></info></xml>",
];

struct Encrypted {
    query: Value,
    body: String,
}

impl Encrypted {
    fn query_string(&self) -> String {
        let pairs =
            self.query.as_object().unwrap().iter().map(|(name, value)| (name, value.as_str().unwrap()));
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    }
}

/// The messages as wechatpy encrypts them.
fn encrypted() -> Vec<Encrypted> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/wechatpy_push.py");
    let mut python = Command::new(tool("python"))
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let given = json!({
        "token": TOKEN, "encoding_aes_key": KEY, "appid": APPID,
        "timestamp": SENT_AT.to_string(), "nonce": "1590219412", "messages": MESSAGES,
    });
    python.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    let pushes: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let encrypted = |push: Value| Encrypted {
        body: push["body"].as_str().unwrap().to_owned(),
        query: push["query"].clone(),
    };
    pushes.into_iter().map(encrypted).collect()
}

#[tokio::test]
async fn what_wechatpy_encrypts_is_accepted() {
    let harness = CallbackHarness::new();
    for push in encrypted() {
        assert!(harness.http(&http_event(&push.query_string(), push.body.as_bytes())).await.is_success());
    }
    assert_eq!(harness.ticket().await.unwrap().0, "ticket@@@wechatpy");
    assert_eq!(harness.bus.events().len(), 1);
    assert_eq!(harness.bus.events()[0].detail_type, "notify_third_fasteregister");
}

#[tokio::test]
async fn one_flipped_bit_in_what_is_signed_is_refused() {
    let push = &encrypted()[0];
    let start = push.body.find("<Encrypt>").unwrap() + "<Encrypt><![CDATA[".len();
    let end = push.body.find("]]></Encrypt>").unwrap();
    let query = push.query_string();
    for byte in 0..push.body.len() {
        let harness = CallbackHarness::new();
        for bit in 0..8 {
            let mut body = push.body.clone().into_bytes();
            body[byte] ^= 1 << bit;
            let answer = harness.http(&http_event(&query, &body)).await;
            if (start..end).contains(&byte) {
                assert!(matches!(answer.status, 400 | 401), "byte {byte}, bit {bit}: {answer:?}");
                assert_eq!(harness.ticket().await, None);
            } else if let Some((ticket, ..)) = harness.ticket().await {
                // WeChat does not sign this.
                assert_eq!(ticket, "ticket@@@wechatpy", "byte {byte}, bit {bit}");
            }
        }
    }
}

#[tokio::test]
async fn one_flipped_bit_in_the_query_is_refused() {
    let push = &encrypted()[0];
    let harness = CallbackHarness::new();
    for name in ["timestamp", "nonce", "encrypt_type", "msg_signature"] {
        let value = push.query[name].as_str().unwrap();
        // With the eighth bit flipped, the query would be no text.
        for (byte, bit) in (0..value.len()).flat_map(|byte| (0..7).map(move |bit| (byte, bit))) {
            let mut flipped = value.to_owned().into_bytes();
            flipped[byte] ^= 1 << bit;
            let mut query = push.query.clone();
            query[name] = String::from_utf8(flipped).unwrap().into();
            let error = harness.direct(&json!({ "query": query, "body": push.body })).await.unwrap_err();
            assert!(error.code.as_str().starts_with("Push."), "{name}, byte {byte}, bit {bit}: {error:?}");
        }
    }
    assert_eq!(harness.ticket().await, None);
}
