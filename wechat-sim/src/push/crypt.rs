//! WeChat's message encryption and `msg_signature`, written from WeChat's description only.

use std::io;

use aes::Aes256;
use aes::cipher::{BlockModeEncrypt, KeyIvInit};
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use sha1::{Digest, Sha1};

/// WeChat pads to 32 bytes, although AES blocks have 16 bytes.
const PAD_BLOCK: usize = 32;
/// Random bytes before every message.
pub(super) const PREFIX_LEN: usize = 16;

/// An EncodingAESKey, decoded.
#[derive(Clone)]
pub struct PushCrypt {
    key: [u8; 32],
}

impl PushCrypt {
    /// From the 43 characters of an EncodingAESKey.
    ///
    /// # Errors
    /// When it is not 43 characters of base64.
    pub fn new(encoding_aes_key: &str) -> io::Result<Self> {
        // The last character has two bits that mean nothing. In real keys they are often set.
        let lenient = GeneralPurpose::new(
            &alphabet::STANDARD,
            GeneralPurposeConfig::new()
                .with_decode_allow_trailing_bits(true)
                .with_decode_padding_mode(DecodePaddingMode::RequireNone),
        );
        let invalid = || {
            let message = "an EncodingAESKey has 43 characters of a-z, A-Z, 0-9";
            io::Error::new(io::ErrorKind::InvalidInput, message)
        };
        let bytes = lenient.decode(encoding_aes_key).map_err(|_| invalid())?;
        Ok(Self { key: bytes.try_into().map_err(|_| invalid())? })
    }

    /// Encrypts `message` for `appid` with this random prefix. Returns base64.
    #[must_use]
    pub fn encrypt(&self, prefix: &[u8; PREFIX_LEN], message: &str, appid: &str) -> String {
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
        self.encrypt_plain(&plain(prefix, length, message, appid))
    }

    /// Pads and encrypts any plain text.
    pub(super) fn encrypt_plain(&self, plain: &[u8]) -> String {
        let pad = PAD_BLOCK - plain.len() % PAD_BLOCK;
        let mut bytes = plain.to_vec();
        // `pad` is at most 32.
        bytes.resize(plain.len() + pad, pad as u8);
        BASE64_STANDARD.encode(self.encrypt_blocks(bytes))
    }

    /// Encrypts whole blocks without padding. A shorter last block is not encrypted.
    pub(super) fn encrypt_blocks(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let mut iv = [0; 16];
        iv.copy_from_slice(&self.key[..16]);
        let mut cipher = cbc::Encryptor::<Aes256>::new(&self.key.into(), &iv.into());
        for block in bytes.chunks_exact_mut(16) {
            if let Ok(block) = block.try_into() {
                cipher.encrypt_block(block);
            }
        }
        bytes
    }
}

impl std::fmt::Debug for PushCrypt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PushCrypt")
    }
}

/// The plain text: random prefix, length (big endian), message, appid.
pub(super) fn plain(prefix: &[u8; PREFIX_LEN], length: u32, message: &str, appid: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PREFIX_LEN + 4 + message.len() + appid.len());
    bytes.extend_from_slice(prefix);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(message.as_bytes());
    bytes.extend_from_slice(appid.as_bytes());
    bytes
}

/// The SHA-1 of the sorted parts in hex. The parts of `msg_signature` are token, timestamp, nonce and encrypt;
/// those of the plain `signature` are the first three.
#[must_use]
pub fn msg_signature(parts: &[&str]) -> String {
    let mut sorted = parts.to_vec();
    sorted.sort_unstable();
    Sha1::digest(sorted.concat()).iter().map(|byte| format!("{byte:02x}")).collect()
}
