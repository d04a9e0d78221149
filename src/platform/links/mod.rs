//! Authorization links: an address of this service's own that an owner sends to a merchant. Each visit that starts an
//! authorization takes a new code, so nothing on the page expires.
//!
//! | module | for |
//! |---|---|
//! | `id` | the secret id in a link's address, and the name by which logs and events call the link |
//! | `store`, `memory` | what is kept of a link and of its codes, and an implementation in memory |
//! | `function`, `code` | the function `preauthcode`, and one code from it |
//! | `services` | what the other modules need |
//! | `create`, `visit` | a new link, and what a merchant does with it |
//! | `of_event` | which link an event belongs to |
//! | `check` | whether the pages can work |

pub mod check;
mod code;
pub mod create;
mod function;
mod id;
mod memory;
pub(crate) mod of_event;
pub mod services;
mod store;
pub mod visit;

pub use create::{CreatedLink, LinkRequest, create_link};
pub use function::{CodeFunction, Invoked, NotInvoked};
pub use id::LinkId;
pub use memory::MemoryLinks;
pub use services::{LinkServices, PagesOrigin};
pub use store::{CodeLink, Link, LinkStore, MAX_CODES, MAX_STARTS, Noted, Started};
pub use visit::{CameBack, Failed, Followed, Redirect};
