//! The id in a link's address. Whoever has it may start an authorization, so it is in no log and in no event; the
//! table holds only its hash.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::wechat::fingerprint::hex;

/// Bytes of an id: nobody guesses 128 random bits.
const ID_BYTES: usize = 16;
/// Bytes of the hash that names the link.
const NAME_BYTES: usize = 16;

/// The id in a link's address: 22 characters of base64url.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkId(String);

impl LinkId {
    /// A new id.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; ID_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The id with this text, if it has the form of one.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == ID_BYTES).then(|| Self(text.to_owned()))
    }

    /// The id's text, for the link's address only.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The link's name in answers, events and logs: 32 hex digits of the id's SHA-256. It opens nothing.
    pub fn link_id(&self) -> String {
        hex(&Sha256::digest(&self.0)[..NAME_BYTES])
    }
}

/// Shows the name, not the id.
impl std::fmt::Debug for LinkId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("LinkId").field(&self.link_id()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_each_time_and_is_read_back() {
        let (one, two) = (LinkId::new().unwrap(), LinkId::new().unwrap());
        assert!(one != two && one.link_id() != two.link_id());
        assert_eq!((one.as_str().len(), one.link_id().len()), (22, 32));
        assert_eq!(LinkId::parse(one.as_str()), Some(one.clone()));
        assert!(!format!("{one:?}").contains(one.as_str()));
    }

    #[test]
    fn the_name_is_the_start_of_the_sha_256() {
        let id = LinkId::parse("AAAAAAAAAAAAAAAAAAAAAA").unwrap();
        // printf %s AAAAAAAAAAAAAAAAAAAAAA | sha256sum
        assert_eq!(id.link_id(), "8a5bdb4cc15164126c6ef2668de9dd24");
    }

    #[test]
    fn nothing_else_is_an_id() {
        for other in [
            "",
            "AAAAAAAAAAAAAAAAAAAAA",
            "AAAAAAAAAAAAAAAAAAAAAAA",
            "AAAAAAAAAAAAAAAAAAAAAB", // bits that no 16 bytes have
            "AAAAAAAAAAAAAAAAAAAAA=",
            "AAAAAAAAAAAAAAAAAAAA+/",
            "../../../../../../../a",
            "订单订单订单订单",
        ] {
            assert_eq!(LinkId::parse(other), None, "{other}");
        }
    }
}
