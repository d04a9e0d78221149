//! The sending side, written from the format's description alone: its own base64, padding and signature.

use aes::Aes256;
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeEncrypt as _, KeyIvInit as _};
use sha1::{Digest as _, Sha1};
use wechat_preauth::wechat::push::{Push, PushError, PushKey, PushQuery, open};

use crate::{APPID, NOW};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A request on its way.
#[derive(Clone, Debug)]
pub struct Wire {
    pub query: Vec<(String, String)>,
    pub encrypt: String,
    pub body: Vec<u8>,
}

impl Wire {
    pub fn new(timestamp: &str, nonce: &str, msg_signature: &str, encrypt: &str) -> Self {
        let query = [
            ("signature", "0000000000000000000000000000000000000000"),
            ("timestamp", timestamp),
            ("nonce", nonce),
            ("encrypt_type", "aes"),
            ("msg_signature", msg_signature),
        ];
        Self {
            query: query.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec(),
            encrypt: encrypt.to_owned(),
            body: envelope(APPID, encrypt.as_bytes()),
        }
    }

    pub fn get(&self, name: &str) -> &str {
        let mut found = self.query.iter().filter(|(key, _)| key == name);
        &found.next().unwrap().1
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        let mut found = self.query.iter_mut().filter(|(key, _)| key == name);
        value.clone_into(&mut found.next().unwrap().1);
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.query.retain(|(key, _)| key != name);
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub fn parsed(&self) -> Result<PushQuery, PushError> {
        PushQuery::from_pairs(self.query.iter().map(|(k, v)| (k.as_str(), v.as_str())))
    }

    pub fn open(&self, keys: &[PushKey], appid: &str, now: i64) -> Result<Push, PushError> {
        open(&self.parsed()?, &self.body, keys, appid, now)
    }
}

/// WeChat's outer XML.
pub fn envelope(appid: &str, encrypt: &[u8]) -> Vec<u8> {
    let mut body =
        format!("<xml>\n    <AppId><![CDATA[{appid}]]></AppId>\n    <Encrypt><![CDATA[").into_bytes();
    body.extend_from_slice(encrypt);
    body.extend_from_slice(b"]]></Encrypt>\n</xml>");
    body
}

/// A sender with a key.
#[derive(Clone, Debug)]
pub struct Sender {
    pub token: String,
    pub encoding_aes_key: String,
    pub appid: String,
    pub timestamp: String,
    pub nonce: String,
    pub random: [u8; 16],
}

impl Default for Sender {
    fn default() -> Self {
        Self {
            token: "AAAAA".to_owned(),
            encoding_aes_key: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG".to_owned(),
            appid: APPID.to_owned(),
            timestamp: NOW.to_string(),
            nonce: "1590219412".to_owned(),
            random: *b"0123456789abcdef",
        }
    }
}

impl Sender {
    pub fn key(&self) -> PushKey {
        PushKey::new(self.token.as_str().into(), &self.encoding_aes_key).unwrap()
    }

    /// Everything as it should be.
    pub fn push(&self, message: impl AsRef<[u8]>) -> Wire {
        self.push_plain(&padded(self.plain(message.as_ref())))
    }

    /// Random, length, message and appid, not yet padded.
    pub fn plain(&self, message: &[u8]) -> Vec<u8> {
        let mut plain = self.random.to_vec();
        plain.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
        plain.extend(message);
        plain.extend(self.appid.as_bytes());
        plain
    }

    /// Encrypts and signs what was padded, rightly or wrongly.
    pub fn push_plain(&self, padded: &[u8]) -> Wire {
        self.push_encrypted(&encode(&self.encrypt(padded)))
    }

    /// Signs whatever stands in `<Encrypt>`.
    pub fn push_encrypted(&self, encrypt: &str) -> Wire {
        Wire::new(&self.timestamp, &self.nonce, &self.sign(encrypt), encrypt)
    }

    pub fn sign(&self, encrypt: &str) -> String {
        let mut parts = [self.token.clone(), self.timestamp.clone(), self.nonce.clone(), encrypt.to_owned()];
        parts.sort();
        let digest = Sha1::digest(parts.concat());
        let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits.map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])).collect()
    }

    fn encrypt(&self, padded: &[u8]) -> Vec<u8> {
        let key = decode(&self.encoding_aes_key);
        let mut buffer = padded.to_vec();
        cbc::Encryptor::<Aes256>::new_from_slices(&key[..32], &key[..16])
            .unwrap()
            .encrypt_padded::<NoPadding>(&mut buffer, padded.len())
            .unwrap();
        buffer
    }
}

/// Filled up to the next multiple of 32, with a whole block when there is nothing to fill.
pub fn padded(mut plain: Vec<u8>) -> Vec<u8> {
    let pad = 32 - plain.len() % 32;
    plain.extend(vec![u8::try_from(pad).unwrap(); pad]);
    plain
}

pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut bits = 0_u32;
        for index in 0..3 {
            bits = bits << 8 | u32::from(chunk.get(index).copied().unwrap_or(0));
        }
        for index in 0..4 {
            if index <= chunk.len() {
                let six = bits >> (18 - 6 * index) & 63;
                text.push(char::from(ALPHABET[six as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

/// Whole bytes; bits left over at the end are dropped.
pub fn decode(text: &str) -> Vec<u8> {
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for c in text.bytes() {
        let six = ALPHABET.iter().position(|&letter| letter == c).unwrap();
        bits = bits << 6 | u32::try_from(six).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    bytes
}
