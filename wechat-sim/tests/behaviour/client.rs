//! A small HTTP client that shows every byte and every broken connection, and a receiver of pushes.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wechat_sim::{Endpoint, Sim, SimConfig};

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn errcode(&self) -> Option<i64> {
        self.json()["errcode"].as_i64()
    }

    pub fn errmsg(&self) -> String {
        self.json()["errmsg"].as_str().unwrap_or("").to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

/// One request on its own connection. The error says how the connection ended.
pub async fn request(sim: &Sim, method: &str, target: &str, headers: &str, body: &str) -> io::Result<Answer> {
    let stream = TcpStream::connect(sim.addr()).await?;
    exchange(stream, method, target, headers, body).await
}

pub async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    method: &str,
    target: &str,
    headers: &str,
    body: &str,
) -> io::Result<Answer> {
    let length = body.len();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: sim\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    parse(&String::from_utf8_lossy(&bytes))
}

fn parse(text: &str) -> io::Result<Answer> {
    let (head, body) = text.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
    let answer = Answer { status, head: head.to_owned(), body: body.to_owned() };
    let announced = answer.header("content-length").and_then(|length| length.parse().ok());
    if announced.is_some_and(|announced: usize| announced != answer.body.len()) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(answer)
}

pub async fn post(sim: &Sim, target: &str, body: &Value) -> Answer {
    request(sim, "POST", target, "Content-Type: application/json\r\n", &body.to_string()).await.unwrap()
}

pub async fn get(sim: &Sim, target: &str) -> Answer {
    request(sim, "GET", target, "", "").await.unwrap()
}

pub async fn start() -> Sim {
    start_with(SimConfig::default()).await
}

pub async fn start_with(config: SimConfig) -> Sim {
    let sim = Sim::start(config).await.unwrap();
    // The clock is frozen, so that no test depends on when a second, minute or day ends.
    sim.clock().freeze();
    sim
}

pub fn mint_body(sim: &Sim) -> Value {
    json!({
        "component_appid": sim.config().component_appid,
        "component_appsecret": sim.config().component_appsecret,
        "component_verify_ticket": sim.current_ticket(),
    })
}

pub async fn mint(sim: &Sim) -> Answer {
    post(sim, Endpoint::ComponentToken.path(), &mint_body(sim)).await
}

pub async fn token(sim: &Sim) -> String {
    mint(sim).await.json()["component_access_token"].as_str().unwrap().to_owned()
}

pub async fn create_code(sim: &Sim, token: &str) -> Answer {
    let target = format!("{}?access_token={token}", Endpoint::CreatePreAuthCode.path());
    post(sim, &target, &json!({ "component_appid": sim.config().component_appid })).await
}

pub async fn code(sim: &Sim) -> String {
    let token = sim.mint();
    create_code(sim, &token).await.json()["pre_auth_code"].as_str().unwrap().to_owned()
}

/// Returns when `happened` is true. Fails when that takes longer than any working simulator needs.
pub async fn until(happened: impl Fn() -> bool) {
    let waiting = async {
        while !happened() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.unwrap();
}

/// A receiver of pushes. It answers each push with the next of `answers`, and later ones with the last. With
/// `None` it does not answer.
pub struct Receiver {
    pub url: String,
    pub received: Arc<Mutex<Vec<String>>>,
}

pub async fn receiver(answers: Vec<Option<&'static str>>) -> Receiver {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/wechat/callback", listener.local_addr().unwrap());
    let received = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&received);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut text = String::new();
            while !complete(&text) {
                let mut buffer = vec![0; 65_536];
                match stream.read(&mut buffer).await {
                    Ok(read @ 1..) => text.push_str(&String::from_utf8_lossy(&buffer[..read])),
                    _ => break,
                }
            }
            let number = {
                let mut seen = seen.lock().unwrap();
                seen.push(text);
                seen.len()
            };
            match answers[(number - 1).min(answers.len() - 1)] {
                Some(answer) => {
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
                None => std::future::pending().await,
            }
        }
    });
    Receiver { url, received }
}

fn complete(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .filter_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned))
        .find_map(|length| length.parse().ok());
    body.len() >= length.unwrap_or(0)
}

pub const SUCCESS: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 7\r\nConnection: close\r\n\r\nsuccess";
