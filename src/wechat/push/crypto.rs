//! The keys of pushes, and their encryption: AES-256-CBC, padded to 32 bytes.
//!
//! Inside: 16 random bytes, the message's length (4 bytes, big endian), the message, the component's appid.

use std::fmt;

use aes::Aes256;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, ExposeSecretMut as _, SecretBox, SecretString};
use subtle::{ConstantTimeEq as _, ConstantTimeGreater as _, ConstantTimeLess as _};

const AES_KEY_BYTES: usize = 32;
const IV_BYTES: usize = 16;

/// Characters of an `EncodingAESKey`: 32 bytes in base64 without the closing `=`.
const ENCODING_AES_KEY_CHARS: usize = 43;

/// Pushes are padded to whole 32 bytes, twice AES' own block: the last byte says by how many, 1 to 32.
const PADDING_BLOCK: usize = 32;

/// The random bytes before the message. They have no meaning.
const RANDOM_BYTES: usize = 16;
const LENGTH_BYTES: usize = 4;

/// Decodes an `EncodingAESKey`. 43 characters hold two bits more than 32 bytes. WeChat chooses the last
/// character at random, so those bits are set in three of four keys. A strict decoder would refuse them.
const ENCODING_AES_KEY: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// One pair of the platform's message settings: 消息校验Token and 消息加解密Key.
///
/// `Debug` shows neither, and both are wiped from memory when dropped.
pub struct PushKey {
    token: SecretString,
    aes_key: SecretBox<[u8; AES_KEY_BYTES]>,
}

/// Which part of a push key is wrong, and how. Holds nothing of the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PushKeyError {
    /// The Token is empty. The operator must copy 消息校验Token from the platform's page.
    #[error("token is empty")]
    TokenEmpty,
    /// The Token holds a character that WeChat's page does not accept, most often a space or a line break that
    /// was copied with it. The operator must copy it again.
    #[error("token: character {position} is not a printable ASCII character without space")]
    TokenCharacter {
        /// Which character, counted from 1.
        position: usize,
    },
    /// The `EncodingAESKey` is too short or too long. The operator must copy 消息加解密Key again.
    #[error("encoding_aes_key has {chars} characters: it must have 43, without a closing =")]
    AesKeyLength {
        /// How many characters there are.
        chars: usize,
    },
    /// The `EncodingAESKey` holds something else than letters and digits. The operator must copy it again.
    #[error("encoding_aes_key: character {position} is none of A-Z, a-z, 0-9")]
    AesKeyCharacter {
        /// Which character, counted from 1.
        position: usize,
    },
}

impl PushKey {
    /// Reads 消息校验Token and 消息加解密Key (`EncodingAESKey`) as the platform's page shows them.
    ///
    /// # Errors
    ///
    /// [`PushKeyError`] says which of the two is wrong and where, without showing its value.
    pub fn new(token: SecretString, encoding_aes_key: &str) -> Result<Self, PushKeyError> {
        if token.expose_secret().is_empty() {
            return Err(PushKeyError::TokenEmpty);
        }
        if let Some(index) = token.expose_secret().chars().position(|c| !c.is_ascii_graphic()) {
            return Err(PushKeyError::TokenCharacter { position: index + 1 });
        }
        Ok(Self { token, aes_key: aes_key(encoding_aes_key)? })
    }

    pub(super) fn token(&self) -> &SecretString {
        &self.token
    }

    /// The message in `encrypt` if this key decrypts it and it is meant for `component_appid`. The caller
    /// deliberately does not learn why not.
    pub(super) fn decrypt(&self, encrypt: &str, component_appid: &str) -> Option<Zeroizing<String>> {
        let mut buffer = Zeroizing::new(STANDARD.decode(encrypt).ok()?);
        if buffer.is_empty() || buffer.len() % PADDING_BLOCK != 0 {
            return None;
        }
        let key = self.aes_key.expose_secret();
        cbc::Decryptor::<Aes256>::new_from_slices(key, &key[..IV_BYTES])
            .ok()?
            .decrypt_padded::<NoPadding>(&mut buffer)
            .ok()?;

        let plain = unpadded_len(&buffer).and_then(|len| buffer.get(RANDOM_BYTES..len));
        let (length, rest) = plain?.split_first_chunk::<LENGTH_BYTES>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (message, appid) = rest.split_at_checked(length)?;
        if !bool::from(appid.ct_eq(component_appid.as_bytes())) {
            return None;
        }
        Some(Zeroizing::new(std::str::from_utf8(message).ok()?.to_owned()))
    }
}

impl fmt::Debug for PushKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PushKey(secret)")
    }
}

fn aes_key(encoded: &str) -> Result<SecretBox<[u8; AES_KEY_BYTES]>, PushKeyError> {
    let chars = encoded.chars().count();
    if chars != ENCODING_AES_KEY_CHARS {
        return Err(PushKeyError::AesKeyLength { chars });
    }
    if let Some(index) = encoded.chars().position(|c| !c.is_ascii_alphanumeric()) {
        return Err(PushKeyError::AesKeyCharacter { position: index + 1 });
    }
    let mut key = SecretBox::new(Box::new([0; AES_KEY_BYTES]));
    // 43 letters and digits always give 32 bytes, so the second arm is never reached.
    match ENCODING_AES_KEY.decode_slice(encoded, key.expose_secret_mut()) {
        Ok(AES_KEY_BYTES) => Ok(key),
        _ => Err(PushKeyError::AesKeyLength { chars }),
    }
}

/// The length without the padding, or none when the padding is wrong. Every padding byte is checked, and the
/// time does not depend on which one is wrong.
fn unpadded_len(plain: &[u8]) -> Option<usize> {
    let tail = plain.last_chunk::<PADDING_BLOCK>()?;
    let pad = tail[PADDING_BLOCK - 1];
    let mut right = !pad.ct_eq(&0) & !pad.ct_gt(&32);
    for (distance, byte) in (0_u8..).zip(tail.iter().rev()) {
        right &= !distance.ct_lt(&pad) | byte.ct_eq(&pad);
    }
    bool::from(right).then(|| plain.len() - usize::from(pad))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_decrypts_every_vector_to_its_message() {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/vectors/push.json")).unwrap();
        let vectors = file["vectors"].as_array().unwrap();
        assert_eq!(vectors.len(), 6);
        for vector in vectors {
            let field = |name: &str| vector[name].as_str().unwrap();
            let key = PushKey::new(field("token").into(), field("encoding_aes_key")).unwrap();
            let message = key.decrypt(field("encrypt"), field("appid")).unwrap();
            assert_eq!(*message, field("message"), "{}", field("name"));
        }
    }

    #[test]
    fn padding_is_cut_off_when_every_byte_of_it_is_right() {
        for pad in 1..=32_u8 {
            let mut plain = [0; 64];
            let len = plain.len() - usize::from(pad);
            plain[len..].fill(pad);
            assert_eq!(unpadded_len(&plain), Some(len));
            for wrong in len..plain.len() {
                plain[wrong] ^= 0x40;
                assert_eq!(unpadded_len(&plain), None, "pad {pad}, byte {wrong}");
                plain[wrong] ^= 0x40;
            }
        }
    }

    #[test]
    fn padding_of_no_byte_or_of_more_than_a_block_is_refused() {
        for pad in [0, 33, 34, 64, 0x80, 0xff] {
            assert_eq!(unpadded_len(&[pad; 64]), None, "pad {pad}");
        }
        assert_eq!(unpadded_len(&[]), None);
        assert_eq!(unpadded_len(&[16; 16]), None);
    }
}
