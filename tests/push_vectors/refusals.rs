//! What is refused before any message is read, and in which order.

use wechat_preauth::wechat::push::{MAX_BODY_BYTES, PushError, XmlError};

use crate::sender::{Sender, Wire, encode, padded};
use crate::{APPID, NOW};

const EVENT: &str = "<xml><InfoType>unauthorized</InfoType></xml>";

fn good() -> Wire {
    Sender::default().push(EVENT)
}

fn refused(wire: &Wire) -> PushError {
    wire.open(&[Sender::default().key()], APPID, NOW).unwrap_err()
}

#[test]
fn the_signature_is_checked_before_anything_is_decoded() {
    let wire = Sender::default()
        .push_encrypted("this is not base64!")
        .with("msg_signature", "0000000000000000000000000000000000000000");
    assert_eq!(refused(&wire), PushError::Signature);
    // The same with a good signature gets as far as base64.
    let wire = Sender::default().push_encrypted("this is not base64!");
    assert_eq!(refused(&wire), PushError::Undecryptable);
}

#[test]
fn the_signature_is_checked_before_the_age() {
    let old = Sender { timestamp: "1000000000".to_owned(), ..Sender::default() };
    assert!(matches!(refused(&old.push(EVENT)), PushError::Stale { .. }));
    let wire = old.push(EVENT).with("nonce", "2");
    assert_eq!(refused(&wire), PushError::Signature);
}

#[test]
fn a_signature_must_be_whole_and_lower_case() {
    let wire = good();
    let signature = wire.get("msg_signature").to_owned();
    for changed in [
        &signature[..39],
        &signature[1..],
        &format!("{signature}0"),
        &format!("{signature} "),
        &signature.to_uppercase(),
    ] {
        let wire = wire.clone().with("msg_signature", changed);
        assert_eq!(refused(&wire), PushError::Signature);
    }
}

