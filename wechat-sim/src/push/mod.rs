//! Pushes: what WeChat sends to a platform's 授权事件接收URL.
//!
//! | module | for |
//! |---|---|
//! | `options` | what a test can choose for one push |
//! | `event`, `samples` | the events and messages, and realistic fields for each known `InfoType` |
//! | `flaw` | what can be wrong with a push |
//! | `build`, `xml`, `crypt` | the query and the body of a push, its XML, its encryption and signature |
//! | `send`, `record` | sends pushes as WeChat does, and records them |

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
pub use xml::{Field, Value, XmlStyle};
