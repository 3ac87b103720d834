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

/// The part of a list that follows the first `shown` items, as much as `room` holds; and how many are
/// shown with it where more follow. One item at least, which is cut where the answer is written.
pub(crate) fn part<T: Serialize>(
    mut all: Vec<T>,
    shown: usize,
    mut room: Room,
) -> (Vec<T>, Option<usize>) {
    let mut rest = all.split_off(shown.min(all.len()));
    let fitting = rest.iter().take_while(|item| room.takes(item)).count();
    let fitting = fitting.max(1);
    let more = fitting < rest.len();
    rest.truncate(fitting);
    (rest, more.then_some(all.len() + fitting))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_list_are_the_list() {
        for (count, length) in [(20, 0), (20, 1_000), (20, 400_000), (3, 9_000_000)] {
            let all: Vec<String> = (0..count)
                .map(|n| format!("{n} {}", "x".repeat(length)))
                .collect();
            let mut shown = Some(0);
            let mut seen = Vec::new();
            while let Some(from) = shown {
                let (some, next) = part(all.clone(), from, Room::default());
                assert_eq!(from, seen.len());
                seen.extend(some);
                shown = next;
            }
            assert_eq!(seen, all);
        }
        assert_eq!(part(Vec::<u8>::new(), 0, Room::default()), (vec![], None));
        assert_eq!(part(vec![1, 2], 7, Room::default()), (vec![], None));
    }

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
