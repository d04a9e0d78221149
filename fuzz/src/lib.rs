//! The push modules by themselves. Depending on the whole library would build the AWS SDK with the fuzzer's
//! instrumentation, for minutes and for nothing.

/// The same tree as in the library, as far as the push format needs it.
#[path = "."]
pub mod wechat {
    #[path = "../../src/wechat/fingerprint.rs"]
    pub mod fingerprint;
    #[path = "../../src/wechat/push/mod.rs"]
    pub mod push;
}

/// What the targets sign for.
pub const APPID: &str = "wx134c8103faa5a59e";
/// What the targets sign at.
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

    // G has trailing bits that a strict decoder refuses; E has the same other bits and none of those.
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

/// Random bytes, length, message, appid and padding.
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

/// A well signed query for this `Encrypt`.
#[must_use]
pub fn signed(encrypt: &str) -> wechat::push::PushQuery {
    use sha1::{Digest as _, Sha1};

    let timestamp = NOW.to_string();
    let mut parts = [TOKEN, &timestamp, NONCE, encrypt];
    parts.sort_unstable();
    let signature: String = Sha1::digest(parts.concat()).iter().map(|byte| format!("{byte:02x}")).collect();
    wechat::push::PushQuery::from_pairs([
        ("timestamp", timestamp.as_str()),
        ("nonce", NONCE),
        ("encrypt_type", "aes"),
        ("msg_signature", &signature),
    ])
    .unwrap()
}
