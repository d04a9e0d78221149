//! Lambda events, made from arbitrary fields, and how both functions read them.

mod check;
mod direct;
mod http;
mod word;

use std::cell::Cell;
use std::panic::catch_unwind;

use lambda_http::request::{RequestContext, from_str};
use lambda_http::{Request, RequestExt as _};
use libfuzzer_sys::arbitrary::{Arbitrary, Unstructured};

pub use check::{check_both_functions, check_code_request};
pub use direct::Direct;
pub use http::Http;
pub use word::Word;

thread_local! {
    static READING: Cell<bool> = const { Cell::new(false) };
}

/// Ignores the panics of `lambda_http`; every other panic still ends the run. `lambda_http` panics on an event
/// with an invalid URI or invalid base64, before it calls our code. The runtime then reports a failed invocation.
pub fn let_lambda_http_panic() {
    let fatal = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !READING.get() {
            fatal(panic);
        }
    }));
}

/// Reads an event as the runtime does.
#[must_use]
pub fn read(event: &str) -> Option<Request> {
    READING.set(true);
    let request = catch_unwind(|| from_str(event));
    READING.set(false);
    request.ok()?.ok()
}

/// Whether a request counts as a direct invocation.
#[must_use]
pub fn is_direct(request: &Request) -> bool {
    matches!(request.request_context_ref(), Some(RequestContext::PassThrough))
}

/// The fuzzer's input. A leading zero byte, which no JSON has, means that the rest builds a `T`. All other input
/// is the event itself.
pub enum Input<'a, T> {
    /// Describes an event.
    Made(T),
    /// The event's bytes.
    Raw(&'a [u8]),
}

impl<'a, T: Arbitrary<'a>> Input<'a, T> {
    /// Reads the fuzzer's input; `None` when it is too short.
    #[must_use]
    pub fn of(data: &'a [u8]) -> Option<Self> {
        match data {
            [0, rest @ ..] => T::arbitrary_take_rest(Unstructured::new(rest)).ok().map(Self::Made),
            raw => Some(Self::Raw(raw)),
        }
    }
}
