//! An HTTP API's event, or a function URL's: both functions read it correctly or refuse it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wechat_preauth_fuzz::event::{Http, Input, check_both_functions, let_lambda_http_panic, read};

fuzz_target!(init: let_lambda_http_panic(), |data: &[u8]| {
    match Input::<Http>::of(data) {
        Some(Input::Made(event)) => event.check_http(),
        Some(Input::Raw(event)) => {
            if let Some(request) = std::str::from_utf8(event).ok().and_then(read) {
                let _ = check_both_functions(&request);
            }
        }
        None => {}
    }
});
