//! What calls to DynamoDB cost: every answer is asked for the units that it took, by table and
//! index, as the embedded DynamoDB reckons them by the rules of the real one.

use aws_sdk_dynamodb::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextMut,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemInput;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemInput;
use aws_sdk_dynamodb::operation::get_item::GetItemInput;
use aws_sdk_dynamodb::operation::put_item::PutItemInput;
use aws_sdk_dynamodb::operation::query::QueryInput;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsInput;
use aws_sdk_dynamodb::operation::update_item::UpdateItemInput;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use serde_json::Value;
use std::sync::{Arc, Mutex};

/// Units and calls since the last look.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Units {
    /// Calls that read.
    pub reads: u32,
    /// Calls that write, however many items each has.
    pub writes: u32,
    /// Read request units.
    pub read: f64,
    /// Write request units of tables; in a transaction each counts twice.
    pub table: f64,
    /// Write request units of indexes.
    pub index: f64,
}

impl Units {
    /// All write request units.
    pub fn write(&self) -> f64 {
        self.table + self.index
    }
}

/// Counts what the calls of a client cost.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<Units>>);

impl Meter {
    /// What was counted, from zero again.
    pub fn take(&self) -> Units {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// Marks a call that reads.
#[derive(Debug)]
struct Reads;

impl Storable for Reads {
    type Storer = StoreReplace<Self>;
}

/// Asks for the units in the answer, if the call is of one of these kinds.
macro_rules! ask {
    ($input:expr, $($kind:ty),+) => {
        $(if let Some(input) = $input.downcast_mut::<$kind>() {
            input.return_consumed_capacity = Some(ReturnConsumedCapacity::Indexes);
            true
        } else)+ {
            false
        }
    };
}

impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "meter"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let input = context.input_mut();
        if ask!(input, BatchGetItemInput, GetItemInput, QueryInput) {
            bag.interceptor_state().store_put(Reads);
        } else if !ask!(
            input,
            DeleteItemInput,
            PutItemInput,
            TransactWriteItemsInput,
            UpdateItemInput
        ) {
            return Err("a call of a kind that the meter does not know".into());
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        let answer: Value = serde_json::from_slice(body)?;
        let capacity = &answer["ConsumedCapacity"];
        let of_one = std::slice::from_ref(capacity);
        let tables = capacity.as_array().map_or(of_one, Vec::as_slice);
        let mut units = self.0.lock().unwrap();
        let reads = bag.load::<Reads>().is_some();
        for table in tables.iter().filter(|table| table.is_object()) {
            let indexes = table["GlobalSecondaryIndexes"].as_object();
            let of_indexes: f64 = indexes
                .into_iter()
                .flat_map(|indexes| indexes.values())
                .filter_map(|index| index["CapacityUnits"].as_f64())
                .sum();
            let all = table["CapacityUnits"].as_f64().unwrap_or_default();
            if reads {
                units.read += all;
            } else {
                units.table += all - of_indexes;
                units.index += of_indexes;
            }
        }
        units.reads += u32::from(reads);
        units.writes += u32::from(!reads);
        Ok(())
    }
}
