//! What the function works with: the simulator, which encrypts the pushes, the table, the secret, and the bus with a
//! rule and a queue.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_eventbridge::types::Target;
use serde_json::{Value, json};
use wechat_preauth::aws::DynamoDbState;
use wechat_preauth::platform::TicketStore as _;
use wechat_sim::{BuiltPush, Push, Sim, SimConfig};

use crate::support::lambda::Function;
use crate::support::moto::{Moto, REGION};

pub struct LambdaStack {
    pub moto: Arc<Moto>,
    pub sim: Sim,
    pub table: String,
    pub bus: String,
    secret: String,
    queue_url: String,
}

/// A push as an event of an API, and as the event of a direct invocation.
pub struct Arriving {
    pub http: Value,
    pub direct: Value,
    built: BuiltPush,
}

impl Arriving {
    /// The text of a field of the message, as it was before encryption.
    pub fn field(&self, name: &str) -> String {
        let (open, close) = (format!("<{name}><![CDATA["), format!("]]></{name}>"));
        let (_, rest) = self.built.message.split_once(&open).unwrap();
        rest.split_once(&close).unwrap().0.to_owned()
    }

    pub fn query_values(&self, names: &[&str]) -> Vec<String> {
        let wanted = self.built.query.iter().filter(|(name, _)| names.contains(&name.as_str()));
        wanted.map(|(_, value)| value.clone()).collect()
    }
}

impl LambdaStack {
    pub async fn new() -> Self {
        let sim = Sim::start(SimConfig::default()).await.unwrap();
        let moto = Moto::shared();
        let config = sim.config();
        let secret = json!({
            "component_appid": config.component_appid,
            "component_appsecret": config.component_appsecret,
            "push_keys": [{ "token": config.push_token, "encoding_aes_key": config.encoding_aes_key }],
        });
        let secret = moto.create_secret(Some(&secret.to_string())).await;
        let table = moto.create_table().await;
        let name = format!("wechat-{}", uuid::Uuid::new_v4());
        let queue_url = create_queue(&moto, &name).await;
        create_bus(&moto, &name).await;
        Self { moto, sim, table, bus: name, secret, queue_url }
    }

    /// Starts the function with these additional environment variables.
    pub fn start(&self, more: &[(&str, &str)]) -> Function {
        let mut env = self.moto.env();
        let own = [
            ("CREDENTIALS_SECRET_ID", self.secret.as_str()),
            ("STATE_TABLE", &self.table),
            ("EVENT_BUS_NAME", &self.bus),
        ];
        env.extend(own.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Function::start(env!("CARGO_BIN_EXE_callback"), &env)
    }

    pub fn push(&self, push: &Push) -> Arriving {
        let built = self.sim.build_push(push).unwrap();
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/events/callback-ticket-http-api.json");
        let mut http: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        http["rawQueryString"] = built.query_string().into();
        http["body"] = built.body.clone().into();
        http["isBase64Encoded"] = false.into();
        let query: serde_json::Map<_, _> =
            built.query.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        Arriving { http, direct: json!({ "query": query, "body": built.body }), built }
    }

    /// The stored ticket: value, `create_time`, `received_at`.
    pub async fn ticket(&self) -> Option<(String, i64, i64)> {
        use secrecy::ExposeSecret as _;
        let state = DynamoDbState::new(self.moto.dynamodb(), self.table.clone());
        let item = state.ticket_item(&self.sim.config().component_appid).await.unwrap();
        item.ticket.map(|t| (t.value.expose_secret().to_owned(), t.create_time, t.received_at))
    }

    /// The events that a consumer of the bus received: this many.
    pub async fn received(&self, count: usize) -> Vec<Value> {
        let mut events = Vec::new();
        let deadline = Instant::now() + Duration::from_secs(20);
        while events.len() < count && Instant::now() < deadline {
            let request =
                json!({ "QueueUrl": self.queue_url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1 });
            let answer = sqs(&self.moto, "ReceiveMessage", &request).await;
            let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
            events.extend(
                messages
                    .iter()
                    .map(|message| serde_json::from_str::<Value>(message["Body"].as_str().unwrap()).unwrap()),
            );
        }
        assert_eq!(events.len(), count, "{events:?}");
        events
    }
}

async fn create_queue(moto: &Moto, name: &str) -> String {
    let created = sqs(moto, "CreateQueue", &json!({ "QueueName": name })).await;
    created["QueueUrl"].as_str().unwrap().to_owned()
}

/// A bus. All events of the service's source go to the queue of the same name.
async fn create_bus(moto: &Moto, name: &str) {
    let bridge = aws_sdk_eventbridge::Client::new(&moto.sdk_config());
    bridge.create_event_bus().name(name).send().await.unwrap();
    let pattern = json!({ "source": ["wechat.component"] }).to_string();
    bridge.put_rule().name(name).event_bus_name(name).event_pattern(pattern).send().await.unwrap();
    let arn = format!("arn:aws-cn:sqs:{REGION}:123456789012:{name}");
    let target = Target::builder().id("queue").arn(arn).build().unwrap();
    bridge.put_targets().rule(name).event_bus_name(name).targets(target).send().await.unwrap();
}

/// One call of SQS. The SDK would take long to compile for two calls.
async fn sqs(moto: &Moto, action: &str, request: &Value) -> Value {
    let scope = format!("Credential=test/20261122/{REGION}/sqs/aws4_request");
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(wechat_preauth::tls::TrustRoots::default().client_config())
        .no_proxy()
        .build()
        .unwrap();
    let answer = client
        .post(&moto.url)
        .header("authorization", format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"))
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", format!("AmazonSQS.{action}"))
        .body(request.to_string())
        .send()
        .await
        .unwrap();
    assert!(answer.status().is_success(), "{action}: {answer:?}");
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

/// The status, the content type and the body that API Gateway would answer with.
pub async fn answered(function: &Function, event: &Value) -> (i64, String, String) {
    let invoked = function.invoke(&event.to_string()).await;
    assert!(!invoked.failed, "{invoked:?}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let payload = invoked.payload;
    let status = payload["statusCode"].as_i64().unwrap();
    (status, text(&payload["headers"]["content-type"]), text(&payload["body"]))
}

/// The status, and `success` or the problem's code. The answer of a 5xx has no code: then it is the one in the log.
pub async fn outcome(function: &Function, event: &Value) -> (i64, String) {
    let (status, _, body) = answered(function, event).await;
    let Ok(problem) = serde_json::from_str::<Value>(&body) else { return (status, body) };
    if status < 500 {
        return (status, problem["code"].as_str().unwrap().to_owned());
    }
    let log = function.process.output();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let of_request = |line: &Value| line["request_id"] == problem["request_id"] && line["code"].is_string();
    let line = lines.rev().find(of_request).unwrap_or_else(|| panic!("{problem} is not in {log}"));
    (status, line["code"].as_str().unwrap().to_owned())
}
