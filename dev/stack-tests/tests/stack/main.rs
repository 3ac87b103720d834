//! The whole stack, over HTTP, with the real programs. One program, so that it is linked once.

// Helpers may stop at the first thing that is not as it should be, as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod alone_api_keys;
mod alone_dead_letters;
mod alone_erasure;
mod alone_logs;
mod alone_poison;
mod alone_retries;
mod alone_sandbox_faults;
mod alone_signing_key;
mod alone_store_down;
mod alone_subscription_heals;
mod alone_sync_heals;
mod alone_trail;
mod alone_watched;
mod api_access;
mod api_items;
mod api_lists;
mod cors;
mod docs_page;
mod doors;
mod event_list;
mod invitee_history;
mod list_filters;
mod long_lists;
mod malformed;
mod oauth_bookings;
mod oauth_connect;
mod oauth_disconnect;
mod oauth_refused;
mod replay;
mod samples_changed;
mod samples_created;
mod samples_of_relays;
mod samples_rescheduled;
mod samples_routing_form;
mod told;
mod webhook_accepted;
mod webhook_rate_limit;
mod webhook_refused;
mod webhook_size;
mod webhook_test_endpoint;
