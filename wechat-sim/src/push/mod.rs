//! Pushes: what WeChat sends to a platform's 授权事件接收URL.

mod build;
mod crypt;
mod event;
mod flaw;
mod options;
mod record;
mod samples;
mod send;
mod xml;

pub use build::BuiltPush;
pub(crate) use build::build;
pub use crypt::{PushCrypt, msg_signature};
pub use event::Event;
pub use flaw::Flaw;
pub use options::Push;
pub use record::PushRecord;
pub(crate) use record::PushRecords;
pub use samples::INFO_TYPES;
pub use send::{Attempt, PushOutcome};
pub(crate) use send::{Sender, check_callback_url};
pub(crate) use xml::escape;
pub use xml::{Field, Value, XmlStyle};
