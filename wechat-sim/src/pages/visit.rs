//! Whether a merchant is still on the way from the scan to 同意授权.

use super::texts;
use crate::authorizer::Visit;
use crate::state::SimContext;

/// The visit with this id. It ends with 同意授权 and 取消, and with the lifetime of its code.
pub(super) fn open(context: &SimContext, id: &str) -> Result<Visit, String> {
    let state = context.state();
    let visit = state.visits.get(id).ok_or(texts::CODE_INVALID)?;
    if visit.ended {
        Err(texts::CODE_USED.to_owned())
    } else if state.issued.code_expired(&visit.pre_auth_code, context.clock.now()) {
        Err(texts::CODE_INVALID.to_owned())
    } else {
        Ok(visit)
    }
}
