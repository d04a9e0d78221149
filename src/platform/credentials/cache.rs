//! The credentials in memory: read when they are first needed, when they are old, and when WeChat or a push
//! shows that they may have changed.
//!
//! One request reads at a time. The others wait for it only when what is in memory is old, and then for a second
//! at most. A read that its caller gives up counts as failed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, timeout};

use super::document::{Credentials, SecretDocument, SecretsError};

/// After a failed first read, the failure is repeated for this long without another read, so that an outage
/// does not cost every request its time-out.
const FAILURE_MEMORY: Duration = Duration::from_secs(5);

/// The credentials are read again when they are this old: a process that lives long must not accept a key for
/// ever that the operator has removed.
const MAX_AGE: Duration = Duration::from_secs(600);

/// How long a request waits for that; then it uses the old ones.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(1);

/// Credentials that are old or refused are read again at most this often.
const REREAD_INTERVAL: Duration = Duration::from_secs(10);

const NO_ANSWER: &str = "no answer in time";

/// Where the document comes from.
#[async_trait]
pub trait CredentialsSource: Send + Sync {
    /// Reads it.
    async fn fetch(&self) -> Result<SecretDocument, SecretsError>;
}

/// The credentials of one process.
pub struct CredentialsCache {
    source: Box<dyn CredentialsSource>,
    memory: Mutex<Memory>,
    /// Held by the request that reads.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Memory {
    /// The newest credentials, and when they were read.
    known: Option<(Arc<Credentials>, Instant)>,
    /// When the last read ended, and how it failed.
    tried: Option<(Instant, Option<SecretsError>)>,
}

/// A result that needs no read.
type Remembered = Option<Result<Arc<Credentials>, SecretsError>>;

impl Memory {
    fn tried_within(&self, limit: Duration) -> bool {
        self.tried.as_ref().is_some_and(|(at, _)| at.elapsed() < limit)
    }

    /// What a request uses: credentials that are not old, or were found unreadable a moment ago.
    fn current(&self) -> Remembered {
        match (&self.known, &self.tried) {
            (Some((known, read_at)), _) => {
                let holds = read_at.elapsed() < MAX_AGE || self.tried_within(REREAD_INTERVAL);
                holds.then(|| Ok(known.clone()))
            }
            (None, Some((at, Some(error)))) if at.elapsed() < FAILURE_MEMORY => Some(Err(error.clone())),
            (None, _) => None,
        }
    }

    /// What a request uses that has seen the known credentials fail.
    fn newest(&self) -> Remembered {
        let (known, _) = self.known.as_ref()?;
        self.tried_within(REREAD_INTERVAL).then(|| Ok(known.clone()))
    }
}

