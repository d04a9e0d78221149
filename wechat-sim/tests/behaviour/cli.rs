//! The program `wechat-sim`: what it prints at the start, and what it refuses.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;
use tokio::net::TcpStream;
use wechat_sim::{AuthorizationRules, EventOrder, msg_signature};

use crate::client::exchange;

const TOKEN: &str = "tokenofthistest";
const APPSECRET: &str = "appsecret-of-this-test-000000000";
const AES_KEY: &str = "ABCDEFGabcdefghijklmnopqrstuvwxyz0123456789";

/// A running `wechat-sim`, which ends with this value.
struct Program {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_wechat-sim"))
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout }
    }

    /// The lines up to the first empty one; nothing when the program ended.
    fn greeting(&mut self) -> String {
        let mut text = String::new();
        while self.stdout.read_line(&mut text).unwrap() > 1 {}
        text
    }

    /// Ends the program. What it wrote to stderr, and whether it ended by itself as a failure.
    fn end(mut self) -> (String, bool) {
        self.child.kill().unwrap();
        let failed = self.child.wait().unwrap().code() == Some(1);
        let mut stderr = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        (stderr, failed)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended already when the test called `end`.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection to the program that printed this greeting.
async fn connect(greeting: &str) -> TcpStream {
    let listen = greeting.lines().next().unwrap().rsplit_once("http://").unwrap().1;
    TcpStream::connect(listen).await.unwrap()
}

fn secret_file(folder: &Path, name: &str, secret: &str) -> String {
    let file = folder.join(name);
    std::fs::write(&file, format!("{secret}\n")).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn a_callback_url_that_is_not_http_is_refused_at_the_start() {
    for url in ["ftp://x", "https://", "callback.example.com", "/wechat/callback"] {
        let mut program = Program::start(&["--callback-url", url]);
        assert_eq!(program.greeting(), "", "{url}: it started");
        let (stderr, failed) = program.end();
        assert!(failed, "{url}");
        assert!(stderr.contains("callback URL must begin with http:// or https://"), "{url}: {stderr}");
    }
}

#[tokio::test]
async fn secrets_come_from_files_and_are_not_printed() {
    let folder = std::env::temp_dir().join(format!("wechat-sim-secrets-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let token = secret_file(&folder, "token", TOKEN);
    let appsecret = secret_file(&folder, "appsecret", APPSECRET);
    let aes_key = secret_file(&folder, "aes_key", AES_KEY);
    let mut program = Program::start(&[
        "--push-token-file",
        &token,
        "--secret-file",
        &appsecret,
        "--aes-key-file",
        &aes_key,
    ]);
    let greeting = program.greeting();
    std::fs::remove_dir_all(&folder).unwrap();
    for secret in [TOKEN, APPSECRET, AES_KEY] {
        assert!(!greeting.contains(secret), "{greeting}");
    }

    let stream = connect(&greeting).await;
    let push = exchange(stream, "POST", "/_sim/push", "", r#"{"only_build":true}"#).await.unwrap().json();
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(push["query"].as_str().unwrap().as_bytes()).into_owned().collect();
    let value = |name: &str| query.iter().find(|(key, _)| key == name).unwrap().1.as_str();
    let signature = msg_signature(&[TOKEN, value("timestamp"), value("nonce")]);
    assert_eq!(value("signature"), signature);
    assert!(matches!(&push["body"], Value::String(body) if body.contains("<Encrypt>")));
}

#[test]
fn a_push_token_from_an_argument_is_not_printed() {
    let mut program = Program::start(&["--push-token", TOKEN]);
    let greeting = program.greeting();
    assert!(greeting.contains("push token") && !greeting.contains(TOKEN), "{greeting}");
}

#[test]
fn a_push_token_from_two_places_is_refused() {
    let mut program = Program::start(&["--push-token", TOKEN, "--push-token-file", "token.txt"]);
    assert_eq!(program.greeting(), "");
    assert!(program.end().0.contains("cannot be used with"));
}

/// What `GET /_sim/authorization` of a program with these arguments shows.
async fn authorization(arguments: &[&str]) -> Value {
    let mut program = Program::start(arguments);
    let stream = connect(&program.greeting()).await;
    exchange(stream, "GET", "/_sim/authorization", "", "").await.unwrap().json()
}

#[tokio::test]
async fn every_rule_of_the_authorization_pages_has_an_argument() {
    let usual = authorization(&[]).await;
    assert_eq!(usual["domain"], Value::Null);
    assert_eq!(usual["rules"], serde_json::to_value(AuthorizationRules::default()).unwrap());

    let changed = authorization(&[
        "--authorization-domain=www.example.com",
        "--not-administrator",
        "--test-list=gh_51a000000001;gh_51a000000003",
        "--permission-sets=1,18",
        "--consent-uses-code",
        "--mobile-checks-referer",
        "--mobile-in-any-browser",
        "--mobile-keeps-ampersand",
        "--auth-code-expires-in=3600",
        "--one-auth-code",
        "--event-order=twice",
        "--event-delay-ms=5",
    ])
    .await;
    assert_eq!(changed["domain"], "www.example.com");
    let rules = AuthorizationRules {
        accounts: AuthorizationRules::default().accounts,
        administrator: false,
        permission_sets: vec![1, 18],
        test_list: Some(vec!["gh_51a000000001".to_owned(), "gh_51a000000003".to_owned()]),
        scan_uses_code: false,
        mobile_checks_referer: true,
        mobile_requires_wechat: false,
        mobile_escapes_ampersand: false,
        auth_code_expires_in: 3600,
        one_auth_code: true,
        event_order: EventOrder::Twice,
        event_delay_ms: 5,
    };
    assert_eq!(changed["rules"], serde_json::to_value(rules).unwrap());
}

#[test]
fn an_unknown_event_order_is_refused() {
    let mut program = Program::start(&["--event-order", "never"]);
    assert_eq!(program.greeting(), "");
    assert!(program.end().0.contains("not before, after or twice"));
}
