//! A built binary under `cargo lambda watch`, which invokes it as Lambda does.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::process::{Process, free_port, tool, wait_for_port};

/// The function's name in the emulator.
const NAME: &str = "_";

/// A running function.
pub struct Function {
    emulator_url: String,
    port: u16,
    pub process: Process,
    _emulator: Process,
}

/// The result of an invocation.
#[derive(Debug)]
pub struct Invoked {
    /// Whether it is a function error.
    pub failed: bool,
    pub payload: Value,
}

impl Function {
    /// Starts the binary at `path` with these environment variables and no others.
    pub fn start(path: &str, env: &[(String, String)]) -> Self {
        let port = free_port();
        let mut watch = Command::new(tool("cargo-lambda"));
        watch.args(["lambda", "watch", "-A", "127.0.0.1", "-P", &port.to_string()]);
        watch.args(["--only-lambda-apis", "--disable-cors", "--quiet"]);
        let mut emulator = Process::start("emulator", &mut watch);
        wait_for_port(port, &mut emulator);
        let mut function = Command::new(path);
        function
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", format!("http://127.0.0.1:{port}/.rt"))
            .env("AWS_LAMBDA_FUNCTION_NAME", NAME)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_LOG_LEVEL", "TRACE")
            .envs(env.iter().cloned());
        let name = Path::new(path).file_name().unwrap().to_str().unwrap();
        let process = Process::start(name, &mut function);
        Self { emulator_url: format!("http://127.0.0.1:{port}"), port, process, _emulator: emulator }
    }

    /// Where the emulator serves Lambda's Invoke API.
    pub fn url(&self) -> &str {
        &self.emulator_url
    }

    /// Invokes the function with a payload, as Lambda's Invoke API does.
    pub async fn invoke(&self, payload: &str) -> Invoked {
        let url = format!("{}/2015-03-31/functions/{NAME}/invocations", self.emulator_url);
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(wechat_preauth::tls::TrustRoots::default().client_config())
            .timeout(Duration::from_secs(60))
            .no_proxy()
            .build()
            .unwrap();
        let answer = client.post(url).body(payload.to_owned()).send().await.unwrap();
        let failed = !answer.status().is_success();
        let text = answer.text().await.unwrap();
        let payload =
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text:?}; {}", self.process.output()));
        Invoked { failed, payload }
    }

    /// Invokes the function with a file of `events/` through `cargo lambda invoke`.
    pub fn invoke_file(&self, event: &str) -> Result<Value, String> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("events").join(event);
        let output = Command::new(tool("cargo-lambda"))
            .args(["lambda", "invoke", NAME, "-A", "127.0.0.1", "-P", &self.port.to_string()])
            .arg("--data-file")
            .arg(file)
            .output()
            .unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        if output.status.success() {
            Ok(serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stdout:?}")))
        } else {
            Err(String::from_utf8(output.stderr).unwrap() + &stdout)
        }
    }
}
