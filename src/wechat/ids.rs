//! What an appid, a rid and a `cgi_path` look like: the one place for these rules.
//!
//! The rules also keep secrets out of logs and answers. An appid and a rid are shorter than an appsecret
//! (32 characters), and a path's segment is shorter than a token (86 and more) or a ticket (95).

/// Longest appid, in bytes. WeChat's have 18.
const MAX_APPID_BYTES: usize = 24;

/// Most segments of a `cgi_path`, and the longest segment in bytes. WeChat's have up to six segments; the
/// longest has some 30 characters.
const MAX_PATH_SEGMENTS: usize = 8;
const MAX_SEGMENT_BYTES: usize = 40;

/// Whether `text` has the form of an appid: `wx` and up to 22 letters and digits.
pub fn is_appid(text: &str) -> bool {
    text.len() > 2
        && text.len() <= MAX_APPID_BYTES
        && text.starts_with("wx")
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Whether `text` has the form of a rid: three groups of eight hex digits, `5f92a0c3-4b491949-0aa4f69d`.
pub fn is_rid(text: &str) -> bool {
    let is_group = |group: &str| group.len() == 8 && group.bytes().all(|b| b.is_ascii_hexdigit());
    text.split('-').count() == 3 && text.split('-').all(is_group)
}

/// Whether `text` has the form of a call's path, without host and query:
/// `/cgi-bin/component/api_create_preauthcode`.
pub fn is_cgi_path(text: &str) -> bool {
    let is_segment = |segment: &str| {
        (1..=MAX_SEGMENT_BYTES).contains(&segment.len())
            && segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
    };
    text.strip_prefix('/')
        .is_some_and(|path| path.split('/').count() <= MAX_PATH_SEGMENTS && path.split('/').all(is_segment))
}

#[cfg(test)]
mod tests {
    use super::*;

    const APPSECRET: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn an_appid_is_wx_and_letters_and_digits() {
        for appid in ["wx134c8103faa5a59e", "wxsim0000000000001", "wx1"] {
            assert!(is_appid(appid), "{appid}");
        }
        for other in ["", "wx", "gh_0123456789ab", "wx134c8103 aa5a59e", "wx&x=1", "wx订单", APPSECRET] {
            assert!(!is_appid(other), "{other}");
        }
        assert!(!is_appid(&format!("wx{APPSECRET}")));
    }

    #[test]
    fn a_rid_is_three_groups_of_eight_hex_digits() {
        assert!(is_rid("5f92a0c3-4b491949-0aa4f69d") && is_rid("5F92A0C3-4B491949-0AA4F69D"));
        for other in [
            "",
            "--------------------------",
            "5f92a0c3-4b491949",
            "5f92a0c3-4b491949-0aa4f69d-",
            "5f92a0c3-4b491949-0aa4f69g",
            "5f92a0c-34b491949-0aa4f69d",
            APPSECRET,
        ] {
            assert!(!is_rid(other), "{other}");
        }
    }

    #[test]
    fn a_cgi_path_is_a_path_and_nothing_more() {
        for path in ["/cgi-bin/component/api_create_preauthcode", "/a/b_c", "/wxa/v1.2"] {
            assert!(is_cgi_path(path), "{path}");
        }
        for other in [
            "",
            "/",
            "cgi-bin/x",
            "/a//b",
            "/a/",
            "/a?b=c",
            "https://api.weixin.qq.com/x",
            "/1/2/3/4/5/6/7/8/9",
        ] {
            assert!(!is_cgi_path(other), "{other}");
        }
        assert!(!is_cgi_path(&format!("/{}", "x".repeat(86))));
    }
}
