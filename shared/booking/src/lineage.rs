//! Chains of reschedules: A was moved to B, B to C; and each of them knows A, the root.
//!
//! A lineage only ever deepens, and a chain that is too long ends in one value that nothing can
//! deepen. So whatever links there are, in whatever order they come, each booking ends with the same
//! lineage; a chain that bites its own tail ends, too.

use crate::{Facts, InviteeRecord, InviteeUri};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The longest chain of reschedules along which a root is carried. It bounds the work that a
/// damaged or hostile chain can make.
pub const MAX_CHAIN: u32 = 200;

/// The first booking of a chain of reschedules. Of two, the deeper one knows more ancestors.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Lineage {
    /// How many reschedules lie between the root and this booking; beyond [`MAX_CHAIN`], one more
    /// than that.
    pub depth: u32,
    /// The first booking that is known; nothing where the chain is too long.
    pub root: Option<InviteeUri>,
}

impl Lineage {
    const TOO_LONG: Self = Self {
        depth: MAX_CHAIN + 1,
        root: None,
    };

    fn is_too_long(&self) -> bool {
        self.depth > MAX_CHAIN
    }
}

impl InviteeRecord {
    /// The lineage that a booking which replaces this one has.
    fn passes_on(&self) -> Lineage {
        match &self.lineage {
            Some(lineage) if lineage.depth >= MAX_CHAIN => Lineage::TOO_LONG,
            Some(lineage) => Lineage {
                depth: lineage.depth + 1,
                root: lineage.root.clone(),
            },
            None => Lineage {
                depth: 1,
                root: Some(self.uri.clone()),
            },
        }
    }
}

/// Which bookings were handed a lineage while something is merged, so that none is followed twice for
/// the same: where each of a few bookings names all the others, there are more ways around than can be
/// walked.
#[derive(Debug, Clone, Default)]
pub struct Handed(BTreeMap<InviteeUri, (Lineage, u32)>);

impl Handed {
    /// Whether a follow-up has to be applied: its booking was not handed as deep a lineage yet, or
    /// from further along a chain that is too long, where fewer were left to follow.
    pub fn is_due(&mut self, follow_up: &Facts) -> bool {
        let Some((uri, lineage)) = heir(follow_up) else {
            return true;
        };
        if let Some((deepest, beyond)) = self.0.get(uri)
            && lineage <= deepest
            && follow_up.beyond >= *beyond
        {
            return false;
        }
        let handed = (lineage.clone(), follow_up.beyond);
        self.0.insert(uri.clone(), handed);
        true
    }
}

/// The booking that a follow-up hands a lineage to.
fn heir(follow_up: &Facts) -> Option<(&InviteeUri, &Lineage)> {
    let mut invitees = follow_up.invitees.values();
    invitees.find_map(|heir| Some((&heir.uri, heir.lineage.as_ref()?)))
}

/// Hands each moved booking's root to the one that replaced it: at once where that is part of this
/// step, as a follow-up where it isn't. A record holds both its root and its successors, and writes
/// to it are serialised; so whoever writes the later of the two sees both, and carries on.
pub(crate) fn carry_roots(
    invitees: &mut BTreeMap<InviteeUri, InviteeRecord>,
    facts: &Facts,
) -> Vec<Facts> {
    // Ends: each round deepens a lineage, and none is deeper than one that is too long.
    loop {
        let handed: Vec<_> = invitees
            .values()
            .flat_map(|old| {
                old.moved_to
                    .iter()
                    .map(|new| (new.clone(), old.passes_on()))
            })
            .collect();
        let mut deepened = false;
        for (new, lineage) in handed {
            if let Some(new) = invitees.get_mut(&new)
                && new.lineage.as_ref() < Some(&lineage)
            {
                new.lineage = Some(lineage);
                deepened = true;
            }
        }
        if !deepened {
            break;
        }
    }
    let mut follow_ups = Vec::new();
    for old in invitees.values() {
        let lineage = old.passes_on();
        for new in old
            .moved_to
            .iter()
            .filter(|new| !invitees.contains_key(*new))
        {
            let mut follow = Facts::new(facts.provider);
            // A stop may have left the rest of a chain without its lineage, though its next member
            // has it. That rest is no longer than a chain whose root was still carried.
            if lineage.is_too_long() {
                follow.beyond = facts.beyond + 1;
                if follow.beyond > MAX_CHAIN {
                    continue;
                }
            }
            let mut heir = InviteeRecord::about(new.clone());
            heir.lineage = Some(lineage.clone());
            follow.add_invitee(&heir);
            follow_ups.push(follow);
        }
    }
    follow_ups
}
