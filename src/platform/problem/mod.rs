//! Every way in which a request can fail.
//!
//! | module | for |
//! |---|---|
//! | `codes` | the codes that callers match on, with status and title |
//! | `texts` | every detail and remedy |
//! | `code` | how a row of the table of codes becomes a `ProblemCode` |
//! | `problem` | what a caller sees of a failure; converts errors of WeChat calls into problems |
//! | `from_errors` | converts state, bus, credentials and push errors into problems |

mod code;
mod codes;
mod from_errors;
#[expect(clippy::module_inception, reason = "the type, beside its names and texts")]
mod problem;
pub(crate) mod texts;

pub use codes::ProblemCode;
pub use problem::{Problem, Result};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::{Backoff, BusError, EgressIps, StateError};
    use crate::wechat::{CallError, ERRCODES, Endpoint, Refusal};

    #[test]
    fn no_text_reaches_a_caller_with_an_empty_place() {
        let egress = [EgressIps::default(), EgressIps::parse("203.0.113.7").unwrap()];
        let mut problems = vec![
            Problem::ticket_missing(),
            Problem::token_missing(),
            Problem::token_pending(),
            Problem::other_component(),
            Problem::no_answer_in_time(ProblemCode::WeChatTimeout),
            Problem::token_rejected(None, true, 1),
            StateError("throttled".into()).into(),
            BusError("throttled".into()).into(),
        ];
        for egress in &egress {
            for (errcode, ..) in ERRCODES {
                let mut refusal = Refusal::new(Endpoint::CreatePreAuthCode, *errcode, "", &[]);
                problems.push(Problem::from_call(&CallError::Refused(refusal.clone()), egress));
                for seen in ["203.0.113.7", "198.51.100.1"] {
                    refusal.client_ip = Some(seen.into());
                    problems.push(Problem::from_call(&CallError::Refused(refusal.clone()), egress));
                }
            }
            for errcode in [None, Some(61004)] {
                let backoff = Backoff {
                    code: ProblemCode::WeChatUnreachable,
                    errcode,
                    client_ip: None,
                    count: 1,
                    until: 15,
                    ticket_create_time: None,
                    credentials_version: None,
                };
                problems.push(Problem::from_backoff(&backoff, egress, 0));
            }
        }
        for problem in problems {
            let text = format!("{} {}", problem.detail, problem.remedy.unwrap_or_default());
            assert!(!text.contains('{') && !text.contains('}'), "{text}");
        }
    }
}
