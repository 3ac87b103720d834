"""What the emulator's SQS, and its SQS → Lambda poller, must do as AWS does it.

Each patch replaces one small thing of ministack 1.5.33, and says why.
"""

import functools
import inspect
import json
import threading

from ministack.services import lambda_svc, sqs

from patch_lambda import short_name

# How soon a message that becomes visible by itself (a retry's delay is over) is noticed.
TICK_SECONDS = 0.1


def apply(stack_name: str, gate) -> None:
    """Call once, before the emulator serves."""
    _take_turns()
    _notice_due_messages()
    _read_numbers_of_parameters()
    lambda_svc._run_sqs_batch = _with_the_functions_role(stack_name, gate)


def _take_turns() -> None:
    # Requests run on the event loop, the poller in threads, and both replace a queue's list of
    # messages: one sent in between was lost. Now each step has the queues for itself.
    lock = sqs._queues_lock = threading.RLock()

    def guarded(step):
        @functools.wraps(step)
        def alone(*args, **kwargs):
            with lock:
                return step(*args, **kwargs)

        return alone

    for name in ("_collect_msgs", "_dlq_sweep", "_expire_retained", "_refresh_counts"):
        setattr(sqs, name, guarded(getattr(sqs, name)))
    for action, handler in sqs._HANDLERS.items():
        # ReceiveMessage waits in between, so it is guarded step by step, above.
        if not inspect.iscoroutinefunction(handler):
            sqs._HANDLERS[action] = guarded(handler)


def _notice_due_messages() -> None:
    # The poller sleeps for a second unless something is sent. A message whose visibility
    # timeout ends wakes nobody, which would add up to a second to every retry.
    class Impatient:
        def __init__(self, event):
            self.event = event

        def wait(self, timeout):
            return self.event.wait(min(timeout, TICK_SECONDS))

        def __getattr__(self, name):
            return getattr(self.event, name)

    lambda_svc._esm_wake = Impatient(lambda_svc._esm_wake)
    # After a wake-up that found nothing it would wait 50 ms before it looks again.
    lambda_svc._ESM_IDLE_WAKE_GAP_SECONDS = 0.005


def _read_numbers_of_parameters() -> None:
    # A number that a template takes from a parameter arrives as text. With MaximumConcurrency
    # as text the poller fails at each turn, and nothing is ever delivered.
    limit = lambda_svc._sqs_esm_concurrency

    def with_numbers(mapping, *args):
        scaling = mapping.get("ScalingConfig") or {}
        if isinstance(scaling.get("MaximumConcurrency"), str):
            scaling["MaximumConcurrency"] = int(scaling["MaximumConcurrency"])
        return limit(mapping, *args)

    lambda_svc._sqs_esm_concurrency = with_numbers


def _with_the_functions_role(stack_name: str, gate):
    # Lambda's poller takes messages with the role of the function that it feeds; without the right to,
    # it feeds nothing.
    def run(mapping, function, event, batch, queue_url, queue_name):
        config = function["config"]
        if gate.polls(config, short_name(config["FunctionName"], stack_name), mapping["EventSourceArn"]):
            _run_sqs_batch(mapping, function, event, batch, queue_url, queue_name)

    return run


def _run_sqs_batch(mapping, function, event, batch, queue_url, queue_name):
    """Invokes the function and deletes what it took care of, by AWS's rules for partial batches.

    The original deletes every message that the answer doesn't name, also where the answer is
    malformed or names an unknown message. AWS then takes the whole batch as failed.
    """
    result = lambda_svc._execute_function(function, event)
    partial = "ReportBatchItemFailures" in (mapping.get("FunctionResponseTypes") or [])
    if result.get("error") or result.get("throttle"):
        failed = None
        # As in the original: a function that is broken outright is not called in a tight loop.
        lambda_svc._esm_backoff_until[mapping["UUID"]] = (
            lambda_svc.time.time() + lambda_svc._ESM_BACKOFF_SECONDS
        )
    else:
        lambda_svc._esm_backoff_until.pop(mapping["UUID"], None)
        known = {message["id"] for message in batch}
        failed = failures(result.get("body"), known) if partial else set()

    if failed is None:
        mapping["LastProcessingResult"] = "FAILED"
        lambda_svc.logger.warning("SQS batch from %s failed whole: %s", queue_name,
                                  result.get("body"))
        return
    done = {m["receipt_handle"] for m in batch if m["id"] not in failed and m["receipt_handle"]}
    sqs._delete_messages_for_esm(queue_url, done)
    mapping["LastProcessingResult"] = (
        f"OK - {len(batch) - len(failed)} records, {len(failed)} partial failures"
    )


def failures(body, known):
    """The ids that failed; None where AWS would count the whole batch as failed."""
    if isinstance(body, str) and body:
        try:
            body = json.loads(body)
        except ValueError:
            return None
    if not body:
        return set()  # an empty or null answer is a success
    if not isinstance(body, dict):
        return None
    items = body.get("batchItemFailures") or []
    if not isinstance(items, list):
        return None
    ids = {item.get("itemIdentifier") if isinstance(item, dict) else None for item in items}
    return ids if ids <= known else None
