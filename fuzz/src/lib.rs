//! The parts of the service that read pushes and events, included by path. A dependency on the whole library
//! would also build the AWS SDK with the fuzzer's instrumentation, which takes minutes.

#![allow(dead_code, reason = "not every included part is used here")]

pub mod event;
pub mod visit;

#[path = "../../src/api/mod.rs"]
pub mod api;
#[path = "../../src/operator/mod.rs"]
pub mod operator;
#[path = "../../src/platform/mod.rs"]
pub mod platform;
#[path = "../../src/telemetry/mod.rs"]
pub mod telemetry;
#[path = "../../src/tls.rs"]
pub mod tls;
#[path = "../../src/wechat/mod.rs"]
pub mod wechat;

/// The component that the targets encrypt for.
pub const APPID: &str = "wx134c8103faa5a59e";
/// The time at which the targets sign, in Unix seconds.
pub const NOW: i64 = 1_715_943_329;
/// The `EncodingAESKey` of the targets.
pub const ENCODING_AES_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
/// The Token of the targets.
pub const TOKEN: &str = "AAAAA";
const NONCE: &str = "1590219412";

/// Encrypts whole blocks under [`ENCODING_AES_KEY`], as base64.
#[must_use]
pub fn encrypt(blocks: &[u8]) -> String {
    use base64::Engine as _;
    use cbc::cipher::block_padding::NoPadding;
    use cbc::cipher::{BlockModeEncrypt as _, KeyIvInit as _};

    // A strict decoder refuses the trailing bits of G. E has the same leading bits and no trailing ones.
    let mut key = ENCODING_AES_KEY.replace('G', "E");
    key.push('=');
    let key = base64::engine::general_purpose::STANDARD.decode(key).unwrap();
    let mut buffer = blocks.to_vec();
    cbc::Encryptor::<aes::Aes256>::new_from_slices(&key, &key[..16])
        .unwrap()
        .encrypt_padded::<NoPadding>(&mut buffer, blocks.len())
        .unwrap();
    base64::engine::general_purpose::STANDARD.encode(buffer)
}

/// A message as WeChat lays it out before encryption: random bytes, length, message, appid, padding.
#[must_use]
pub fn padded(message: &[u8]) -> Vec<u8> {
    let mut plain = b"0123456789abcdef".to_vec();
    plain.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    plain.extend(message);
    plain.extend(APPID.as_bytes());
    let pad = 32 - plain.len() % 32;
    plain.extend(vec![u8::try_from(pad).unwrap(); pad]);
    plain
}

/// The query parameters of a push with this `Encrypt`, correctly signed.
#[must_use]
pub fn signed_pairs(encrypt: &str) -> [(&'static str, String); 4] {
    use sha1::{Digest as _, Sha1};

    let timestamp = NOW.to_string();
    let mut parts = [TOKEN, &timestamp, NONCE, encrypt];
    parts.sort_unstable();
    let signature: String = Sha1::digest(parts.concat()).iter().map(|byte| format!("{byte:02x}")).collect();
    [
        ("timestamp", timestamp),
        ("nonce", NONCE.to_owned()),
        ("encrypt_type", "aes".to_owned()),
        ("msg_signature", signature),
    ]
}

/// The query of a push with this `Encrypt`, correctly signed.
#[must_use]
pub fn signed(encrypt: &str) -> wechat::push::PushQuery {
    let pairs = signed_pairs(encrypt);
    wechat::push::PushQuery::from_pairs(pairs.iter().map(|(name, value)| (*name, value.as_str()))).unwrap()
}
