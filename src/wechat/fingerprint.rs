//! A name for a pre-auth code that is safe to write down.
//!
//! Logs and bus events carry the fingerprint, callers get it beside the code, and whoever holds the
//! code can compute it: so one authorization can be followed from end to end and the code is seen nowhere.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// Hex digits of a fingerprint: 48 bits, so that among a million codes a chance match is unlikely.
pub const FINGERPRINT_LEN: usize = 12;

/// The first 12 hex digits of the SHA-256 of a pre-auth code, as `printf %s "$code" | sha256sum` shows them.
#[must_use]
pub fn code_fingerprint(code: &str) -> String {
    let mut digits = hex(&Sha256::digest(code.as_bytes()));
    digits.truncate(FINGERPRINT_LEN);
    digits
}

/// Lower-case hex digits of `bytes`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_the_first_twelve_hex_digits_of_the_sha_256() {
        assert_eq!(code_fingerprint("test"), "9f86d081884c");
        assert_eq!(code_fingerprint(""), "e3b0c44298fc");
    }

    #[test]
    fn hex_keeps_leading_zeros() {
        assert_eq!(hex(&[0x00, 0x0f, 0xff]), "000fff");
    }
}
