//! The four functions' handlers: they read Lambda events and write answers and problems. They decide nothing else.
//!
//! | module | for |
//! |---|---|
//! | `preauthcode`, `issue_request` | the function that issues codes, and its request |
//! | `callback`, `push_request` | the function that receives WeChat's pushes, and a push as it arrives |
//! | `authorize`, `link_request` | the function that makes authorization links, and the request for one |
//! | `merchant` | the same function's other part: a merchant's visits |
//! | `keeper`, `keeper_request` | the function for the schedule and for operators, and its event |
//! | `pages` | the pages that a merchant sees |
//! | `handler` | what is the same in all four: deadline, cold start, panic, log line, metrics |
//! | `in_process` | `preauthcode` for the pages, in the same process |
//! | `fields`, `authorization_fields` | read the fields of a JSON request |
//! | `response` | answers and problems as JSON, over HTTP and as function errors |

mod authorization_fields;
pub mod authorize;
pub mod callback;
mod fields;
mod handler;
pub mod in_process;
pub mod issue_request;
pub mod keeper;
pub mod keeper_request;
pub mod link_request;
mod merchant;
pub mod pages;
pub mod preauthcode;
pub mod push_request;
pub mod response;

pub use response::FunctionError;
