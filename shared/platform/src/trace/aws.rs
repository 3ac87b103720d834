//! Calls of the AWS SDK, as spans.

use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemInput;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemInput;
use aws_sdk_dynamodb::operation::get_item::GetItemInput;
use aws_sdk_dynamodb::operation::put_item::PutItemInput;
use aws_sdk_dynamodb::operation::query::QueryInput;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsInput;
use aws_sdk_dynamodb::operation::update_item::UpdateItemInput;
use aws_sdk_sqs::operation::change_message_visibility::ChangeMessageVisibilityInput;
use aws_sdk_sqs::operation::delete_message::DeleteMessageInput;
use aws_sdk_sqs::operation::get_queue_attributes::GetQueueAttributesInput;
use aws_sdk_sqs::operation::receive_message::ReceiveMessageInput;
use aws_sdk_sqs::operation::send_message::SendMessageInput;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef, Input,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use tracing::{Span, field};

/// Makes a span of each call, with all its attempts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallSpans;

/// The span of a call under way. Where the call is given up before it ends, it ends with it.
#[derive(Debug)]
struct CallSpan(Span);

impl Storable for CallSpan {
    type Storer = StoreReplace<Self>;
}

#[dyn_dispatch_hint]
impl Intercept for CallSpans {
    fn name(&self) -> &'static str {
        "call spans"
    }

    // The first hook that knows the operation's name.
    fn read_before_serialization(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(call) = bag.load::<Metadata>() else {
            return Ok(());
        };
        let span = tracing::error_span!(
            "call",
            kind = "aws",
            service = call.service(),
            operation = call.name(),
            table = table(context.input()),
            queue = queue(context.input()),
            status = field::Empty,
        );
        bag.interceptor_state().store_put(CallSpan(span));
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let (Some(CallSpan(span)), Some(answer)) = (bag.load::<CallSpan>(), context.response()) {
            span.record("status", u64::from(answer.status().as_u16()));
        }
        bag.interceptor_state().store_or_unset::<CallSpan>(None);
        Ok(())
    }
}

/// The table that a call is about; of a batch or a transaction, one of them.
fn table(input: &Input) -> Option<&str> {
    let got = input.downcast_ref::<GetItemInput>();
    got.and_then(|input| input.table_name())
        .or_else(|| input.downcast_ref::<PutItemInput>()?.table_name())
        .or_else(|| input.downcast_ref::<UpdateItemInput>()?.table_name())
        .or_else(|| input.downcast_ref::<DeleteItemInput>()?.table_name())
        .or_else(|| input.downcast_ref::<QueryInput>()?.table_name())
        .or_else(|| {
            let batch = input.downcast_ref::<BatchGetItemInput>()?;
            batch.request_items()?.keys().next().map(String::as_str)
        })
        .or_else(|| {
            let writes = input.downcast_ref::<TransactWriteItemsInput>()?;
            let first = writes.transact_items().first()?;
            let put = first.put().map(|put| put.table_name());
            put.or_else(|| first.delete().map(|delete| delete.table_name()))
        })
}

/// The queue that a call is about.
fn queue(input: &Input) -> Option<&str> {
    let sent = input.downcast_ref::<SendMessageInput>();
    sent.and_then(|input| input.queue_url())
        .or_else(|| input.downcast_ref::<ReceiveMessageInput>()?.queue_url())
        .or_else(|| input.downcast_ref::<DeleteMessageInput>()?.queue_url())
        .or_else(|| {
            input
                .downcast_ref::<ChangeMessageVisibilityInput>()?
                .queue_url()
        })
        .or_else(|| input.downcast_ref::<GetQueueAttributesInput>()?.queue_url())
}
