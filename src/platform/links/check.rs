//! Whether the pages can work: the table answers, and the function `preauthcode` may be invoked.

use super::code::unavailable;
use super::services::LinkServices;
use crate::platform::check::Check;
use crate::platform::problem::{Problem, texts};

/// The check's name.
const PAGES: &str = "pages";

/// Looks an unknown link up, and asks whether `preauthcode` may be invoked. Never fails: what is wrong is in the check.
pub async fn check_pages(services: &LinkServices) -> Check {
    let (found, invoke) = tokio::join!(services.links.link(PAGES), services.codes.may_invoke());
    if let Err(error) = found {
        return failed(&Box::<Problem>::from(error), texts::STATE_UNAVAILABLE_REMEDY);
    }
    if let Err(error) = invoke {
        return failed(&unavailable(&error), texts::PAGES_REMEDY);
    }
    let detail = format!(
        "the table answers, preauthcode may be invoked; the pages are at {}",
        services.origin.as_str()
    );
    Check::ok(PAGES, detail).fact("origin", services.origin.as_str())
}

fn failed(problem: &Problem, remedy: texts::Text) -> Check {
    Check::failed(PAGES, &*problem.detail, remedy).fact("code", problem.code.as_str())
}
