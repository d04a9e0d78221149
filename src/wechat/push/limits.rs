//! How large and how old a push may be.

/// The largest body that is read, in bytes. Ticket pushes have about 700, the largest event a few
/// thousand. A larger one does not come from WeChat.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// How old a push may be, in seconds. A day, because another receiver may forward pushes to this service and
/// try again for hours. An old ticket never replaces a later one.
pub const MAX_AGE_S: i64 = 24 * 60 * 60;

/// How far a push may lie ahead of our clock, in seconds. Clocks do not differ by more.
pub const MAX_AHEAD_S: i64 = 10 * 60;
