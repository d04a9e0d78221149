//! A visit of the merchant's pages: whatever strangers send and `preauthcode` answers, the answer is safe.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wechat_preauth_fuzz::visit::Visit;

fuzz_target!(|visit: Visit| visit.check());
