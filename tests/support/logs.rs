//! Everything that the tested code logs goes to `target/test-logs`. After the suite `make test` searches it for
//! secrets.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Once};

use tracing::subscriber::DefaultGuard;
use tracing_subscriber::util::SubscriberInitExt as _;
use wechat_preauth::telemetry::log::subscriber;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A new log file.
pub fn file(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-logs");
    std::fs::create_dir_all(&folder).unwrap();
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    folder.join(format!("{name}-{}-{number}.log", std::process::id()))
}

/// Logs as the functions do, at level TRACE, for the whole process. A second call changes nothing.
pub fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let file = std::fs::File::create(file("in-process")).unwrap();
        subscriber(Some("TRACE"), None, Mutex::new(file)).init();
    });
}

/// Captures what this thread logs at level INFO, until the value is dropped.
pub struct Captured {
    lines: Lines,
    _logging: DefaultGuard,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Captured {
    pub fn start() -> Self {
        let lines = Lines::default();
        let sink = lines.clone();
        let logging = subscriber(Some("INFO"), None, move || sink.clone());
        Self { lines, _logging: tracing::subscriber::set_default(logging) }
    }

    /// The lines so far.
    pub fn end(self) -> Vec<String> {
        let bytes = self.lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }
}
