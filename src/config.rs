//! The environment variables, read once at start. A wrong value stops the function with a message
//! that names the variable and what it allows.

use std::path::PathBuf;

use crate::platform::links::PagesOrigin;
use crate::platform::{EgressIps, WechatPages};
use crate::wechat::ApiHosts;

/// Longest name of a platform, in characters.
const MAX_PLATFORM_NAME_CHARS: usize = 40;

/// A variable is missing or wrong.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {problem}")]
pub struct ConfigError {
    variable: &'static str,
    problem: String,
}

/// What every function needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommonConfig {
    /// `STATE_TABLE`: name of the table.
    pub state_table: String,
    /// `TLS_EXTRA_CA_FILE`: a PEM file of certificates to trust as well.
    pub tls_extra_ca_file: Option<PathBuf>,
    /// `METRICS_NAMESPACE`.
    pub metrics_namespace: String,
    /// `SERVICE_NAME`: the one dimension of all metrics, the stack's name.
    pub service_name: String,
}

/// What the functions that call WeChat need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The variables of every function.
    pub common: CommonConfig,
    /// `CREDENTIALS_SECRET_ID`: name or ARN of the secret.
    pub credentials_secret_id: String,
    /// `MINTING`: `on`, or `off` while the token comes from elsewhere.
    pub minting: bool,
    /// `WECHAT_API_HOSTS`: origins in order of preference.
    pub wechat_api_hosts: ApiHosts,
    /// `EGRESS_IPS`: the addresses that WeChat should see.
    pub egress_ips: EgressIps,
    /// `AUTHORIZATION_PAGE_ORIGINS`: where WeChat's authorization pages are.
    pub page_origins: WechatPages,
}

/// What the callback needs. It never calls WeChat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackConfig {
    /// The variables of every function.
    pub common: CommonConfig,
    /// `CREDENTIALS_SECRET_ID`: name or ARN of the secret.
    pub credentials_secret_id: String,
    /// `EVENT_BUS_NAME`: name or ARN of the bus.
    pub event_bus_name: String,
}

/// What the merchant's pages need. They read no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizeConfig {
    /// The variables of every function.
    pub common: CommonConfig,
    /// `PREAUTHCODE_FUNCTION`: name or ARN of the function that issues codes, or of its alias.
    pub preauthcode_function: String,
    /// `PAGES_ORIGIN`: the origin of all addresses, which is the platform's 授权发起页域名.
    pub pages_origin: PagesOrigin,
    /// `PLATFORM_NAME`: the platform's name, which the pages show. `\u5e97` in it is the character of that number.
    pub platform_name: Option<String>,
    /// `AUTHORIZATION_PAGE_ORIGINS`: where WeChat's authorization pages are.
    pub page_origins: WechatPages,
}

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// Names the first variable that is missing or wrong.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(&Variables(&|name| std::env::var(name).ok()))
    }

    fn read(variables: &Variables<'_>) -> Result<Self, ConfigError> {
        let hosts = variables.or("WECHAT_API_HOSTS", ApiHosts::DEFAULT);
        Ok(Self {
            common: CommonConfig::read(variables)?,
            credentials_secret_id: secret_id(variables)?,
            minting: match variables.required("MINTING", "on or off")?.as_str() {
                "on" => true,
                "off" => false,
                other => return Err(wrong("MINTING", format!("must be on or off, not {other:?}"))),
            },
            wechat_api_hosts: ApiHosts::parse(&hosts)
                .map_err(|problem| wrong("WECHAT_API_HOSTS", problem))?,
            egress_ips: EgressIps::parse(&variables.or("EGRESS_IPS", "")).map_err(|entry| {
                let problem = format!("{entry:?} is not an IPv4 address; separate addresses with commas");
                wrong("EGRESS_IPS", problem)
            })?,
            page_origins: page_origins(variables)?,
        })
    }
}

impl CallbackConfig {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// Names the first variable that is missing or wrong.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(&Variables(&|name| std::env::var(name).ok()))
    }

    fn read(variables: &Variables<'_>) -> Result<Self, ConfigError> {
        let bus = "the name or ARN of the EventBridge bus for WeChat's events";
        Ok(Self {
            common: CommonConfig::read(variables)?,
            credentials_secret_id: secret_id(variables)?,
            event_bus_name: variables.required("EVENT_BUS_NAME", bus)?,
        })
    }
}

