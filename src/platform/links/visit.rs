//! What a merchant does with a link: opens it, starts an authorization, comes back from WeChat.
//!
//! Everything that a visitor sends is a stranger's: the id is looked up by its hash, and the authorization code of the
//! redirect is passed on only as text, to the address that the owner stored with the link.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use super::code::{NoCode, take_code};
use super::id::LinkId;
use super::services::LinkServices;
use super::store::{CodeLink, Link, MAX_CODES, MAX_STARTS, Noted, Started};
use crate::platform::authorization_urls::{Authorization, AuthorizationUrls};
use crate::platform::cause::in_time;
use crate::platform::problem::{Problem, ProblemCode, texts};
use crate::platform::state::StateError;
use crate::wechat::code_fingerprint;

/// How long the link of a code is kept, in seconds: longer than any code lives, and than the events after it take.
const CODE_LINK_KEPT: i64 = 2 * 3600;

/// What the code must leave of the time, for the write after it.
const AFTER_THE_CODE: Duration = Duration::from_secs(2);

/// Longest authorization code that is passed on, in bytes. WeChat's have some 80.
const MAX_AUTH_CODE_BYTES: usize = 512;

/// Longest life of an authorization code that is passed on, in seconds. WeChat says 600 or 3600.
const MAX_AUTH_CODE_LIFE: u32 = 86_400;

/// The link that a merchant follows. It may be logged.
#[derive(Debug, Clone)]
pub struct Followed {
    /// The link's name.
    pub link_id: String,
    /// The link's `reference`.
    pub reference: Option<String>,
    /// Which kinds of accounts the merchant may choose.
    pub auth_type: Option<NonZeroU32>,
    /// Whether only one account may be chosen, of whatever kind it is.
    pub one_account: bool,
}

impl Followed {
    fn new(link_id: &str, link: &Link) -> Self {
        let Authorization { auth_type, biz_appid, .. } = &link.authorization;
        Self {
            link_id: link_id.to_owned(),
            reference: link.reference.clone(),
            auth_type: *auth_type,
            one_account: biz_appid.is_some(),
        }
    }
}

/// Why a merchant cannot go on.
#[derive(Debug)]
pub struct Failed {
    /// The problem.
    pub problem: Box<Problem>,
    /// The link, if there is one.
    pub followed: Option<Followed>,
}

impl<E: Into<Box<Problem>>> From<E> for Failed {
    fn from(problem: E) -> Self {
        Self { problem: problem.into(), followed: None }
    }
}

/// What following a link returns.
pub type Result<T> = std::result::Result<T, Failed>;

/// The parameters with which WeChat sends a merchant back, each as often as it was sent.
#[derive(Debug, Clone, Default)]
pub struct Redirect<'a> {
    /// `auth_code`.
    pub auth_code: Vec<&'a str>,
    /// `expires_in`.
    pub expires_in: Vec<&'a str>,
}

/// Where a merchant who came back goes.
#[derive(PartialEq, Eq)]
pub enum CameBack {
    /// To the owner's page.
    To(String),
    /// Nowhere: the authorization is done, and the owner gave no page.
    Done,
    /// Nowhere: the same authorization code came before. The owner's page, without it.
    Again(Option<String>),
    /// Nowhere: WeChat sent no authorization code, or none that could be one.
    NotAuthorized,
}

/// Opens a link. No code is taken.
///
/// # Errors
/// `Link.*` when it cannot be used any more, `State.Unavailable` when it cannot be looked up.
pub async fn open_link(services: &LinkServices, id: &LinkId) -> Result<Followed> {
    let link_id = id.link_id();
    let link = services.links.link(&link_id).await?;
    usable(&link_id, link, services.clock.now())
}