#[test]
fn text_moved_from_one_signed_part_to_another_opens_nothing() {
    // The signed parts are joined without a separator: when the encrypted text sorts right behind the nonce,
    // its beginning can go over into the nonce, and the signature still fits.
    let message = "<xml><InfoType>x</InfoType><long>".to_owned() + &"y".repeat(200) + "</long></xml>";
    let mut moved = 0;
    for random in 0..=u8::MAX {
        let sender = Sender {
            token: "zzz".to_owned(),
            nonce: "2".to_owned(),
            random: [random; 16],
            ..Sender::default()
        };
        let wire = sender.push(&message);
        // 128 characters are 96 bytes: whole blocks, and whole groups of base64.
        let (beginning, rest) = wire.encrypt.split_at(128);
        let nonce = format!("{}{beginning}", sender.nonce);
        let changed = Wire::new(&sender.timestamp, &nonce, wire.get("msg_signature"), rest);
        match changed.open(&[sender.key()], APPID, NOW).unwrap_err() {
            PushError::Signature => {}
            PushError::Undecryptable => moved += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(moved > 0);
}

#[test]
fn missing_or_empty_parameters_are_named() {
    for name in ["timestamp", "nonce", "msg_signature"] {
        let missing = PushError::MissingParameter { name };
        assert_eq!(refused(&good().without(name)), missing);
        assert_eq!(refused(&good().with(name, "")), missing);
    }
}

#[test]
fn repeated_parameters_are_refused_even_when_equal() {
    for name in ["timestamp", "nonce", "encrypt_type", "msg_signature"] {
        let mut wire = good();
        let value = wire.get(name).to_owned();
        wire.query.push((name.to_owned(), value));
        assert_eq!(refused(&wire), PushError::RepeatedParameter { name });
    }
}

#[test]
fn a_timestamp_is_decimal_digits() {
    for timestamp in ["+1715943329", "-1", "1715943329.0", "0x1", "１", " 1", "99999999999999999999"] {
        let sender = Sender { timestamp: timestamp.to_owned(), ..Sender::default() };
        assert_eq!(
            refused(&sender.push(EVENT)),
            PushError::InvalidParameter { name: "timestamp" },
            "{timestamp}"
        );
    }
}

#[test]
fn pushes_in_plain_text_are_refused() {
    for wire in [
        good().without("encrypt_type"),
        good().with("encrypt_type", ""),
        good().with("encrypt_type", "raw"),
        good().with("encrypt_type", "AES"),
        good().body("<xml><InfoType>component_verify_ticket</InfoType></xml>"),
        good().body("<xml/>"),
    ] {
        assert_eq!(refused(&wire), PushError::NotEncrypted);
    }
}

#[test]
fn a_body_beyond_the_limit_is_refused_unread() {
    let exact = good();
    let mut body = exact.body.clone();
    body.resize(MAX_BODY_BYTES, b' ');
    assert!(exact.clone().body(body.clone()).open(&[Sender::default().key()], APPID, NOW).is_ok());
    body.push(b' ');
    let bytes = MAX_BODY_BYTES + 1;
    assert_eq!(refused(&exact.clone().body(body)), PushError::TooLarge { bytes });
    // Not even as text.
    let wire = exact.body(vec![0xff; bytes]);
    assert_eq!(refused(&wire), PushError::TooLarge { bytes });
}

#[test]
fn an_unreadable_envelope_is_refused() {
    for (body, error) in [
        (&b""[..], XmlError::Incomplete),
        (b"success", XmlError::Root),
        (b"{\"Encrypt\":\"x\"}", XmlError::Root),
        (b"<xml><Encrypt>\xff</Encrypt></xml>", XmlError::Encoding),
        (b"<xml><Encrypt>x</Encrypt>", XmlError::Incomplete),
        (b"<xml><Encrypt>x</Encrypt><xml>", XmlError::Incomplete),
        (b"<xml><Encrypt>x</xml>", XmlError::Syntax),
        (b"<xml><Encrypt></Encrypt></xml>", XmlError::Encrypt),
        (b"<xml><Encrypt/></xml>", XmlError::Encrypt),
        (b"<xml><Encrypt>x</Encrypt><Encrypt>x</Encrypt></xml>", XmlError::Encrypt),
        (b"<xml><Encrypt><b>x</b></Encrypt></xml>", XmlError::Encrypt),
        (b"<html><Encrypt>x</Encrypt></html>", XmlError::Root),
        (b"<!DOCTYPE xml [<!ENTITY e \"x\">]><xml><Encrypt>&e;</Encrypt></xml>", XmlError::Doctype),
        (b"<xml><Encrypt>&e;</Encrypt></xml>", XmlError::Entity),
    ] {
        let wire = good().body(body);
        assert_eq!(refused(&wire), PushError::Envelope(error), "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn an_encrypt_that_is_nested_elsewhere_does_not_count() {
    let wire = good();
    let body = format!("<xml><a><Encrypt>{}</Encrypt></a></xml>", wire.encrypt);
    assert_eq!(refused(&wire.body(body)), PushError::NotEncrypted);
}

#[test]
fn all_failures_to_decrypt_look_the_same() {
    let sender = Sender::default();
    let right = padded(sender.plain(EVENT.as_bytes()));
    let valid = encode(&right);
    let with_length = |length: u32| {
        let mut plain = right.clone();
        plain[16..20].copy_from_slice(&length.to_be_bytes());
        sender.push_plain(&plain)
    };
    let length = u32::try_from(EVENT.len()).unwrap();
    let other = |appid: &str| Sender { appid: appid.to_owned(), ..sender.clone() }.push(EVENT);
    // Padded rightly, but to blocks of 16 as AES alone would have it.
    let mut short = sender.plain(b"x");
    short.extend([9; 9]);
    assert_eq!(short.len(), 48);
    let mut wrong_pad = right.clone();
    wrong_pad.extend([0; 32]);
    for (what, wire) in [
        ("url-safe base64", sender.push_encrypted("____")),
        ("base64 with a space inside", sender.push_encrypted("AA AA")),
        ("base64 cut off", sender.push_encrypted(&valid[..valid.len() - 1])),
        ("half a padding block", sender.push_plain(&short)),
        ("no AES block", sender.push_encrypted("AAAA")),
        ("a padding of 0", sender.push_plain(&wrong_pad)),
        ("a padding of 33", sender.push_plain(&[33; 64])),
        ("nothing but padding", sender.push_plain(&[32; 32])),
        ("shorter than its head", sender.push_plain(&[13; 32])),
        ("a length of 0", with_length(0)),
        ("a length one short", with_length(length - 1)),
        ("a length one long", with_length(length + 1)),
        ("a length beyond the end", with_length(u32::MAX)),
        ("another appid", other("wx000000000000000a")),
        ("no appid", other("")),
        ("a longer appid", other(&format!("{APPID}0"))),
        ("a shorter appid", other(&APPID[..17])),
        ("not UTF-8", sender.push(b"<xml><InfoType>\xff</InfoType></xml>")),
    ] {
        assert_eq!(refused(&wire), PushError::Undecryptable, "{what}");
    }
}
