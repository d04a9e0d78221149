//! What Lambda's environment says to the AWS SDK: region, credentials, endpoints.
//!
//! The SDK's own reader also looks for profiles, web identities, containers and instance metadata. A function has none of
//! these, and the code that looks for them makes its start slower.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::sdk_config::Builder;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The configuration, without what this service decides itself.
pub(super) fn sdk_config() -> Builder {
    read(&variable)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn read(variable: Variables<'_>) -> Builder {
    let is_true = |name| variable(name).map(|value| value.eq_ignore_ascii_case("true"));
    let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
    let mut builder = SdkConfig::builder().service_config(OfOneService);
    builder
        .set_region(region.map(Region::new))
        .set_credentials_provider(credentials(variable).map(SharedCredentialsProvider::new))
        .set_endpoint_url(variable("AWS_ENDPOINT_URL"))
        .set_use_fips(is_true("AWS_USE_FIPS_ENDPOINT"))
        .set_use_dual_stack(is_true("AWS_USE_DUALSTACK_ENDPOINT"));
    builder
}

/// The role's credentials. Lambda sets them once: an environment does not outlive them.
fn credentials(variable: Variables<'_>) -> Option<Credentials> {
    let (id, key) = (variable("AWS_ACCESS_KEY_ID")?, variable("AWS_SECRET_ACCESS_KEY")?);
    Some(Credentials::new(id, key, variable("AWS_SESSION_TOKEN"), None, "environment"))
}

/// The variables of one service, such as `AWS_ENDPOINT_URL_DYNAMODB`.
#[derive(Debug)]
struct OfOneService;

impl LoadServiceConfig for OfOneService {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        variable(&name_of(&key))
    }
}

fn name_of(key: &ServiceConfigKey<'_>) -> String {
    format!("{}_{}", key.env(), key.service_id().replace(' ', "_").to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use aws_credential_types::provider::ProvideCredentials as _;

    use super::*;

    #[tokio::test]
    async fn lambdas_environment_is_read() {
        let config = read(&|name| {
            let value = match name {
                "AWS_REGION" => "cn-north-1",
                "AWS_ACCESS_KEY_ID" => "AKIAEXAMPLE",
                "AWS_SECRET_ACCESS_KEY" => "s3cret",
                "AWS_SESSION_TOKEN" => "t0ken",
                "AWS_ENDPOINT_URL" => "http://127.0.0.1:4566",
                "AWS_USE_FIPS_ENDPOINT" => "TRUE",
                _ => return None,
            };
            Some(value.to_owned())
        })
        .build();
        assert_eq!(config.region().map(AsRef::as_ref), Some("cn-north-1"));
        assert_eq!(config.endpoint_url(), Some("http://127.0.0.1:4566"));
        assert_eq!((config.use_fips(), config.use_dual_stack()), (Some(true), None));
        let credentials = config.credentials_provider().unwrap().provide_credentials().await.unwrap();
        assert_eq!(
            (credentials.access_key_id(), credentials.secret_access_key(), credentials.session_token()),
            ("AKIAEXAMPLE", "s3cret", Some("t0ken"))
        );
        assert!(!format!("{credentials:?}").contains("s3cret"));
    }

    #[test]
    fn nothing_is_made_up() {
        let config = read(&|name| (name == "AWS_DEFAULT_REGION").then(|| "eu-west-1".to_owned())).build();
        assert_eq!(config.region().map(AsRef::as_ref), Some("eu-west-1"));
        assert!(config.credentials_provider().is_none() && config.endpoint_url().is_none());
    }

    #[test]
    fn each_service_may_have_an_endpoint_of_its_own() {
        for (service_id, name) in [
            ("DynamoDB", "AWS_ENDPOINT_URL_DYNAMODB"),
            ("Secrets Manager", "AWS_ENDPOINT_URL_SECRETS_MANAGER"),
            ("EventBridge", "AWS_ENDPOINT_URL_EVENTBRIDGE"),
            ("Lambda", "AWS_ENDPOINT_URL_LAMBDA"),
        ] {
            let key = ServiceConfigKey::builder().service_id(service_id).profile("endpoint_url");
            let key = key.env("AWS_ENDPOINT_URL").build().unwrap();
            assert_eq!(name_of(&key), name);
        }
    }
}
