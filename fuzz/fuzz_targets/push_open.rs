//! A whole push. The first byte says which part is arbitrary: the message (then encrypted and signed), the
//! padded plain text, the content of `<Encrypt>`, the body around it, or the whole request.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use wechat_preauth_fuzz::wechat::push::{MAX_BODY_BYTES, Push, PushError, PushKey, PushQuery, open};
use wechat_preauth_fuzz::{APPID, ENCODING_AES_KEY, NOW, TOKEN, encrypt, padded, signed};

static KEYS: LazyLock<[PushKey; 2]> = LazyLock::new(|| {
    [
        PushKey::new(TOKEN.into(), &"A".repeat(43)).unwrap(),
        PushKey::new(TOKEN.into(), ENCODING_AES_KEY).unwrap(),
    ]
});

fuzz_target!(|data: &[u8]| {
    let Some((mode, data)) = data.split_first() else {
        return;
    };
    match mode % 5 {
        0 => message(data),
        1 => plain(data),
        2 => {
            let Ok(text) = std::str::from_utf8(data) else {
                return;
            };
            let _ = deliver(text, "");
        }
        3 => around(data),
        _ => anything(data),
    }
});

/// A correctly encrypted and signed message is read exactly as the message alone.
fn message(data: &[u8]) {
    let opened = deliver(&encrypt(&padded(data)), "");
    match std::str::from_utf8(data) {
        _ if matches!(opened, Err(PushError::TooLarge { .. })) => {}
        Err(_) => assert_eq!(opened.unwrap_err(), PushError::Undecryptable),
        Ok(xml) => match (opened, Push::from_xml(xml)) {
            (Err(PushError::Field { name: "AppId" }), Ok(Push::Ticket { app_id, .. })) => {
                assert_ne!(app_id, APPID);
            }
            (
                Err(PushError::Stale { age_s }),
                Ok(Push::Ticket { create_time, .. } | Push::Event { create_time: Some(create_time), .. }),
            ) => {
                assert_eq!(age_s, NOW.saturating_sub(create_time));
            }
            (Err(opened), Err(read)) => assert_eq!(opened, read),
            (opened, read) => assert_eq!(format!("{opened:?}"), format!("{read:?}")),
        },
    }
}

/// An arbitrary plain text opens only when its length, its appid and its padding are right.
fn plain(data: &[u8]) {
    let data = &data[..data.len() - data.len() % 16];
    let opened = deliver(&encrypt(data), "");
    if matches!(opened, Ok(_) | Err(PushError::Unreadable(_) | PushError::Field { .. })) {
        let length = u32::from_be_bytes(data[16..20].try_into().unwrap());
        let message = &data[20..20 + usize::try_from(length).unwrap()];
        assert_eq!(data[20 + message.len()..][..APPID.len()], *APPID.as_bytes());
        let pad = data.len() - 20 - message.len() - APPID.len();
        assert!((1..=32).contains(&pad) && data.len() % 32 == 0);
        assert!(data[data.len() - pad..].iter().all(|&byte| usize::from(byte) == pad));
    }
}

/// Correctly encrypted and signed, with an arbitrary body around `<Encrypt>`.
fn around(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let message = "<xml><InfoType>x</InfoType></xml>";
    match deliver(&encrypt(&padded(message.as_bytes())), text) {
        Ok(push) => assert_eq!(push.info_type(), Some("x")),
        Err(error) => assert!(
            matches!(
                error,
                PushError::Envelope(_)
                    | PushError::NotEncrypted
                    | PushError::Signature
                    | PushError::TooLarge { .. }
            ),
            "{error:?}"
        ),
    }
}

/// An arbitrary query, one parameter a line, and an arbitrary body. No input has a valid signature.
fn anything(data: &[u8]) {
    let mut parts = data.splitn(5, |&byte| byte == b'\n');
    let names = ["timestamp", "nonce", "encrypt_type", "msg_signature"];
    let values: Vec<String> =
        parts.by_ref().take(names.len()).map(|value| String::from_utf8_lossy(value).into_owned()).collect();
    let pairs = names.into_iter().zip(values.iter().map(String::as_str));
    if let Ok(query) = PushQuery::from_pairs(pairs) {
        let body = parts.next().unwrap_or_default();
        assert!(open(&query, body, KEYS.as_slice(), APPID, NOW).is_err());
    }
}

fn deliver(encrypt: &str, before: &str) -> Result<Push, PushError> {
    let body = format!("<xml>{before}<Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>");
    let opened = open(&signed(encrypt), body.as_bytes(), KEYS.as_slice(), APPID, NOW);
    assert_eq!(matches!(opened, Err(PushError::TooLarge { .. })), body.len() > MAX_BODY_BYTES);
    opened
}
