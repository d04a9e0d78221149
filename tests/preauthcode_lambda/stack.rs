//! What the function works with: the simulator, the table and the secret.

use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use wechat_preauth::platform::clock::rfc3339;
use wechat_preauth::platform::{Clock as _, SystemClock};
use wechat_sim::{Endpoint, Sim, SimConfig};

use crate::support::lambda::Function;
use crate::support::moto::Moto;

pub struct LambdaStack {
    pub wechat: Sim,
    pub moto: Arc<Moto>,
    table: String,
    secret: String,
}

impl LambdaStack {
    /// A filled secret, and a table with a ticket.
    pub async fn new() -> Self {
        crate::support::logs::start();
        let wechat = Sim::start(SimConfig::default()).await.unwrap();
        let moto = Moto::shared();
        let (secret, table) = moto.create_component(&wechat).await;
        Self { wechat, moto, table, secret }
    }

    fn env(&self, changes: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut env = self.moto.env();
        let wechat = self.wechat.url();
        let own = [
            ("CREDENTIALS_SECRET_ID", self.secret.as_str()),
            ("STATE_TABLE", &self.table),
            ("MINTING", "on"),
            ("WECHAT_API_HOSTS", &wechat),
            ("EGRESS_IPS", "127.0.0.1"),
        ];
        env.extend(own.iter().chain(changes).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        env
    }

    pub fn function(&self) -> Function {
        self.function_with(&[])
    }

    /// The function with these environment variables changed.
    pub fn function_with(&self, changes: &[(&str, &str)]) -> Function {
        Function::start(env!("CARGO_BIN_EXE_preauthcode"), &self.env(changes))
    }

    /// The last code that WeChat issued.
    pub fn last_code(&self) -> String {
        let requests = self.wechat.requests();
        let last = requests.iter().rev().find(|request| request.api == Endpoint::CreatePreAuthCode).unwrap();
        let answer: Value = serde_json::from_str(&last.answer).unwrap();
        answer["pre_auth_code"].as_str().unwrap().to_owned()
    }

    /// The whole answer with the last code, which was requested at `asked_at` or later.
    pub fn expected(&self, asked_at: i64, answer: &Value, reference: Option<&str>) -> Value {
        let code = self.last_code();
        let fingerprint: String =
            Sha256::digest(code.as_bytes()).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        let possible: Vec<String> = (asked_at..=SystemClock.now()).map(|at| rfc3339(at + 1800)).collect();
        let expires_at = answer["expires_at"].as_str().unwrap().to_owned();
        assert!(possible.contains(&expires_at), "{expires_at} is none of {possible:?}");
        let mut expected = json!({
            "component_appid": self.wechat.config().component_appid,
            "pre_auth_code": code,
            "expires_in": 1800,
            "expires_at": expires_at,
            "code_fingerprint": fingerprint,
        });
        if let Some(reference) = reference {
            expected["reference"] = json!(reference);
        }
        expected
    }
}

/// The status, the headers and the body of an answer for API Gateway.
pub fn http(answer: &Value) -> (u64, Value, Value) {
    let headers = match &answer["multiValueHeaders"] {
        Value::Object(headers) if !headers.is_empty() => {
            headers.iter().map(|(name, values)| (name.clone(), values[0].clone())).collect()
        }
        _ => answer["headers"].as_object().unwrap().clone(),
    };
    let body = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    (answer["statusCode"].as_u64().unwrap(), Value::Object(headers), body)
}