/// Takes a code for a merchant who starts. Its place is taken before, so that no race takes more codes than a link may.
/// It is given back only when it is clear that there is no code.
///
/// # Errors
/// `Link.*`, `State.Unavailable`, `Function.Unavailable`, or the problem of the function `preauthcode`.
pub async fn start(
    services: &LinkServices,
    id: &LinkId,
    deadline: Instant,
) -> Result<(Followed, AuthorizationUrls)> {
    let (now, link_id) = (services.clock.now(), id.link_id());
    let start = Uuid::new_v4().to_string();
    let link = match services.links.start(&link_id, &start, now).await? {
        Started::Yes(link) => link,
        Started::No(link) => {
            let followed = usable(&link_id, link, now)?;
            // Only a link that cannot be used is not started.
            return Err(Failed { problem: exhausted(), followed: Some(followed) });
        }
    };
    let followed = Followed::new(&link_id, &link);
    let by = deadline.checked_sub(AFTER_THE_CODE).unwrap_or(deadline);
    let code = match take_code(services, id, &link, by).await {
        Ok(code) => code,
        Err(NoCode { problem, unclear }) => {
            let give_back = services.links.give_back(&link_id, &start);
            if !unclear && let Err(error) = in_time(deadline, StateError, give_back).await {
                // At worst the link has one code less.
                tracing::warn!(link_id, %error, "the place of a code was not given back");
            }
            return Err(Failed { problem, followed: Some(followed) });
        }
    };
    let delete_at = now.saturating_add(CODE_LINK_KEPT);
    let code_link = CodeLink { link_id, reference: link.reference, state: link.state };
    let put = services.links.put_code_link(&code.code_fingerprint, &code_link, delete_at);
    let put = in_time(deadline, StateError, put).await;
    if let Err(error) = put {
        // The merchant goes on. The event will lack the link's name.
        let CodeLink { link_id, .. } = code_link;
        tracing::warn!(link_id, code_fingerprint = code.code_fingerprint, %error, "a code's link was not kept");
    }
    Ok((followed, code.authorization_urls))
}

/// A merchant came back from WeChat. A link that has ended still takes back who started before.
///
/// # Errors
/// `Link.NotFound`, `State.Unavailable`.
pub async fn came_back(
    services: &LinkServices,
    id: &LinkId,
    redirect: &Redirect<'_>,
) -> Result<(Followed, CameBack)> {
    let link_id = id.link_id();
    let link = services.links.link(&link_id).await?.ok_or_else(not_found)?;
    let followed = Followed::new(&link_id, &link);
    // Nobody comes back from a link through which nobody went.
    let Some(auth_code) = auth_code(redirect).filter(|_| link.starts > 0) else {
        return Ok((followed, CameBack::NotAuthorized));
    };
    let owners_page = |code| owners_page(&link, &link_id, code);
    let noted = services.links.note_return(&link_id, &code_fingerprint(auth_code)).await;
    let noted = noted.map_err(|error| Failed { problem: error.into(), followed: Some(followed.clone()) })?;
    let came_back = match noted {
        Noted::Again => CameBack::Again(owners_page(None)),
        // Without a note it may be the second time. Better than a merchant whom forged returns have shut out.
        Noted::First | Noted::Full => match owners_page(Some((auth_code, expires_in(redirect)))) {
            Some(page) => CameBack::To(page),
            None => CameBack::Done,
        },
    };
    Ok((followed, came_back))
}

/// The link's `return_url` with its parameters, and with the authorization code and its life.
fn owners_page(link: &Link, link_id: &str, code: Option<(&str, Option<u32>)>) -> Option<String> {
    let mut url = Url::parse(link.return_url.as_deref()?).ok()?;
    let mut query = url.query_pairs_mut();
    if let Some((auth_code, expires_in)) = code {
        query.append_pair("auth_code", auth_code);
        if let Some(seconds) = expires_in {
            query.append_pair("expires_in", &seconds.to_string());
        }
    }
    for (name, value) in [("state", &link.state), ("reference", &link.reference)] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    query.append_pair("link_id", link_id);
    drop(query);
    Some(url.into())
}

/// The one authorization code of a redirect. Two are as good as none: one of them is not WeChat's.
fn auth_code<'a>(redirect: &Redirect<'a>) -> Option<&'a str> {
    let [code] = redirect.auth_code[..] else { return None };
    let is_code =
        (1..=MAX_AUTH_CODE_BYTES).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_graphic());
    is_code.then_some(code)
}

/// Its life in seconds; nothing when it is not one.
fn expires_in(redirect: &Redirect<'_>) -> Option<u32> {
    let [seconds] = redirect.expires_in[..] else { return None };
    seconds.parse().ok().filter(|seconds| (1..=MAX_AUTH_CODE_LIFE).contains(seconds))
}

fn usable(link_id: &str, link: Option<Link>, now: i64) -> Result<Followed> {
    let link = link.ok_or_else(not_found)?;
    let followed = Followed::new(link_id, &link);
    if link.expires_at <= now {
        let problem = Problem::new(ProblemCode::LinkExpired, texts::LINK_EXPIRED);
        return Err(Failed { problem, followed: Some(followed) });
    }
    if link.codes >= MAX_CODES || link.starts >= MAX_STARTS {
        return Err(Failed { problem: exhausted(), followed: Some(followed) });
    }
    Ok(followed)
}

fn not_found() -> Box<Problem> {
    Problem::new(ProblemCode::LinkNotFound, texts::LINK_NOT_FOUND)
}

fn exhausted() -> Box<Problem> {
    Problem::new(ProblemCode::LinkExhausted, texts::LINK_EXHAUSTED)
}
