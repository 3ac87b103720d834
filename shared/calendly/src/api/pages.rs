//! Going through the pages of a list: to its end, within a bound, and never in circles.

use super::list::Next;
use serde::{Deserialize, Serialize};

/// How far a list is read. It holds two tokens however long the list is, so a message can carry it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Pages {
    /// The token of the page to be read next; nothing for the first.
    token: Option<String>,
    /// Pages read.
    read: u32,
    /// A token that came before, to notice that the list goes in circles.
    mark: Option<String>,
}

/// What comes behind a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turned {
    /// Another page.
    More,
    /// Nothing: that was the last.
    End,
    /// No way on, though there is more; the text says why.
    Stuck(&'static str),
}

impl Pages {
    /// The token of the page to be read next; nothing for the first.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// How many pages were read before the next.
    pub fn read(&self) -> u32 {
        self.read
    }

    /// Goes on behind a page that was read and that said `next`; after `most` pages no more.
    ///
    /// A token that came before would bring the same pages for ever. It is noticed by comparing each
    /// with one that is kept, which is a later one after 1, 2, 4, 8, … pages (Brent's way to find a
    /// cycle): a circle is noticed before it was gone through three times.
    pub fn turn(&mut self, next: Next, most: u32) -> Turned {
        self.read = self.read.saturating_add(1);
        let next = match next {
            Next::Token(next) => next,
            Next::End => return Turned::End,
            Next::Unsaid => return Turned::Stuck("it doesn't say whether there is more"),
        };
        if self.mark.as_ref() == Some(&next) {
            return Turned::Stuck("it names a page that came before as the next one");
        }
        if self.read >= most {
            return Turned::Stuck("it has more pages than are read");
        }
        if self.read.is_power_of_two() {
            self.mark = Some(next.clone());
        }
        self.token = Some(next);
        Turned::More
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a list whose pages name `next(page)`; answers the pages read, and how it ended.
    fn walk(most: u32, next: impl Fn(usize) -> Option<usize>) -> (Vec<usize>, Turned) {
        let (mut pages, mut read) = (Pages::default(), Vec::new());
        loop {
            let page = pages.token().map_or(0, |token| token.parse().unwrap());
            read.push(page);
            let next = next(page).map(|page| page.to_string());
            match pages.turn(next.into(), most) {
                Turned::More => {}
                turned => return (read, turned),
            }
        }
    }

    #[test]
    fn a_list_is_read_to_its_end_each_page_once() {
        for last in [0, 1, 7, 300] {
            let (read, turned) = walk(1000, |page| (page < last).then_some(page + 1));
            assert_eq!(read, (0..=last).collect::<Vec<_>>());
            assert_eq!(turned, Turned::End);
        }
    }

    #[test]
    fn every_circle_is_noticed_after_all_of_its_pages_and_soon() {
        for before in [0, 1, 5, 40] {
            for length in [1, 2, 3, 7, 40] {
                // Page 0 has no token, so the first that can come again is page 1.
                let end = 1 + before + length;
                let next = |page| {
                    Some(if page + 1 < end {
                        page + 1
                    } else {
                        end - length
                    })
                };
                let (read, turned) = walk(1000, next);
                assert!(matches!(turned, Turned::Stuck(_)));
                let seen: std::collections::BTreeSet<_> = read.iter().collect();
                assert_eq!(seen.len(), end, "{before} and {length}");
                assert!(read.len() <= 3 * end, "{} pages of {end}", read.len());
            }
        }
    }

    #[test]
    fn a_list_without_an_end_is_left() {
        let (read, turned) = walk(50, |page| Some(page + 1));
        assert_eq!(read.len(), 50);
        assert!(matches!(turned, Turned::Stuck(_)));
    }
}
