//! WeChat on tokio's paused clock. It mints tokens and issues codes by WeChat's rules, and a test decides how
//! each call is answered.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};
use wechat_preauth::wechat::{Transport, TransportKind};

/// How long the old token works beside a new one.
const OVERLAP: Duration = Duration::from_secs(300);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Mint,
    Code,
}

/// How one call is answered.
#[derive(Debug, Clone, Copy)]
pub struct Reply {
    /// WeChat processes the call this long after it was sent, whether or not the caller still waits.
    after: Duration,
    errcode: Option<i64>,
    is_processed: bool,
    is_answered: bool,
}

impl Reply {
    /// By WeChat's rules, at once.
    pub const USUAL: Self =
        Self { after: Duration::ZERO, errcode: None, is_processed: true, is_answered: true };
    /// The call is processed, and the connection breaks before the answer.
    pub const LOST: Self = Self { is_answered: false, ..Self::USUAL };
    /// The connection breaks before the call is processed. The caller cannot tell the two apart.
    pub const BROKEN: Self = Self { is_processed: false, ..Self::LOST };

    pub fn errcode(errcode: i64) -> Self {
        Self { errcode: Some(errcode), ..Self::USUAL }
    }

    pub const fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }
}

#[derive(Debug)]
struct Token {
    value: String,
    appid: String,
    dies: Instant,
}

/// A call that has arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    pub call: Call,
    pub at: Instant,
    /// The component in the body.
    pub appid: String,
    /// The token that was sent with it.
    pub token: Option<String>,
}

#[derive(Default)]
struct Book {
    tokens: Vec<Token>,
    seen: Vec<Seen>,
    refused_tokens: usize,
    open_mints: usize,
    most_open_mints: usize,
}

type Decide = Box<dyn FnMut(Call) -> Reply + Send>;

/// Clones share everything.
#[derive(Clone)]
pub struct ScriptedWeChat {
    book: Arc<Mutex<Book>>,
    decide: Arc<Mutex<Decide>>,
}

impl std::fmt::Debug for ScriptedWeChat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ScriptedWeChat")
    }
}

impl ScriptedWeChat {
    pub fn new() -> Self {
        Self { book: Arc::default(), decide: Arc::new(Mutex::new(Box::new(|_| Reply::USUAL))) }
    }

    /// From now on this decides how each call is answered.
    pub fn decide(&self, decide: impl FnMut(Call) -> Reply + Send + 'static) {
        *self.decide.lock().unwrap() = Box::new(decide);
    }

    /// The next mint calls are answered like this, in this order, and all other calls as usual.
    pub fn next_mints(&self, replies: impl IntoIterator<Item = Reply>) {
        let mut replies = replies.into_iter().collect::<Vec<_>>().into_iter();
        self.decide(move |call| match call {
            Call::Mint => replies.next().unwrap_or(Reply::USUAL),
            Call::Code => Reply::USUAL,
        });
    }

    /// Every call is answered as usual again.
    pub fn works(&self) {
        self.decide(|_| Reply::USUAL);
    }

    /// The calls so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.book.lock().unwrap().seen.clone()
    }

    pub fn mints(&self) -> usize {
        self.seen().iter().filter(|seen| seen.call == Call::Mint).count()
    }

    /// The newest token.
    pub fn newest(&self) -> String {
        self.book.lock().unwrap().tokens.last().unwrap().value.clone()
    }

    /// How many calls came with a token that WeChat does not take.
    pub fn refused_tokens(&self) -> usize {
        self.book.lock().unwrap().refused_tokens
    }

    /// How many mint calls were under way at the same time, at most.
    pub fn most_open_mints(&self) -> usize {
        self.book.lock().unwrap().most_open_mints
    }

    /// Every token so far dies.
    pub fn revoke_tokens(&self) {
        for token in &mut self.book.lock().unwrap().tokens {
            token.dies = token.dies.min(Instant::now());
        }
    }

    fn process(&self, seen: &Seen, reply: Reply) -> Value {
        let (mut book, now) = (self.book.lock().unwrap(), Instant::now());
        match (reply.errcode, seen.call) {
            (Some(errcode), _) => refusal(errcode),
            (None, Call::Mint) => {
                for old in book.tokens.iter_mut().filter(|old| old.appid == seen.appid) {
                    old.dies = old.dies.min(now + OVERLAP);
                }
                let value = format!("token-{}@{}", book.tokens.len() + 1, seen.appid);
                let (appid, dies) = (seen.appid.clone(), now + Duration::from_secs(7200));
                book.tokens.push(Token { value: value.clone(), appid, dies });
                json!({ "component_access_token": value, "expires_in": 7200 })
            }
            (None, Call::Code) => {
                let sent = |token: &&Token| Some(&token.value) == seen.token.as_ref();
                let takes = |token: &Token| token.appid == seen.appid && token.dies > now;
                if book.tokens.iter().find(sent).is_some_and(takes) {
                    return json!({ "pre_auth_code": "preauthcode@@@1", "expires_in": 1800 });
                }
                book.refused_tokens += 1;
                refusal(40001)
            }
        }
    }
}

/// An error answer with a rid.
fn refusal(errcode: i64) -> Value {
    json!({ "errcode": errcode, "errmsg": "refused rid: 5f92a0c3-4b491949-0aa4f69d" })
}

/// Counts a mint call as open until it is dropped.
struct OpenMint(ScriptedWeChat);

impl OpenMint {
    fn new(wechat: &ScriptedWeChat) -> Self {
        let mut book = wechat.book.lock().unwrap();
        book.open_mints += 1;
        book.most_open_mints = book.most_open_mints.max(book.open_mints);
        Self(wechat.clone())
    }
}

impl Drop for OpenMint {
    fn drop(&mut self) {
        self.0.book.lock().unwrap().open_mints -= 1;
    }
}

#[async_trait]
impl Transport for ScriptedWeChat {
    async fn post(&self, url: url::Url, body: String) -> Result<(u16, Vec<u8>), TransportKind> {
        let call = if url.path().ends_with("api_component_token") { Call::Mint } else { Call::Code };
        let body: Value = serde_json::from_str(&body).unwrap();
        let token = url.query_pairs().find(|(name, _)| name == "access_token");
        let seen = Seen {
            call,
            at: Instant::now(),
            appid: body["component_appid"].as_str().unwrap().to_owned(),
            token: token.map(|(_, value)| value.into_owned()),
        };
        self.book.lock().unwrap().seen.push(seen.clone());
        let _open = (call == Call::Mint).then(|| OpenMint::new(self));
        let reply = (self.decide.lock().unwrap())(call);
        let (answer, answered) = oneshot::channel();
        let wechat = self.clone();
        // A task of its own: WeChat processes a call although the caller has stopped waiting.
        tokio::spawn(async move {
            sleep(reply.after).await;
            let text = reply.is_processed.then(|| wechat.process(&seen, reply).to_string());
            if let Some(text) = text.filter(|_| reply.is_answered) {
                let _gone = answer.send(text);
            }
        });
        let text = answered.await.map_err(|_| TransportKind::broken("connection reset"))?;
        Ok((200, text.into_bytes()))
    }

    async fn head(&self, _url: url::Url) -> Result<(), TransportKind> {
        Ok(())
    }
}
