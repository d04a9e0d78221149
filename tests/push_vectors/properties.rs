//! Decryption against the sender's own encryption, for any key and any message.

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;
use wechat_preauth::wechat::push::{MAX_AGE_S, MAX_AHEAD_S, Push, PushError, PushQuery, open};

use crate::sender::{Sender, Wire, decode, encode, padded};
use crate::{APPID, NOW};

fn any_sender() -> impl Strategy<Value = Sender> {
    (
        "[A-Za-z0-9]{3,32}",
        "[A-Za-z0-9]{43}",
        "wx[0-9a-f]{16}",
        -MAX_AHEAD_S..=MAX_AGE_S,
        "[0-9]{1,12}",
        any::<[u8; 16]>(),
    )
        .prop_map(|(token, encoding_aes_key, appid, age, nonce, random)| Sender {
            token,
            encoding_aes_key,
            appid,
            timestamp: (NOW - age).to_string(),
            nonce,
            random,
        })
}

/// Text that CDATA can hold as it is: allowed in XML, no `]]>`, no carriage return.
fn any_text() -> impl Strategy<Value = String> {
    "[ -~\n\t\u{a0}-\u{d7ff}\u{10000}-\u{10ffff}]{0,300}".prop_map(|text| text.replace("]]>", ""))
}

fn event(text: &str) -> String {
    format!("<xml><InfoType><![CDATA[any]]></InfoType><text><![CDATA[{text}]]></text></xml>")
}

fn flipped(wire: &Wire, bytes: &[u8]) -> Wire {
    let text = encode(bytes);
    Wire::new(wire.get("timestamp"), wire.get("nonce"), wire.get("msg_signature"), &text)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_message_under_any_key_arrives_whole(sender in any_sender(), text in any_text()) {
        let push = sender.push(event(&text)).open(&[sender.key()], &sender.appid, NOW);
        let Ok(Push::Event { detail, .. }) = push else {
            panic!("{push:?}");
        };
        prop_assert_eq!(detail.get("text").and_then(Value::as_str), Some(text.as_str()));
    }

    #[test]
    fn a_flipped_bit_of_the_ciphertext_is_refused_and_never_goes_unseen(
        sender in any_sender(),
        text in any_text(),
        byte in any::<Index>(),
        bit in 0..8_u32,
    ) {
        let wire = sender.push(event(&text));
        let mut bytes = decode(wire.encrypt.trim_end_matches('='));
        let index = byte.index(bytes.len());
        bytes[index] ^= 1 << bit;
        let keys = [sender.key()];
        let unsigned = flipped(&wire, &bytes).open(&keys, &sender.appid, NOW);
        prop_assert_eq!(unsigned.unwrap_err(), PushError::Signature);

        // CBC: the flip garbles one block and flips the same bit of the next, so even whoever knows the
        // Token and signs again cannot make the message arrive as it was.
        let signed = sender.push_encrypted(&encode(&bytes)).open(&keys, &sender.appid, NOW);
        if let Ok(Push::Event { detail, .. }) = &signed {
            prop_assert_ne!(detail.get("text").and_then(Value::as_str), Some(text.as_str()));
        }
    }

    #[test]
    fn another_appid_never_opens_it(sender in any_sender(), appid in "wx[0-9a-f]{0,20}") {
        prop_assume!(appid != sender.appid);
        let refused = sender.push(event("x")).open(&[sender.key()], &appid, NOW);
        prop_assert_eq!(refused.unwrap_err(), PushError::Undecryptable);
    }

    #[test]
    fn another_token_never_opens_it(sender in any_sender(), token in "[A-Za-z0-9]{3,32}") {
        prop_assume!(token != sender.token);
        let wire = sender.push(event("x"));
        let other = Sender { token, ..sender.clone() };
        let refused = wire.open(&[other.key()], &sender.appid, NOW);
        prop_assert_eq!(refused.unwrap_err(), PushError::Signature);
    }

    #[test]
    fn rows_of_equal_bytes_with_any_padding_are_refused(
        sender in any_sender(),
        blocks in 1..8_usize,
        seed in any::<u8>(),
        pad in any::<u8>(),
    ) {
        let mut plain = vec![seed; blocks * 32];
        let from = plain.len() - usize::from(pad).min(plain.len());
        plain[from..].fill(pad);
        let refused = sender.push_plain(&plain).open(&[sender.key()], &sender.appid, NOW);
        prop_assert_eq!(refused.unwrap_err(), PushError::Undecryptable);
    }

    #[test]
    fn only_the_written_length_opens(sender in any_sender(), text in any_text(), length in any::<u32>()) {
        let message = event(&text);
        prop_assume!(usize::try_from(length) != Ok(message.len()));
        let mut plain = padded(sender.plain(message.as_bytes()));
        plain[16..20].copy_from_slice(&length.to_be_bytes());
        let refused = sender.push_plain(&plain).open(&[sender.key()], &sender.appid, NOW);
        prop_assert_eq!(refused.unwrap_err(), PushError::Undecryptable);
    }

    #[test]
    fn any_query_and_body_are_answered(
        timestamp in ".{0,20}",
        nonce in ".{0,20}",
        signature in ".{0,50}",
        body in any::<Vec<u8>>(),
        now in any::<i64>(),
    ) {
        let pairs = [
            ("timestamp", timestamp.as_str()),
            ("nonce", &nonce),
            ("encrypt_type", "aes"),
            ("msg_signature", &signature),
        ];
        if let Ok(query) = PushQuery::from_pairs(pairs) {
            prop_assert!(open(&query, &body, &[Sender::default().key()], APPID, now).is_err());
        }
    }

    #[test]
    fn any_text_is_read_or_refused(xml in "(<|>|/|xml|a|InfoType|&|;|#|!|\\[CDATA\\[|\\]\\]>|\\?|--|\"|x| |\\PC){0,60}") {
        let _ = Push::from_xml(&xml);
        let _ = Push::from_xml(&format!("<xml>{xml}</xml>"));
    }
}
