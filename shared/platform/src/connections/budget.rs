//! The time that renewing tokens takes at worst, summed in one place.
//!
//! A refresh token works once. From the moment that it is sent until the new ones are stored, a
//! process that is stopped loses the account: somebody has to authorize it again. So a refresh is
//! sent only when the function lives long enough for the worst case:
//!
//! | step | at worst | |
//! |---|---|---|
//! | the lease is held from here: the connection is read | 5 s | may be stopped |
//! | its tokens are read, until those are seen that were stored last | 5 s + 5 s | may be stopped |
//! | the version of the new ones is announced | 5 s | may be stopped |
//! | Calendly is asked | 8 s | **not to be stopped** |
//! | and once more, if no answer came and the time is still there | 8 s | **not to be stopped** |
//! | the new tokens are stored, in as many tries as fit | 11 s | **not to be stopped** |
//! | or: they are read again, and the connection is marked | 5 s + 5 s | may be stopped |
//!
//! [`LEASE`] is longer than all of it, so that nobody else begins meanwhile.

use crate::aws;
use jiff::SignedDuration;
use std::time::Duration;

/// For one question to Calendly's token endpoint.
const ASK: Duration = calendly::TIMEOUT;
/// For storing what it answered, or what a code was exchanged for.
pub const STORE: Duration = Duration::from_secs(11);
/// From sending a refresh token until the new tokens are stored, or surely not.
pub const REFRESH: Duration = ASK.saturating_add(STORE);
/// How long a right to a connection lasts, should its holder be killed: longer than it may work.
pub const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// After this time everybody sees what was written to a secret. AWS says no more than that it takes
/// some time, usually less than a second.
pub const SEEN: SignedDuration = SignedDuration::from_secs(60);
/// The same for the right to store tokens. When it ends by itself, what its holder stored last is
/// seen by everybody.
pub const STORING: SignedDuration = LEASE.saturating_add(SEEN);
/// How long to wait for somebody who has a right to a connection.
pub const WAIT: Duration = Duration::from_secs(8);
/// How long to read tokens again that were stored, but aren't seen yet.
pub(super) const SETTLE: Duration = Duration::from_secs(5);
/// How long the name of a deleted secret is waited for. AWS deletes in the background, and says no
/// more than to try again with pauses; it takes seconds. A person waits meanwhile, and API Gateway
/// for no longer than 30 s.
pub(super) const DELETION: Duration = Duration::from_secs(15);
/// For one try to store: the longest call of AWS.
pub(super) const TRY: Duration = aws::CALL;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invocation;

    /// The `Timeout` of a function in the template.
    fn timeout(function: &str) -> Duration {
        let template = include_str!("../../../../template.yaml");
        let (_, rest) = template.split_once(&format!("\n  {function}:\n")).unwrap();
        let (_, rest) = rest.split_once("\n      Timeout: ").unwrap();
        Duration::from_secs(rest.lines().next().unwrap().parse().unwrap())
    }

    /// All that is done while the lease is held, before the first refresh is sent.
    const BEFORE: Duration = Duration::from_secs(4 * aws::CALL.as_secs() + SETTLE.as_secs());

    #[test]
    fn the_lease_lasts_longer_than_all_that_is_done_while_it_is_held() {
        let refresh = ASK + REFRESH;
        let lost = 2 * ASK + 2 * aws::CALL;
        let longest = BEFORE + refresh.max(lost);
        assert!(longest < Duration::try_from(LEASE).unwrap());
    }

    #[test]
    fn a_lease_that_ends_by_itself_does_so_when_all_see_what_was_stored() {
        assert_eq!(STORING - LEASE, SEEN);
        for function in ["SyncFunction", "OauthFunction"] {
            assert!(timeout(function) <= Duration::try_from(LEASE).unwrap());
        }
    }

    #[test]
    fn a_refresh_is_sent_also_after_a_call_of_aws_that_hung() {
        for function in ["SyncFunction", "OauthFunction"] {
            let limit = timeout(function);
            assert!(
                aws::CALL + REFRESH + invocation::ROOM <= limit,
                "{function}"
            );
        }
        // Also after waiting in vain for somebody else's, which then ended; where a person waits,
        // none is begun then.
        let limit = timeout("SyncFunction");
        assert!(aws::CALL + WAIT + REFRESH + invocation::ROOM <= limit);
        // A person who connects an account waits for a name to become free.
        assert!(DELETION + TRY < timeout("OauthFunction"));
    }

    #[test]
    fn storing_has_time_for_a_try_that_hangs_and_another_one() {
        assert!(2 * TRY < STORE);
    }
}