impl CredentialsCache {
    /// Credentials from this source, read on first use.
    pub fn new(source: impl CredentialsSource + 'static) -> Self {
        Self { source: Box::new(source), memory: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// The credentials, from memory when they were read within the last 10 minutes. Older ones are read again;
    /// when that fails or takes longer than a second, they are used for now.
    ///
    /// # Errors
    /// When there are none in memory, and they cannot be read or are wrong.
    pub async fn get(&self) -> Result<Arc<Credentials>, SecretsError> {
        let remembered = self.memory().current();
        if let Some(result) = remembered {
            return result;
        }
        let read = self.read_unless(Memory::current);
        let Some(known) = self.known() else { return read.await };
        let late = |_elapsed| Err(SecretsError::Unavailable(NO_ANSWER.into()));
        Ok(or_known(timeout(REFRESH_TIMEOUT, read).await.unwrap_or_else(late), known))
    }

    /// Reads the credentials now and reports the result, whatever is in memory.
    ///
    /// # Errors
    /// When they cannot be read or are wrong. Those in memory stay.
    pub async fn read_now(&self) -> Result<Arc<Credentials>, SecretsError> {
        self.read_unless(|_| None).await
    }

    /// The newest credentials: read again, unless that was done within the last 10 seconds. When they cannot
    /// be read, those in memory.
    ///
    /// # Errors
    /// When there are none in memory either.
    pub async fn reread(&self) -> Result<Arc<Credentials>, SecretsError> {
        let known = self.known();
        let read = self.read_unless(Memory::newest).await;
        match known {
            None => read,
            Some(known) => Ok(or_known(read, known)),
        }
    }

    /// Reads the credentials again after WeChat refused these. `true`: the operator has changed them, and
    /// `refused` holds the new ones.
    pub async fn replace_refused(&self, refused: &mut Arc<Credentials>) -> bool {
        let Ok(newest) = self.reread().await else { return false };
        let changed = newest.version != refused.version;
        if changed {
            *refused = newest;
        }
        changed
    }

    /// Reads when it is this request's turn, unless another request has read enough meanwhile.
    async fn read_unless(
        &self,
        remembered: impl Fn(&Memory) -> Remembered,
    ) -> Result<Arc<Credentials>, SecretsError> {
        let _turn = self.turn.lock().await;
        if let Some(result) = remembered(&self.memory()) {
            return result;
        }
        let mut reading = Reading { cache: self, error: Some(SecretsError::Unavailable(NO_ANSWER.into())) };
        let read = self.source.fetch().await.and_then(|document| Credentials::parse(&document)).map(Arc::new);
        reading.error = read.as_ref().err().cloned();
        if let Ok(credentials) = &read {
            self.memory().known = Some((credentials.clone(), Instant::now()));
        }
        read
    }

    fn known(&self) -> Option<Arc<Credentials>> {
        self.memory().known.as_ref().map(|(known, _)| known.clone())
    }

    /// Only ever locked for a moment.
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A read that is under way. Notes how it ended, also when its caller stops waiting.
struct Reading<'a> {
    cache: &'a CredentialsCache,
    error: Option<SecretsError>,
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.cache.memory().tried = Some((Instant::now(), self.error.take()));
    }
}

fn or_known(read: Result<Arc<Credentials>, SecretsError>, known: Arc<Credentials>) -> Arc<Credentials> {
    read.unwrap_or_else(|error| {
        tracing::warn!(%error, "the credentials could not be read again");
        known
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::time::advance;

    use super::*;
    use crate::platform::credentials::MemoryCredentials;

    /// Counts reads. The first one succeeds, and while `hangs` is set the others never end.
    #[derive(Clone, Default)]
    struct Source {
        reads: Arc<AtomicUsize>,
        hangs: bool,
    }

    #[async_trait]
    impl CredentialsSource for Source {
        async fn fetch(&self) -> Result<SecretDocument, SecretsError> {
            let number = self.reads.fetch_add(1, Ordering::Relaxed) + 1;
            if self.hangs && number > 1 {
                std::future::pending::<()>().await;
            }
            let json = r#"{"component_appid":"wx1","component_appsecret":"a"}"#;
            Ok(SecretDocument { json: json.into(), version: number.to_string() })
        }
    }

    async fn version(cache: &CredentialsCache) -> String {
        cache.get().await.unwrap().version.clone()
    }

    #[tokio::test]
    async fn credentials_that_cannot_be_read_again_stay_in_use() {
        let source = MemoryCredentials::new(r#"{"component_appid":"wx1","component_appsecret":"a"}"#);
        let cache = CredentialsCache::new(source.clone());
        assert_eq!(version(&cache).await, "1");
        source.set(Err(SecretsError::Unavailable("down".into())));
        assert_eq!(version(&cache).await, "1");
        assert_eq!(cache.reread().await.unwrap().version, "1");
        assert_eq!(
            cache.read_now().await.unwrap_err().to_string(),
            "the credentials secret cannot be read at the moment: down"
        );
        assert_eq!(version(&cache).await, "1");
    }

    #[tokio::test(start_paused = true)]
    async fn credentials_are_read_again_after_ten_minutes() {
        let cache = CredentialsCache::new(Source::default());
        assert_eq!(version(&cache).await, "1");
        advance(MAX_AGE - Duration::from_secs(1)).await;
        assert_eq!(version(&cache).await, "1");
        advance(Duration::from_secs(1)).await;
        assert_eq!(version(&cache).await, "2");
        assert_eq!(version(&cache).await, "2");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_first_read_is_repeated_after_five_seconds() {
        let source = MemoryCredentials::new("");
        let cache = CredentialsCache::new(source.clone());
        cache.get().await.unwrap_err();
        source.set(Source::default().fetch().await);
        advance(FAILURE_MEMORY - Duration::from_secs(1)).await;
        cache.get().await.unwrap_err();
        advance(Duration::from_secs(1)).await;
        assert_eq!(version(&cache).await, "1");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_waits_a_second_at_most_for_the_read_of_another_one() {
        let cache = Arc::new(CredentialsCache::new(Source { hangs: true, ..Source::default() }));
        assert_eq!(version(&cache).await, "1");
        advance(REREAD_INTERVAL).await;
        let reader = cache.clone();
        let reader = tokio::spawn(async move { reader.reread().await.map(|_| ()) });
        tokio::task::yield_now().await;
        for age in [Duration::ZERO, MAX_AGE] {
            advance(age).await;
            let limit = REFRESH_TIMEOUT + Duration::from_millis(1);
            assert_eq!(timeout(limit, version(&cache)).await.expect("it waits"), "1");
        }
        reader.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_stops_waiting_changes_nothing_and_the_next_read_comes_soon() {
        let source = Source { hangs: true, ..Source::default() };
        let cache = CredentialsCache::new(source.clone());
        assert_eq!(version(&cache).await, "1");
        advance(MAX_AGE).await;
        // This one stops waiting before the cache does.
        timeout(REFRESH_TIMEOUT / 2, cache.get()).await.unwrap_err();
        assert_eq!(version(&cache).await, "1");
        assert_eq!(source.reads.load(Ordering::Relaxed), 2);
        advance(REREAD_INTERVAL).await;
        assert_eq!(version(&cache).await, "1");
        assert_eq!(source.reads.load(Ordering::Relaxed), 3);
    }
}
