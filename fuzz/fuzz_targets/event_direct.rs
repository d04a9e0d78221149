//! The payload of a direct invocation: both functions read it correctly or refuse it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wechat_preauth_fuzz::api::push_request;
use wechat_preauth_fuzz::event::{
    Direct, Input, check_both_functions, check_code_request, let_lambda_http_panic, read,
};

fuzz_target!(init: let_lambda_http_panic(), |data: &[u8]| {
    match Input::<Direct>::of(data) {
        Some(Input::Made(event)) => event.check(),
        Some(Input::Raw(event)) => {
            // Also without `lambda_http`, which lets only JSON pass: a body in base64 can hold any bytes.
            let _ = (push_request::from_direct(event), check_code_request(event));
            if let Some(request) = std::str::from_utf8(event).ok().and_then(read) {
                let _ = check_both_functions(&request);
            }
        }
        None => {}
    }
});
