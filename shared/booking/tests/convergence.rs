//! Any order, any repeats: the same bookings. Here on records in memory; the same property through
//! the store and with crashes is in `platform`.

mod memory;
mod told;

use booking::Facts;
use memory::{Memory, facts};
use proptest::prelude::*;
use testkit::history::{History, histories};
use told::{after, found};

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_order_ends_in_the_same_records(history in histories()) {
        let History { webhooks, looks, all_arrivals, .. } = &history;
        let told = webhooks.iter().map(|body| facts(body));
        let all: Vec<Facts> = told.chain(looks.iter().map(found)).collect();
        prop_assert_eq!(after(&all), after(all_arrivals.iter().map(|i| &all[*i])));
    }

    #[test]
    fn every_member_of_a_chain_knows_its_root(history in histories()) {
        let records = Memory::after(history.arrivals.iter().map(|i| &history.webhooks[*i])).records;
        for invitee in records.invitees.values() {
            let mut first = invitee;
            let mut depth = 0;
            while let Some(old) = &first.moved_from {
                first = &records.invitees[old];
                depth += 1;
            }
            let root = (depth > 0).then(|| first.uri.clone());
            prop_assert_eq!(invitee.lineage.as_ref().and_then(|l| l.root.clone()), root);
            prop_assert_eq!(invitee.lineage.as_ref().map_or(0, |l| l.depth), depth);
        }
    }
}
