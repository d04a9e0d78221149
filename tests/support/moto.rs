//! moto's server: Secrets Manager, DynamoDB, EventBridge and SQS over their wire protocols.

use std::process::Command;
use std::sync::{Arc, Mutex, Weak};

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_types::SdkConfig;
use serde_json::json;
use uuid::Uuid;
use wechat_preauth::aws::DynamoDbState;
use wechat_preauth::aws::http;
use wechat_preauth::platform::{Clock as _, SystemClock, Ticket, TicketStore as _};
use wechat_preauth::tls::TrustRoots;
use wechat_sim::Sim;

use super::process::{Process, free_port, tool, wait_for_port};

pub const REGION: &str = "cn-north-1";

pub struct Moto {
    _process: Mutex<Process>,
    pub url: String,
}

static SHARED: Mutex<Weak<Moto>> = Mutex::new(Weak::new());

impl Moto {
    /// The server that all tests of this process share. It stops when the last of them ends.
    pub fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(running) = shared.upgrade() {
            return running;
        }
        let started = Arc::new(Self::start());
        *shared = Arc::downgrade(&started);
        started
    }

    fn start() -> Self {
        let port = free_port();
        let mut command = Command::new(tool("python"));
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/moto_server.py")).arg(port.to_string());
        let mut process = Process::start("moto", &mut command);
        wait_for_port(port, &mut process);
        Self { _process: Mutex::new(process), url: format!("http://127.0.0.1:{port}") }
    }

    /// What the AWS SDK needs to talk to this server.
    pub fn sdk_config(&self) -> SdkConfig {
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static(REGION))
            .endpoint_url(&self.url)
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "test", "test", None, None, "test",
            )))
            .http_client(http::http_client(&TrustRoots::default()).unwrap())
            .build()
    }

    /// The same as environment variables, for a process.
    pub fn env(&self) -> Vec<(String, String)> {
        [
            ("AWS_ENDPOINT_URL", self.url.as_str()),
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.sdk_config())
    }

    pub fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.sdk_config())
    }

    /// Creates a state table, and returns its name.
    pub async fn create_table(&self) -> String {
        let name = format!("state-{}", Uuid::new_v4());
        self.create_table_named(&name).await;
        name
    }

    pub async fn create_table_named(&self, name: &str) {
        self.dynamodb()
            .create_table()
            .table_name(name)
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(
                AttributeDefinition::builder()
                    .attribute_name("pk")
                    .attribute_type(ScalarAttributeType::S)
                    .build()
                    .unwrap(),
            )
            .key_schema(
                KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash).build().unwrap(),
            )
            .send()
            .await
            .unwrap();
    }

    /// Creates a secret with this value, or without one, and returns its name.
    pub async fn create_secret(&self, value: Option<&str>) -> String {
        let name = format!("credentials-{}", Uuid::new_v4());
        let request = self.secrets_manager().create_secret().name(&name);
        request.set_secret_string(value.map(str::to_owned)).send().await.unwrap();
        name
    }

    /// Creates a secret for the component of this WeChat, and a table with a ticket that has just arrived. Returns both
    /// names.
    pub async fn create_component(&self, wechat: &Sim) -> (String, String) {
        let config = wechat.config();
        let credentials = json!({
            "component_appid": config.component_appid,
            "component_appsecret": config.component_appsecret,
        });
        let secret = self.create_secret(Some(&credentials.to_string())).await;
        let table = self.create_table().await;
        let now = SystemClock.now();
        let ticket = Ticket { value: wechat.issue_ticket().into(), create_time: now, received_at: now };
        let state = DynamoDbState::new(self.dynamodb(), table.clone());
        state.put_ticket(&config.component_appid, &ticket).await.unwrap();
        (secret, table)
    }
}
