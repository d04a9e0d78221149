//! The fingerprint of a pre-auth code, which may be logged.
//!
//! The code itself is in no log. Its fingerprint is in logs and bus events, and callers get it with the code. So one
//! authorization can be followed from end to end.

use sha2::{Digest as _, Sha256};

/// Bytes of the SHA-256 that are shown: 48 bits, so that two of a million codes hardly ever share one.
const FINGERPRINT_BYTES: usize = 6;

/// The first 12 hex digits of the SHA-256 of a pre-auth code, as `printf %s "$code" | sha256sum` shows them.
pub fn code_fingerprint(code: &str) -> String {
    hex(&Sha256::digest(code)[..FINGERPRINT_BYTES])
}

/// Lower-case hex digits of `bytes`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
