//! Pages that an answer can hold.

use platform::room::Room;
use serde::Serialize;

/// With how many items instead of `limit` a page must be read anew, for an answer has no room for all
/// of `items`; nothing if it has. Reading anew, which is hardly ever needed, tells the place at which
/// the shorter page ends. One item is always shown: a longer one is cut where the answer is written.
pub(crate) fn fewer<T: Serialize>(items: &[T], limit: usize) -> Option<usize> {
    let mut room = Room::default();
    let fitting = items.iter().take_while(|item| room.takes(item)).count();
    (fitting < items.len() && limit > 1).then_some(fitting.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_anew_with_as_many_items_as_fit() {
        let items = |length: usize, count| vec!["x".repeat(length); count];
        assert_eq!(fewer(&items(10, 20), 20), None);
        assert_eq!(fewer(&items(1_000_000, 4), 20), None);
        assert_eq!(fewer(&items(1_000_000, 20), 20), Some(4));
        assert_eq!(fewer(&items(1_000_000, 5), 5), Some(4));
        assert_eq!(fewer(&items(9_000_000, 2), 20), Some(1));
        assert_eq!(fewer(&items(9_000_000, 1), 1), None);
        assert_eq!(fewer(&items(10, 0), 20), None);
    }
}
