//! The push format from outside: known answers, what is refused and why, what comes out, and properties
//! against an encryption that shares no code with the library's decryption.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod age;
mod keys;
mod messages;
mod properties;
mod refusals;
mod sender;
mod simulator;
mod xml;

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use wechat_preauth::wechat::push::{Push, PushError, PushKey, open};

use sender::Wire;

/// The vectors were all signed for this time.
const NOW: i64 = 1_715_943_329;
const APPID: &str = "wx134c8103faa5a59e";

/// One vector of the file as it would arrive, and the key it was made with.
fn vector(name: &str) -> (Wire, PushKey) {
    let file: Value = serde_json::from_str(include_str!("../vectors/push.json")).unwrap();
    let found = file["vectors"].as_array().unwrap().iter();
    let vector = found.clone().find(|vector| vector["name"] == name).unwrap();
    let field = |name: &str| vector[name].as_str().unwrap();
    assert_eq!(field("appid"), APPID);
    (
        Wire::new(field("timestamp"), field("nonce"), field("msg_signature"), field("encrypt")),
        PushKey::new(field("token").into(), field("encoding_aes_key")).unwrap(),
    )
}

fn open_vector(name: &str) -> Result<Push, PushError> {
    let (wire, key) = vector(name);
    wire.open(&[key], APPID, NOW)
}

#[test]
fn a_ticket_push_yields_its_ticket() {
    let Ok(Push::Ticket { create_time, ticket, app_id }) = open_vector("synthetic/component_verify_ticket")
    else {
        panic!("no ticket");
    };
    assert_eq!(create_time, NOW);
    assert_eq!(app_id, APPID);
    assert_eq!(
        ticket.expose_secret(),
        "ticket@@@TEST-only_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_abcdefghijklmno"
    );
}

#[test]
fn an_authorized_push_yields_its_fields_with_a_fingerprint_for_the_code() {
    let Ok(Push::Event { info_type, create_time, detail }) = open_vector("synthetic/authorized") else {
        panic!("no event");
    };
    assert_eq!(info_type, "authorized");
    assert_eq!(create_time, Some(NOW));
    assert_eq!(
        Value::Object(detail),
        json!({
            "AppId": APPID,
            "CreateTime": 1_715_943_329,
            "InfoType": "authorized",
            "AuthorizerAppid": "wxba5fad812f8e6fb9",
            "AuthorizationCode": "queryauthcode@@@TEST-only",
            "AuthorizationCodeExpiredTime": 1_715_946_929,
            "PreAuthCode": "preauthcode@@@TEST-only",
            "code_fingerprint": "dc304e8dd012",
        })
    );
}

#[test]
fn an_unauthorized_push_yields_its_fields() {
    let Ok(Push::Event { info_type, detail, .. }) = open_vector("synthetic/unauthorized") else {
        panic!("no event");
    };
    assert_eq!(info_type, "unauthorized");
    assert_eq!(
        Value::Object(detail),
        json!({
            "AppId": APPID,
            "CreateTime": 1_715_943_329,
            "InfoType": "unauthorized",
            "AuthorizerAppid": "wxba5fad812f8e6fb9",
        })
    );
}

#[test]
fn the_official_example_is_a_message_for_the_other_url() {
    assert!(matches!(open_vector("official/incoming-event"), Ok(Push::Message)));
}

#[test]
fn paddings_of_one_byte_and_of_a_whole_block_decrypt() {
    // Their message is a row of x: decrypted, and then refused as XML.
    for name in ["synthetic/pad-of-1", "synthetic/pad-of-32"] {
        let refused = open_vector(name).unwrap_err();
        assert!(matches!(refused, PushError::Unreadable(_)), "{name}: {refused:?}");
    }
}

#[test]
fn every_flipped_bit_of_the_body_of_a_vector_is_refused() {
    let (wire, key) = vector("synthetic/unauthorized");
    let keys = [key];
    for index in 0..wire.encrypt.len() {
        for bit in 0..8 {
            let mut changed = wire.clone();
            let mut bytes = wire.encrypt.clone().into_bytes();
            bytes[index] ^= 1 << bit;
            // Not every flip leaves UTF-8 or XML, so the body is made of bytes.
            let body = sender::envelope(APPID, &bytes);
            changed.body = body;
            let refused = changed.open(&keys, APPID, NOW).unwrap_err();
            assert!(
                matches!(refused, PushError::Signature | PushError::Envelope(_)),
                "byte {index}, bit {bit}: {refused:?}"
            );
        }
    }
}

#[test]
fn every_flipped_bit_of_a_signed_parameter_is_refused() {
    let (wire, key) = vector("synthetic/component_verify_ticket");
    let keys = [key];
    for parameter in ["timestamp", "nonce", "msg_signature"] {
        let value = wire.get(parameter).to_owned();
        for index in 0..value.len() {
            for bit in 0..7 {
                let mut bytes = value.clone().into_bytes();
                bytes[index] ^= 1 << bit;
                let changed = wire.clone().with(parameter, std::str::from_utf8(&bytes).unwrap());
                let refused = changed.open(&keys, APPID, NOW).unwrap_err();
                assert!(
                    matches!(
                        refused,
                        PushError::Signature | PushError::InvalidParameter { name: "timestamp" }
                    ),
                    "{parameter}, byte {index}, bit {bit}: {refused:?}"
                );
            }
        }
    }
}

#[test]
fn a_push_opens_with_whatever_else_is_in_the_query() {
    let (mut wire, key) = vector("synthetic/unauthorized");
    for (name, value) in [
        ("signature", "cc0c594499c1634947d5b502f158ee518947db27"),
        ("signature", "twice"),
        ("openid", "o9AgO5Kd5ggOC-bXrbNODIiE3bGY"),
        ("", ""),
    ] {
        wire.query.push((name.to_owned(), value.to_owned()));
    }
    assert!(wire.open(&[key], APPID, NOW).is_ok());
}

#[test]
fn nothing_secret_is_shown() {
    for (name, shown) in [
        ("synthetic/component_verify_ticket", "component_verify_ticket create_time=1715943329"),
        (
            "synthetic/authorized",
            "authorized authorizer_appid=wxba5fad812f8e6fb9 code_fingerprint=dc304e8dd012",
        ),
        ("official/incoming-event", "message without InfoType"),
    ] {
        let push = open_vector(name).unwrap();
        assert_eq!(format!("{push:?}"), shown);
        assert_eq!(format!("{push:#?}"), shown);
    }
    let (wire, key) = vector("synthetic/authorized");
    assert_eq!(format!("{key:?}"), "PushKey(secret)");
    let query = wire.parsed().unwrap();
    assert!(open(&query, &wire.body, &[], APPID, NOW).is_err());
}
