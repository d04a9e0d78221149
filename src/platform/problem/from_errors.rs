//! Converts state, bus, credentials and push errors into problems. `problem.rs` converts errors of WeChat
//! calls.

use super::codes::ProblemCode;
use super::problem::Problem;
use super::texts;
use crate::platform::bus::BusError;
use crate::platform::credentials::SecretsError;
use crate::platform::state::StateError;
use crate::wechat::push::PushError;

impl From<StateError> for Box<Problem> {
    fn from(error: StateError) -> Self {
        let detail = texts::STATE_UNAVAILABLE.with(&[("error", &error)]);
        Problem::new(ProblemCode::StateUnavailable, detail)
    }
}

impl From<BusError> for Box<Problem> {
    fn from(error: BusError) -> Self {
        let detail = texts::EVENTS_UNAVAILABLE.with(&[("error", &error)]);
        Problem::new(ProblemCode::EventsUnavailable, detail)
    }
}

impl From<SecretsError> for Box<Problem> {
    fn from(error: SecretsError) -> Self {
        let detail = error.to_string();
        match error {
            SecretsError::Unavailable(_) => Problem::new(ProblemCode::SecretsUnavailable, detail),
            SecretsError::Invalid(_) => {
                Problem::new(ProblemCode::SecretsInvalid, detail).remedy(texts::SECRETS_INVALID_REMEDY)
            }
        }
    }
}

/// The problem of a refused push, for its sender.
impl From<PushError> for Box<Problem> {
    fn from(error: PushError) -> Self {
        let (code, remedy) = match error {
            PushError::Signature => (ProblemCode::PushSignatureRejected, Some(texts::PUSH_SIGNATURE_REMEDY)),
            PushError::Stale { .. } => (ProblemCode::PushStale, Some(texts::PUSH_STALE_REMEDY)),
            PushError::NotEncrypted => (ProblemCode::PushMalformed, Some(texts::PUSH_NOT_ENCRYPTED_REMEDY)),
            PushError::Undecryptable => {
                (ProblemCode::PushUndecryptable, Some(texts::PUSH_UNDECRYPTABLE_REMEDY))
            }
            PushError::Unreadable(_) | PushError::Field { .. } => {
                (ProblemCode::PushUnreadable, Some(texts::PUSH_UNREADABLE_REMEDY))
            }
            _ => (ProblemCode::PushMalformed, None),
        };
        let mut problem = Problem::new(code, error.to_string());
        problem.remedy = remedy.map(String::from);
        problem
    }
}
