//! What is stored, read past the API: every item of every table, and every line of every log.

use crate::Stack;
use crate::stack::variable;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::read::ZlibDecoder;
use std::collections::HashMap;
use std::fmt::Write;
use std::io::Read;

/// The variables that name the stack's tables.
const TABLES: [&str; 3] = ["DELIVERIES_TABLE", "BOOKINGS_TABLE", "CONNECTIONS_TABLE"];

impl Stack {
    /// Everything that is stored, as text: an item or a line each, with the place where it is. What
    /// is stored compressed is unpacked.
    pub async fn everything(&self) -> Vec<String> {
        let mut all = Vec::new();
        let listed = self.dynamodb.list_tables().send().await.unwrap();
        for name in TABLES.map(variable) {
            assert!(listed.table_names().contains(&name), "no table {name}");
        }
        for table in listed.table_names() {
            let scan = self.dynamodb.scan().table_name(table).consistent_read(true);
            let mut pages = scan.into_paginator().send();
            while let Some(page) = pages.next().await {
                let items = page.unwrap().items.unwrap_or_default();
                all.extend(
                    items
                        .iter()
                        .map(|item| format!("{table}: {}", text_of(item))),
                );
            }
        }
        for entry in std::fs::read_dir(&self.log_dir).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let lines = String::from_utf8_lossy(&bytes);
            all.extend(lines.lines().map(|line| format!("{name}: {line}")));
        }
        all
    }
}

fn text_of(item: &HashMap<String, AttributeValue>) -> String {
    let mut text = String::new();
    for (name, value) in item {
        match value {
            AttributeValue::S(value) => write!(text, "{name}={value} "),
            AttributeValue::B(bytes) => write!(text, "{name}={} ", unpacked(bytes.as_ref())),
            other => write!(text, "{name}={other:?} "),
        }
        .unwrap();
    }
    text
}

/// Bytes as text: as they are where they aren't compressed.
fn unpacked(bytes: &[u8]) -> String {
    let mut plain = Vec::new();
    match ZlibDecoder::new(bytes).read_to_end(&mut plain) {
        Ok(_) => String::from_utf8_lossy(&plain).into_owned(),
        Err(_) => String::from_utf8_lossy(bytes).into_owned(),
    }
}
