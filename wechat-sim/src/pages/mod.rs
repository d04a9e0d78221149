//! The authorization pages for PCs and phones. The simulator stands in for the merchant's phone: after the PC page's
//! QR code the steps on the phone follow in the same browser.
//!
//! | module | for |
//! |---|---|
//! | `link` | the parameters of a link, and what WeChat checks before it shows anything |
//! | `redirect` | `redirect_uri`, and how the code is added to it |
//! | `scan` | the QR code, and the scan |
//! | `accounts` | the account list |
//! | `permissions` | the permission sets, 同意授权 and 取消 |
//! | `visit` | whether a merchant is still on the way |
//! | `texts` | WeChat's error texts |
//! | `html` | what the pages have in common |

mod accounts;
mod html;
mod link;
mod permissions;
mod redirect;
mod scan;
mod texts;
mod visit;

use std::sync::Arc;

use crate::Endpoint;
use crate::reply::{self, Reply};
use crate::request::SimRequest;
use crate::state::SimContext;

use html::problem_page;

/// Answers a request to one of the two pages.
pub(crate) async fn answer(context: &Arc<SimContext>, request: &SimRequest) -> Reply {
    let agreed = match (request.method.as_str(), request.query_value("uuid")) {
        ("GET", Some(id)) => step(context, request, &id),
        ("POST", Some(id)) => return permissions::decide(context, request, &id).await,
        ("GET", None) if request.api == Endpoint::AuthPagePc => scan::page(context, request),
        ("GET" | "POST", None) => scan::start(context, request),
        _ => return Reply::new(405, reply::TEXT, ""),
    };
    agreed.unwrap_or_else(|problem| problem_page(&problem))
}

/// A step after the scan: the account list, or the permission sets of the chosen account.
fn step(context: &SimContext, request: &SimRequest, id: &str) -> Result<Reply, String> {
    let visit = visit::open(context, id)?;
    match request.query_value("authorizer_appid") {
        None => accounts::page(context, request, id, &visit),
        Some(appid) => permissions::page(context, request, id, &visit, &appid),
    }
}
