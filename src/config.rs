//! The environment variables, read once at start. A wrong value stops the function with a message
//! that names the variable and what it allows.

use std::path::PathBuf;

use crate::platform::EgressIps;
use crate::wechat::ApiHosts;

/// A variable is missing or wrong.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {problem}")]
pub struct ConfigError {
    variable: &'static str,
    problem: String,
}

/// What the functions that call WeChat need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `CREDENTIALS_SECRET_ID`: name or ARN of the secret.
    pub credentials_secret_id: String,
    /// `STATE_TABLE`: name of the table.
    pub state_table: String,
    /// `MINTING`: `on`, or `off` while the token comes from elsewhere.
    pub minting: bool,
    /// `WECHAT_API_HOSTS`: origins in order of preference.
    pub wechat_api_hosts: ApiHosts,
    /// `EGRESS_IPS`: the addresses that WeChat should see.
    pub egress_ips: EgressIps,
    /// `TLS_EXTRA_CA_FILE`: a PEM to trust as well.
    pub tls_extra_ca_file: Option<PathBuf>,
    /// `METRICS_NAMESPACE`.
    pub metrics_namespace: String,
    /// `SERVICE_NAME`: the one dimension of all metrics, the stack's name.
    pub service_name: String,
}

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// Names the first variable that is missing or wrong.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(|name| std::env::var(name).ok())
    }

    /// Reads variables from `get`. An empty value counts as none.
    ///
    /// # Errors
    /// Names the first variable that is missing or wrong.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let variables = Variables(&get);
        let get = |name| variables.get(name);
        let wrong = |variable, problem: String| ConfigError { variable, problem };
        Ok(Self {
            credentials_secret_id: variables.credentials_secret_id()?,
            state_table: variables.state_table()?,
            minting: match variables.required("MINTING", "on or off")?.as_str() {
                "on" => true,
                "off" => false,
                other => return Err(wrong("MINTING", format!("must be on or off, not {other:?}"))),
            },
            wechat_api_hosts: ApiHosts::parse(
                &get("WECHAT_API_HOSTS").unwrap_or_else(|| ApiHosts::DEFAULT.to_owned()),
            )
            .map_err(|error| wrong("WECHAT_API_HOSTS", error.to_string()))?,
            egress_ips: EgressIps::parse(&get("EGRESS_IPS").unwrap_or_default()).map_err(|entry| {
                wrong(
                    "EGRESS_IPS",
                    format!("{entry:?} is not an IPv4 address; separate addresses with commas"),
                )
            })?,
            tls_extra_ca_file: variables.tls_extra_ca_file(),
            metrics_namespace: variables.metrics_namespace(),
            service_name: variables.service_name(),
        })
    }
}

/// What the callback needs. It never calls WeChat, so there is nothing of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackConfig {
    /// `CREDENTIALS_SECRET_ID`: name or ARN of the secret.
    pub credentials_secret_id: String,
    /// `STATE_TABLE`: name of the table.
    pub state_table: String,
    /// `EVENT_BUS_NAME`: name or ARN of the bus.
    pub event_bus_name: String,
    /// `TLS_EXTRA_CA_FILE`: a PEM to trust as well.
    pub tls_extra_ca_file: Option<PathBuf>,
    /// `METRICS_NAMESPACE`.
    pub metrics_namespace: String,
    /// `SERVICE_NAME`: the one dimension of all metrics, the stack's name.
    pub service_name: String,
}

impl CallbackConfig {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// Names the first variable that is missing or wrong.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(|name| std::env::var(name).ok())
    }

    /// Reads variables from `get`. An empty value counts as none.
    ///
    /// # Errors
    /// Names the first variable that is missing or wrong.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let variables = Variables(&get);
        Ok(Self {
            credentials_secret_id: variables.credentials_secret_id()?,
            state_table: variables.state_table()?,
            event_bus_name: variables
                .required("EVENT_BUS_NAME", "the name or ARN of the EventBridge bus for WeChat's events")?,
            tls_extra_ca_file: variables.tls_extra_ca_file(),
            metrics_namespace: variables.metrics_namespace(),
            service_name: variables.service_name(),
        })
    }
}

/// The variables that several functions need, read in one way.
struct Variables<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Variables<'_> {
    fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.trim().is_empty())
    }

    fn required(&self, variable: &'static str, what: &str) -> Result<String, ConfigError> {
        self.get(variable).ok_or_else(|| ConfigError { variable, problem: format!("must be set: {what}") })
    }

    fn credentials_secret_id(&self) -> Result<String, ConfigError> {
        self.required(
            "CREDENTIALS_SECRET_ID",
            "the name or ARN of the secret with the component's credentials",
        )
    }

    fn state_table(&self) -> Result<String, ConfigError> {
        self.required("STATE_TABLE", "the name of the DynamoDB table")
    }

    fn tls_extra_ca_file(&self) -> Option<PathBuf> {
        self.get("TLS_EXTRA_CA_FILE").map(PathBuf::from)
    }

    fn metrics_namespace(&self) -> String {
        self.get("METRICS_NAMESPACE").unwrap_or_else(|| "WechatPreauth".to_owned())
    }

    fn service_name(&self) -> String {
        self.get("SERVICE_NAME").unwrap_or_else(|| "wechat-preauth".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(changes: &[(&str, &str)]) -> Result<Config, String> {
        let base = [("CREDENTIALS_SECRET_ID", "s"), ("STATE_TABLE", "t"), ("MINTING", "on")];
        Config::read(|name| {
            let found = changes.iter().chain(&base).find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
        .map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_fill_what_is_not_set() {
        let config = read(&[("METRICS_NAMESPACE", " ")]).unwrap();
        assert!(config.minting);
        assert_eq!(config.wechat_api_hosts, ApiHosts::parse(ApiHosts::DEFAULT).unwrap());
        assert_eq!(config.metrics_namespace, "WechatPreauth");
        assert_eq!(config.egress_ips, EgressIps::default());
    }

    #[test]
    fn the_callback_needs_a_bus_and_nothing_of_wechats_api() {
        let read = |bus: &str| {
            CallbackConfig::read(|name| match name {
                "CREDENTIALS_SECRET_ID" | "STATE_TABLE" => Some("x".to_owned()),
                "EVENT_BUS_NAME" => Some(bus.to_owned()),
                _ => None,
            })
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
