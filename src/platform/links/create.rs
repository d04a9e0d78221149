//! Makes a link.

use serde::Serialize;

use super::id::LinkId;
use super::services::LinkServices;
use super::store::Link;
use crate::platform::authorization_urls::Authorization;
use crate::platform::clock::rfc3339;
use crate::platform::problem::{Problem, ProblemCode, Result};

/// How long an item stays after its link has ended, in seconds: a merchant who started just before needs it to come
/// back.
const KEPT_AFTER_END: i64 = 2 * 3600;

/// What an owner asks for. Checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRequest {
    /// What the merchant is asked for.
    pub authorization: Authorization,
    /// The owner's own text, which is in the event and in the log.
    pub reference: Option<String>,
    /// The owner's own text, which is in the event and comes back with the merchant.
    pub state: Option<String>,
    /// Where the merchant goes at the end.
    pub return_url: Option<String>,
    /// The link's life in seconds.
    pub expires_in: i64,
}

/// A link, as the owner gets it.
#[derive(Debug, Clone, Serialize)]
pub struct CreatedLink {
    /// The address to send to the merchant. Whoever has it may start an authorization.
    pub url: String,
    /// Names the link in events and logs. It opens nothing.
    pub link_id: String,
    /// When the link ends, in UTC.
    pub expires_at: String,
}

/// Makes a link. No code is taken.
///
/// # Errors
/// `State.Unavailable` when it cannot be kept.
pub async fn create_link(services: &LinkServices, request: LinkRequest) -> Result<CreatedLink> {
    let id = LinkId::new().map_err(|_| Problem::new(ProblemCode::Internal, ProblemCode::Internal.title()))?;
    let (now, link_id) = (services.clock.now(), id.link_id());
    let expires_at = now.saturating_add(request.expires_in);
    let LinkRequest { authorization, reference, state, return_url, .. } = request;
    let link = Link {
        authorization,
        reference,
        state,
        return_url,
        created_at: now,
        expires_at,
        starts: 0,
        codes: 0,
    };
    services.links.create_link(&link_id, &link, expires_at.saturating_add(KEPT_AFTER_END)).await?;
    Ok(CreatedLink { url: services.origin.launch_url(&id), link_id, expires_at: rfc3339(expires_at) })
}
