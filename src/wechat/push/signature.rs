//! `msg_signature`: SHA-1 over the Token, the timestamp, the nonce and the encrypted text.

use secrecy::{ExposeSecret as _, SecretString};
use sha1::{Digest as _, Sha1};
use subtle::ConstantTimeEq as _;

use super::PushQuery;
use crate::wechat::fingerprint::hex;

/// Whether `token` gives the query's `msg_signature` for this `Encrypt`, compared in constant time.
///
/// WeChat joins the four sorted texts without a separator, so the signature does not say where one ends and
/// the next begins. Decryption therefore checks the exact length and the appid, and `CreateTime` the age.
pub(super) fn fits(token: &SecretString, query: &PushQuery, encrypt: &str) -> bool {
    let expected = msg_signature(token.expose_secret(), &query.timestamp, &query.nonce, encrypt);
    expected.as_bytes().ct_eq(query.msg_signature.as_bytes()).into()
}

fn msg_signature(token: &str, timestamp: &str, nonce: &str, encrypt: &str) -> String {
    let mut parts = [token, timestamp, nonce, encrypt];
    parts.sort_unstable();
    let mut sha = Sha1::new();
    for part in parts {
        sha.update(part.as_bytes());
    }
    hex(&sha.finalize())
}
