//! The start of the merchant's pages, which call AWS only and read no secret.

use std::sync::Arc;

use super::{StartError, metrics, roots, state};
use crate::api::pages::Site;
use crate::aws::functions::INVOCATION_TIMEOUT;
use crate::aws::{Aws, LambdaFunction};
use crate::config::AuthorizeConfig;
use crate::platform::SystemClock;
use crate::platform::links::LinkServices;

/// Builds what the pages work with.
///
/// # Errors
/// When TLS cannot be set up, or the extra CA file is unusable.
pub async fn services(config: &AuthorizeConfig) -> Result<LinkServices, StartError> {
    let aws = Aws::from_env(&roots(&config.common)?).await?;
    let function = LambdaFunction::new(aws.lambda(INVOCATION_TIMEOUT), config.preauthcode_function.clone());
    Ok(LinkServices {
        clock: Arc::new(SystemClock),
        links: state(&aws, &config.common),
        codes: Arc::new(function),
        origin: config.pages_origin.clone(),
        metrics: metrics(&config.common),
    })
}

/// What the pages show.
pub fn site(config: &AuthorizeConfig) -> Site {
    let origins = [config.page_origins.pc.as_str(), config.page_origins.mobile.as_str()];
    Site::new(config.pages_origin.as_str(), config.platform_name.as_deref(), origins)
}
