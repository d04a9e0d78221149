//! The start of the merchant's pages, which call AWS only and read no secret.

use std::sync::Arc;
use std::time::Duration;

use super::{StartError, metrics, roots, state, within};
use crate::api::pages::Site;
use crate::aws::functions::INVOCATION_TIMEOUT;
use crate::aws::{Aws, LambdaFunction};
use crate::config::AuthorizeConfig;
use crate::platform::SystemClock;
use crate::platform::links::LinkServices;

/// How long the function prepares its first visit.
const WARM_UP: Duration = Duration::from_secs(1);

/// Builds what the pages work with.
///
/// # Errors
/// When TLS cannot be set up, or the extra CA file is unusable.
pub fn services(config: &AuthorizeConfig) -> Result<LinkServices, StartError> {
    let aws = Aws::from_env(&roots(&config.common)?)?;
    let function = LambdaFunction::new(aws.lambda(INVOCATION_TIMEOUT), config.preauthcode_function.clone());
    Ok(LinkServices {
        clock: Arc::new(SystemClock),
        links: state(&aws, &config.common),
        codes: Arc::new(function),
        origin: config.pages_origin.clone(),
        metrics: metrics(&config.common),
    })
}

/// Connects to the table. A failure here stops nothing: the first visit tries again.
pub async fn warm_up(services: &LinkServices) {
    // There is no such link. The function's role may read links and nothing else.
    within(WARM_UP, services.links.link("warm-up")).await;
}

/// What the pages show.
pub fn site(config: &AuthorizeConfig) -> Site {
    let origins = [config.page_origins.pc.as_str(), config.page_origins.mobile.as_str()];
    Site::new(config.pages_origin.as_str(), config.platform_name.as_deref(), origins)
}
