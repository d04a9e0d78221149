//! WeChat's message encryption and `msg_signature`, written from its description alone.

use std::io;

use aes::Aes256;
use aes::cipher::{BlockModeEncrypt, KeyIvInit};
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use sha1::{Digest, Sha1};

/// WeChat pads to 32 bytes, although AES blocks have 16.
const PAD_BLOCK: usize = 32;
/// Random bytes in front of every message.
pub(crate) const PREFIX_LEN: usize = 16;

/// An EncodingAESKey ready for use.
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
        // Its last character carries four bits that mean nothing, and real keys have them set.
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

    /// `message` for `appid` behind this random prefix, as base64.
    #[must_use]
    pub fn encrypt(&self, prefix: &[u8; PREFIX_LEN], message: &str, appid: &str) -> String {
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
        self.encrypt_plain(&plain(prefix, length, message, appid))
    }

    /// Pads and encrypts any plain text.
    pub(crate) fn encrypt_plain(&self, plain: &[u8]) -> String {
        let pad = PAD_BLOCK - plain.len() % PAD_BLOCK;
        let mut bytes = plain.to_vec();
        // `pad` is at most 32.
        bytes.resize(plain.len() + pad, pad as u8);
        BASE64_STANDARD.encode(self.encrypt_blocks(bytes))
    }

    /// Encrypts whole blocks as they are; a shorter last block stays in clear.
    pub(crate) fn encrypt_blocks(&self, mut bytes: Vec<u8>) -> Vec<u8> {
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

/// Random prefix, length (big endian), message, appid.
pub(crate) fn plain(prefix: &[u8; PREFIX_LEN], length: u32, message: &str, appid: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PREFIX_LEN + 4 + message.len() + appid.len());
    bytes.extend_from_slice(prefix);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(message.as_bytes());
    bytes.extend_from_slice(appid.as_bytes());
    bytes
}

/// The hex SHA-1 over the sorted parts: `[token, timestamp, nonce, encrypt]` for `msg_signature`,
/// the first three for the plain `signature`.
#[must_use]
pub fn msg_signature(parts: &[&str]) -> String {
    let mut sorted = parts.to_vec();
    sorted.sort_unstable();
    Sha1::digest(sorted.concat()).iter().map(|byte| format!("{byte:02x}")).collect()
}
