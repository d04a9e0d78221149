//! A failure in the metrics: once in all, once under its code, and once more when it leaves as a
//! function error, so that Lambda's own count of errors can be told from crashes.

use serde_json::{Value, json};

use super::response::FunctionError;
use crate::platform::{Problem, ProblemCode};
use crate::telemetry::Metrics;
use crate::telemetry::metric::{self, Unit};

/// Counts a failure. What WeChat said of it are properties: searchable, and no metrics of their own.
pub fn count(metrics: &Metrics, problem: &Problem) {
    let properties = [
        ("errcode", json!(problem.errcode)),
        ("rid", json!(problem.rid)),
        ("client_ip", json!(problem.client_ip)),
    ];
    let properties: Vec<(&str, Value)> =
        properties.into_iter().filter(|(_, value)| !value.is_null()).collect();
    metrics.put(metric::FAILURE, Unit::Count, 1.0, &properties);
    let by_code = format!("{}.{}", metric::FAILURE, problem.code);
    metrics.put(&by_code, Unit::Count, 1.0, &properties);
}

/// The problem of work that panicked, counted. The panic itself is in the log, with its place.
pub fn panicked(metrics: &Metrics) -> Box<Problem> {
    let problem = Problem::new(ProblemCode::Internal, "this service made a mistake");
    count(metrics, &problem);
    problem
}

/// The function error of a direct invocation, counted.
pub fn function_error(metrics: &Metrics, problem: &Problem, request_id: &str) -> FunctionError {
    metrics.count(metric::FUNCTION_ERROR);
    FunctionError::new(problem, request_id)
}
