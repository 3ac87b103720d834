//! Measures what many addresses leave in the table of limits:
//! `cargo run -p testkit --example limits_storage [addresses]`

// A program of this kind may stop at the first thing that is not as it should be, and prints.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use aws_sdk_dynamodb::types::AttributeValue;
use futures::StreamExt;
use jiff::Timestamp;
use platform::limits::{Limit, Limiter, SLOTS};
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};
use testkit::dynamo::Dynamo;

const LIMIT: Limit = Limit {
    name: "webhooks",
    most: 100,
    window: Duration::from_secs(15 * 60),
};

#[tokio::main]
async fn main() {
    let addresses = std::env::args().nth(1);
    let addresses: u32 = addresses.map_or(100_000, |count| count.parse().unwrap());
    let dynamo = Dynamo::start().await;
    dynamo.limits("limits").await;
    let limiter = Limiter::new(dynamo.client(), "limits".to_owned());
    let now = Timestamp::now();
    let began = Instant::now();
    futures::stream::iter(0..addresses)
        .for_each_concurrent(32, async |number| {
            // Spread over all of IPv4: the factor is odd, so that no two are the same.
            let address = Ipv4Addr::from_bits(number.wrapping_mul(2_654_435_761)).into();
            limiter.refused(&LIMIT, address, now).await.unwrap();
        })
        .await;
    let took = began.elapsed();
    let items = dynamo.items("limits").await;
    let bytes: usize = items.iter().map(size).sum();
    println!(
        "{addresses} addresses refused once each, in {:.1} s",
        took.as_secs_f64()
    );
    println!("{} items of at most {SLOTS}, {bytes} bytes", items.len());
    assert!(items.len() <= SLOTS.into());
}

/// An item's size as DynamoDB counts it: names and values, a number at half its digits and 1.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
fn size(item: &HashMap<String, AttributeValue>) -> usize {
    let value = |value: &AttributeValue| match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        other => unreachable!("no limit has such a value: {other:?}"),
    };
    item.iter().map(|(name, v)| name.len() + value(v)).sum()
}