impl AuthorizeConfig {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// Names the first variable that is missing or wrong.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(&Variables(&|name| std::env::var(name).ok()))
    }

    fn read(variables: &Variables<'_>) -> Result<Self, ConfigError> {
        let function = "the name or ARN of the function preauthcode";
        let origin = variables.required("PAGES_ORIGIN", "an origin such as https://auth.example.com")?;
        let name = variables.get("PLATFORM_NAME").map(|name| unescape(&name)).transpose();
        let name = name.map_err(|problem| wrong("PLATFORM_NAME", problem.to_owned()))?;
        Ok(Self {
            common: CommonConfig::read(variables)?,
            preauthcode_function: variables.required("PREAUTHCODE_FUNCTION", function)?,
            pages_origin: PagesOrigin::parse(&origin).map_err(|problem| wrong("PAGES_ORIGIN", problem))?,
            platform_name: name,
            page_origins: page_origins(variables)?,
        })
    }
}

fn secret_id(variables: &Variables<'_>) -> Result<String, ConfigError> {
    let secret = "the name or ARN of the secret with the component's credentials";
    variables.required("CREDENTIALS_SECRET_ID", secret)
}

fn page_origins(variables: &Variables<'_>) -> Result<WechatPages, ConfigError> {
    const NAME: &str = "AUTHORIZATION_PAGE_ORIGINS";
    WechatPages::parse(&variables.or(NAME, WechatPages::DEFAULT)).map_err(|problem| wrong(NAME, problem))
}

/// A text with JSON's escapes, since CloudFormation keeps ASCII only. At most 40 characters.
fn unescape(text: &str) -> Result<String, &'static str> {
    let text: String =
        serde_json::from_str(&format!("\"{text}\"")).map_err(|_| "is not a text with JSON's escapes")?;
    match text.chars().count() <= MAX_PLATFORM_NAME_CHARS && !text.chars().any(char::is_control) {
        true => Ok(text),
        false => Err("must have at most 40 characters, and no control characters"),
    }
}

const fn wrong(variable: &'static str, problem: String) -> ConfigError {
    ConfigError { variable, problem }
}

impl CommonConfig {
    fn read(variables: &Variables<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            state_table: variables.required("STATE_TABLE", "the name of the DynamoDB table")?,
            tls_extra_ca_file: variables.get("TLS_EXTRA_CA_FILE").map(PathBuf::from),
            metrics_namespace: variables.or("METRICS_NAMESPACE", "WechatPreauth"),
            service_name: variables.or("SERVICE_NAME", "wechat-preauth"),
        })
    }
}

/// Where variables are read from. An empty value is the same as none.
struct Variables<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Variables<'_> {
    fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.trim().is_empty())
    }

    fn or(&self, name: &str, default: &str) -> String {
        self.get(name).unwrap_or_else(|| default.to_owned())
    }

    fn required(&self, variable: &'static str, what: &str) -> Result<String, ConfigError> {
        self.get(variable).ok_or_else(|| ConfigError { variable, problem: format!("must be set: {what}") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(changes: &[(&str, &str)]) -> Result<Config, String> {
        let base = [("CREDENTIALS_SECRET_ID", "s"), ("STATE_TABLE", "t"), ("MINTING", "on")];
        let get = |name: &str| {
            let found = changes.iter().chain(&base).find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Config::read(&Variables(&get)).map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_fill_what_is_not_set() {
        let config = read(&[("METRICS_NAMESPACE", " ")]).unwrap();
        assert!(config.minting);
        assert_eq!(config.wechat_api_hosts, ApiHosts::parse(ApiHosts::DEFAULT).unwrap());
        assert_eq!(config.common.metrics_namespace, "WechatPreauth");
        assert_eq!(config.egress_ips, EgressIps::default());
    }

    #[test]
    fn the_callback_needs_a_bus_and_nothing_of_wechats_api() {
        let read = |bus: &str| {
            CallbackConfig::read(&Variables(&|name| match name {
                "CREDENTIALS_SECRET_ID" | "STATE_TABLE" => Some("x".to_owned()),
                "EVENT_BUS_NAME" => Some(bus.to_owned()),
                _ => None,
            }))
        };
        assert_eq!(read("bus").unwrap().event_bus_name, "bus");
        assert_eq!(
            read(" ").unwrap_err().to_string(),
            "EVENT_BUS_NAME: must be set: the name or ARN of the EventBridge bus for WeChat's events"
        );
    }

    #[test]
    fn a_wrong_value_is_named_with_what_is_allowed() {
        for (variable, value, message) in [
            ("STATE_TABLE", "", "STATE_TABLE: must be set: the name of the DynamoDB table"),
            ("MINTING", "", "MINTING: must be set: on or off"),
            ("MINTING", "yes", r#"MINTING: must be on or off, not "yes""#),
            (
                "EGRESS_IPS",
                "203.0.113.7,x",
                r#"EGRESS_IPS: "x" is not an IPv4 address; separate addresses with commas"#,
            ),
            (
                "WECHAT_API_HOSTS",
                "http://example.com",
                r#"WECHAT_API_HOSTS: "http://example.com" must be https:// (http:// is only for a loopback address)"#,
            ),
        ] {
            assert_eq!(read(&[(variable, value)]).unwrap_err(), message);
        }
    }
}
