//! What is kept of an authorization link and of the codes that were taken through it.

use async_trait::async_trait;

use crate::platform::authorization_urls::Authorization;
use crate::platform::state::StateError;

/// Codes that one link may take. A merchant needs one or two; the rest bounds what a leaked link costs.
pub const MAX_CODES: usize = 20;

/// Starts of one link, those included that ended without a code: each one is an invocation of `preauthcode`.
pub const MAX_STARTS: u32 = 100;

/// The item `link#<link_id>`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Link {
    /// What the merchant is asked for.
    pub authorization: Authorization,
    /// The owner's own text. It is in the log.
    pub reference: Option<String>,
    /// The owner's own text, which comes back with the merchant and in the event. It is in no log.
    pub state: Option<String>,
    /// Where the merchant goes at the end.
    pub return_url: Option<String>,
    /// When it was made, in Unix seconds.
    pub created_at: i64,
    /// When it ends, in Unix seconds.
    pub expires_at: i64,
    /// How often it was started.
    pub starts: u32,
    /// The codes taken so far, and those that are being taken.
    pub codes: usize,
}

/// The item `code#<code_fingerprint>`: which link a code was taken through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeLink {
    /// The link's name.
    pub link_id: String,
    /// The link's `reference`.
    pub reference: Option<String>,
    /// The link's `state`.
    pub state: Option<String>,
}

/// What came of starting a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// It may take a code. This is the link after that.
    Yes(Link),
    /// The link has ended, or was started or has taken codes as often as it may; or there is none.
    No(Option<Link>),
}

/// What came of noting a return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noted {
    /// It is the first with this authorization code.
    First,
    /// There was one before.
    Again,
    /// There is no place for another note, so this may be either.
    Full,
}

/// The links. An item disappears some time after `delete_at`.
#[async_trait]
pub trait LinkStore: Send + Sync {
    /// Keeps a new link.
    async fn create_link(&self, link_id: &str, link: &Link, delete_at: i64) -> Result<(), StateError>;

    /// The link, also when it has ended.
    async fn link(&self, link_id: &str) -> Result<Option<Link>, StateError>;

    /// Counts a start, and takes the place of one code for it. `start` names it: a repeated call takes no second place.
    async fn start(&self, link_id: &str, start: &str, now: i64) -> Result<Started, StateError>;

    /// Gives the place of a start back, since no code was taken. May be repeated.
    async fn give_back(&self, link_id: &str, start: &str) -> Result<(), StateError>;

    /// Notes that a merchant came back with the authorization code of this fingerprint.
    async fn note_return(&self, link_id: &str, auth_code_fingerprint: &str) -> Result<Noted, StateError>;

    /// Keeps which link a code was taken through.
    async fn put_code_link(
        &self,
        code_fingerprint: &str,
        link: &CodeLink,
        delete_at: i64,
    ) -> Result<(), StateError>;

    /// The link that a code was taken through.
    async fn code_link(&self, code_fingerprint: &str) -> Result<Option<CodeLink>, StateError>;
}
