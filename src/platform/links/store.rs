//! What is kept of an authorization link and of the codes that were taken through it.

use async_trait::async_trait;

use crate::platform::authorization_urls::Authorization;
use crate::platform::state::StateError;

/// Codes that one link may take. A merchant needs one or two; the rest bounds what a leaked link costs.
pub const MAX_CODES: u32 = 20;

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
    /// The codes taken so far.
    pub codes: u32,
}

/// The item `code#<code_fingerprint>`: which link a code was taken through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeOrigin {
    /// The link's name.
    pub link_id: String,
    /// The link's `reference`.
    pub reference: Option<String>,
    /// The link's `state`.
    pub state: Option<String>,
}

/// What came of counting a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counted {
    /// It was counted. This is the link after that.
    Yes(Link),
    /// The link has ended or has taken its codes, and this is it; or there is none.
    No(Option<Link>),
}

/// The links. An item disappears some time after `delete_at`.
#[async_trait]
pub trait LinkStore: Send + Sync {
    /// Keeps a new link.
    async fn create_link(&self, link_id: &str, link: &Link, delete_at: i64) -> Result<(), StateError>;

    /// The link, also when it has ended.
    async fn link(&self, link_id: &str) -> Result<Option<Link>, StateError>;

    /// Counts one more code of a link that has not ended at `now` and has taken fewer than [`MAX_CODES`]. A repeated
    /// write may count one code twice.
    async fn count_code(&self, link_id: &str, now: i64) -> Result<Counted, StateError>;

    /// Takes back one count, since no code was taken.
    async fn uncount_code(&self, link_id: &str) -> Result<(), StateError>;

    /// Notes that a merchant came back with the authorization code of this fingerprint. `false`: that was noted
    /// before, or as many were noted as a link may take codes.
    async fn note_return(&self, link_id: &str, auth_code_fingerprint: &str) -> Result<bool, StateError>;

    /// Keeps which link a code was taken through.
    async fn put_code_origin(
        &self,
        code_fingerprint: &str,
        origin: &CodeOrigin,
        delete_at: i64,
    ) -> Result<(), StateError>;

    /// The link that a code was taken through.
    async fn code_origin(&self, code_fingerprint: &str) -> Result<Option<CodeOrigin>, StateError>;
}
