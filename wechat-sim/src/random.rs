//! Random values that look like WeChat's. They protect nothing, so that a fast generator is enough.

const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// `len` characters of `[A-Za-z0-9_-]`.
pub(crate) fn url_safe(len: usize) -> String {
    (0..len).map(|_| char::from(URL_SAFE[fastrand::usize(..URL_SAFE.len())])).collect()
}

/// `len` characters of `[A-Za-z0-9]`.
pub(crate) fn alphanumeric(len: usize) -> String {
    (0..len).map(|_| fastrand::alphanumeric()).collect()
}

/// A ticket: the prefix and 86 characters, 95 in all, as in every captured ticket.
pub(crate) fn ticket() -> String {
    format!("ticket@@@{}", url_safe(86))
}

/// A component access token: `NN_` and 138 to 157 characters in all.
pub(crate) fn token() -> String {
    format!("{}_{}", fastrand::u8(90..=99), url_safe(fastrand::usize(135..=154)))
}

/// A pre-authorization code: the prefix and 86 characters, 100 in all.
pub(crate) fn pre_auth_code() -> String {
    format!("preauthcode@@@{}", url_safe(86))
}

/// An authorization code, as in the redirect and in the `authorized` push.
pub(crate) fn authorization_code() -> String {
    format!("queryauthcode@@@{}", url_safe(86))
}

/// An appid: `wx` and 16 hex digits.
pub(crate) fn appid() -> String {
    format!("wx{:016x}", fastrand::u64(..))
}

/// `len` hex digits.
pub(crate) fn hex(len: usize) -> String {
    (0..len).map(|_| fastrand::digit(16)).collect()
}

/// A refresh token of an authorizer: the prefix and 43 characters, as in captured ones.
pub(crate) fn refresh_token() -> String {
    format!("refreshtoken@@@{}", url_safe(43))
}
