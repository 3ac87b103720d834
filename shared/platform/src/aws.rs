//! SDK configuration and clients: every outside call is bounded, and traced.

use crate::trace::aws::CallSpans;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use std::time::Duration;

/// The longest that a call takes with its retries, whatever happens.
pub const CALL: Duration = Duration::from_secs(5);

/// Loads the SDK's configuration from the function's environment.
///
/// An attempt may take 3.5 s and a call with its retries 5 s, so that a function answers, or hands a
/// message back, well before its own limit (Calendly waits 15 s for an answer). Most of an attempt is for
/// a new connection: TLS was seen to take 0.75 s on the share of a processor that 128 MB have.
pub async fn load() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(3))
                .operation_attempt_timeout(Duration::from_millis(3500))
                .operation_timeout(CALL)
                .build(),
        )
        .load()
        .await
}

/// A client of DynamoDB.
pub fn dynamodb(config: &SdkConfig) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::config::Builder::from(config).interceptor(CallSpans);
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

/// A client of SQS.
pub fn sqs(config: &SdkConfig) -> aws_sdk_sqs::Client {
    let config = aws_sdk_sqs::config::Builder::from(config).interceptor(CallSpans);
    aws_sdk_sqs::Client::from_conf(config.build())
}

/// A client of Secrets Manager.
pub fn secrets(config: &SdkConfig) -> aws_sdk_secretsmanager::Client {
    let config = aws_sdk_secretsmanager::config::Builder::from(config).interceptor(CallSpans);
    aws_sdk_secretsmanager::Client::from_conf(config.build())
}
