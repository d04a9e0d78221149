//! The merchant's side of an authorization: accounts, permission sets, the rules of the pages, and what was
//! authorized.
//!
//! | module | for |
//! |---|---|
//! | `account` | the accounts of a merchant, and which of them an `auth_type` shows |
//! | `permission` | the permission sets (权限集) with WeChat's names |
//! | `rules` | what a test can switch where WeChat's behaviour is uncertain |
//! | `visit` | merchants on their way from the scan to 同意授权 |
//! | `store` | the authorizations, their codes and their tokens |

mod account;
mod permission;
mod rules;
mod store;
mod visit;

pub use account::{Account, AccountKind};
pub(crate) use account::{auth_type_kinds, kinds_label};
pub use permission::{PERMISSION_SETS, PermissionSet};
pub use rules::{AuthorizationRules, EventOrder};
pub use store::{Authorization, IssuedAuthCode};
pub(crate) use store::{Authorizers, Change};
pub(crate) use visit::{Visit, Visits};
