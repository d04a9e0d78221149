//! Finds the check that causes a problem. That check fails. The checks that only met the problem are skipped.

use crate::platform::check::{Check, CheckStatus};
use crate::platform::problem::texts::{self, Text};
use crate::platform::problem::{Problem, ProblemCode};

/// Marks the cause of every problem that a check met.
pub(super) fn mark_causes(checks: &mut [Check]) {
    let a_host_answers =
        checks.iter().any(|check| check.name.starts_with("host:") && check.status == CheckStatus::Ok);
    for index in 0..checks.len() {
        let Some(problem) = checks[index].problem.clone() else { continue };
        let cause = match cause_of(problem.code, a_host_answers) {
            Some(name) => checks.iter().position(|check| check.name == name),
            // The first check that met this very problem.
            None => checks.iter().position(|check| check.problem.as_ref() == Some(&problem)),
        };
        if cause != Some(index) {
            let name = cause.map_or("the hosts", |cause| checks[cause].name.as_str());
            checks[index].detail = format!("cannot be checked: see {name}");
        }
        if let Some(cause) = cause
            && checks[cause].status != CheckStatus::Failed
        {
            fail(&mut checks[cause], &problem);
        }
    }
}

/// The check that causes a problem with this code, when it is always the same one. When no host answers, the
/// hosts cause every missing answer.
fn cause_of(code: ProblemCode, a_host_answers: bool) -> Option<&'static str> {
    match code {
        ProblemCode::SecretsUnavailable
        | ProblemCode::SecretsInvalid
        | ProblemCode::ConfigAppIdRejected
        | ProblemCode::ConfigAppSecretRejected => Some("credentials"),
        ProblemCode::StateUnavailable => Some("state"),
        ProblemCode::TicketMissing | ProblemCode::TicketRejected => Some("ticket"),
        ProblemCode::TokenMissing | ProblemCode::TokenPending | ProblemCode::WeChatTokenRejected => {
            Some("token")
        }
        ProblemCode::ConfigEgressIpNotRegistered => Some("egress_ip"),
        ProblemCode::WeChatUnreachable | ProblemCode::WeChatTimeout if !a_host_answers => Some("hosts"),
        _ => None,
    }
}

fn fail(check: &mut Check, problem: &Problem) {
    check.status = CheckStatus::Failed;
    check.detail.clone_from(&problem.detail);
    check.remedy = problem.remedy.clone().or_else(|| Some(default_remedy(problem.code).into()));
    check.add_facts([
        ("code", problem.code.as_str().into()),
        ("errcode", problem.errcode.into()),
        ("errmsg", problem.errmsg.clone().into()),
        ("rid", problem.rid.clone().into()),
        ("client_ip", problem.client_ip.clone().into()),
    ]);
}

/// What an operator can do about a problem that has no remedy of its own.
const fn default_remedy(code: ProblemCode) -> Text {
    match code {
        ProblemCode::SecretsUnavailable => texts::SECRETS_UNAVAILABLE_REMEDY,
        ProblemCode::StateUnavailable => texts::STATE_UNAVAILABLE_REMEDY,
        ProblemCode::WeChatUnreachable | ProblemCode::WeChatTimeout => texts::NETWORK_REMEDY,
        _ => texts::TRY_AGAIN_REMEDY,
    }
}
