//! Which requests wait for another instance's mint, and how long its lease lasts.

use wechat_preauth::platform::TokenItem;

use crate::checks::skew;
use crate::world::World;

/// A request begins to read the token item. Until the answer is there, it knows no lease.
pub fn read_begins(world: &World) {
    if let Some(task) = tokio::task::try_id() {
        world.truth().rests.remove(&task);
    }
}

/// A request that has read that another instance mints, and has no token meanwhile, must wait for it, whatever
/// the table does.
pub fn item_is_read(world: &World, instance: usize, item: &TokenItem) {
    let now = world.time.unix() + skew(world, instance);
    let has_token = item.token.as_ref().is_some_and(|token| token.expires_at > now);
    let (Some(lease), Some(task)) = (item.live_lease(now), tokio::task::try_id()) else { return };
    if !has_token {
        let mut truth = world.truth();
        truth.waiting.insert(task);
        truth.rests.insert(task, (lease.expires_at - now, world.time.ms()));
    }
}

/// The warm-up's read belongs to no request.
pub fn warm_up_ends(world: &World) {
    stops(world);
}

/// A request that makes a call has a token, and waits no more.
pub fn call_begins(world: &World) {
    stops(world);
}

fn stops(world: &World) {
    if let Some(task) = tokio::task::try_id() {
        let mut truth = world.truth();
        truth.waiting.remove(&task);
        truth.rests.remove(&task);
    }
}
