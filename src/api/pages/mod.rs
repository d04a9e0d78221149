//! The pages that a merchant sees before and after WeChat's own: each is one HTML document without a script, without
//! anything from another server, and with nothing in it that a stranger could not know.
//!
//! | module | for |
//! |---|---|
//! | `page` | what can be shown |
//! | `visit` | who looks: the language, and the device with its app |
//! | `site` | what is the same on every page: addresses, the platform's name, the content security policy |
//! | `texts` | every word, in each language |
//! | `launch`, `outcome` | the page before WeChat's, and what is shown afterwards or instead |
//! | `document`, `icon`, `qr_code`, `style.css` | the frame of every page, and what it looks like |
//! | `answer` | a page as an HTTP answer |
//! | `gateway` | the pages that API Gateway shows without this code |

mod answer;
mod document;
mod gateway;
mod icon;
mod launch;
mod outcome;
mod page;
mod qr_code;
mod site;
mod texts;
mod visit;

pub use answer::{redirect, response};
pub use gateway::{GatewayPage, gateway_page};
pub use page::{Accounts, Page, Trouble};
pub use site::Site;
pub use visit::{Device, Language, Visit};
