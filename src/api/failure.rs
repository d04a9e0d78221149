//! A failure in the metrics: once in all, once under its code.

use serde_json::{Value, json};

use crate::platform::Problem;
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
