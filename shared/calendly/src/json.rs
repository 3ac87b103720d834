//! Bytes as JSON, also where single characters of them can't be.
//!
//! Bodies come with half a surrogate pair (a text that was cut in the middle of an emoji), with a
//! byte order mark, with raw control characters, and with bytes that are no UTF-8. What they say
//! besides is clear, so none of these makes a body unreadable: what can't be a character is read as
//! U+FFFD. Everything that has to know what a body says reads it here, so that all read the same.

use serde::de::DeserializeOwned;
use std::fmt::Write;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed<T> {
    /// What the bytes say.
    pub value: T,
    /// Something in them could not be read, and U+FFFD or null stands for it.
    pub lossy: bool,
}

/// Reads `bytes`. An error tells where they stop being JSON, and nothing of what they say.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<Parsed<T>, serde_json::Error> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let error = match serde_json::from_slice(bytes) {
        Ok(value) => {
            return Ok(Parsed {
                value,
                lossy: false,
            });
        }
        Err(error) => error,
    };
    let mended = Mended::from(bytes);
    match serde_json::from_str(&mended.text) {
        Ok(value) => Ok(Parsed {
            value,
            lossy: mended.lossy,
        }),
        // The first one's place is one in the bytes as they came.
        Err(_) => Err(error),
    }
}

/// [`parse`], for callers to whom it makes no difference whether all could be read.
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    parse(bytes).map(|parsed| parsed.value)
}

/// A text with what JSON doesn't allow within strings and numbers replaced.
struct Mended {
    text: String,
    lossy: bool,
}

impl Mended {
    fn from(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mut mended = Self {
            text: String::with_capacity(text.len() + 16),
            lossy: matches!(text, std::borrow::Cow::Owned(_)),
        };
        let mut rest: &str = &text;
        while let Some(next) = rest.chars().next() {
            rest = match next {
                '"' => mended.string(&rest[1..]),
                '-' | '+' | '.' | '0'..='9' | 'a'..='z' | 'A'..='Z' => mended.word(rest),
                // Between values it means nothing.
                control if control.is_control() => {
                    mended.text.push(' ');
                    &rest[control.len_utf8()..]
                }
                other => {
                    mended.text.push(other);
                    &rest[other.len_utf8()..]
                }
            };
        }
        mended
    }

    /// A string, behind its first quote. Answers what follows it.
    fn string<'a>(&mut self, mut rest: &'a str) -> &'a str {
        self.text.push('"');
        while let Some(next) = rest.chars().next() {
            rest = &rest[next.len_utf8()..];
            match next {
                '"' => {
                    self.text.push('"');
                    return rest;
                }
                '\\' => rest = self.escape(rest),
                control if control < ' ' => self.escaped(u32::from(control)),
                other => self.text.push(other),
            }
        }
        rest
    }

    /// An escape, behind its backslash.
    fn escape<'a>(&mut self, rest: &'a str) -> &'a str {
        let mut letters = rest.chars();
        match letters.next() {
            Some(known @ ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't')) => {
                self.text.extend(['\\', known]);
            }
            Some('u') => return self.unicode(letters.as_str()),
            // No such escape is known, so the letter stands for itself, unless the string ends here.
            Some(_) => {
                self.lossy = true;
                return rest;
            }
            None => {}
        }
        letters.as_str()
    }

    /// A `\u` escape, behind its `u`: as it is, or U+FFFD for half of a pair.
    fn unicode<'a>(&mut self, rest: &'a str) -> &'a str {
        let Some(unit) = hex(rest) else {
            self.replaced();
            let digits = rest.bytes().take(4).take_while(u8::is_ascii_hexdigit);
            return &rest[digits.count()..];
        };
        let behind = &rest[4..];
        match unit {
            0xd800..=0xdbff => {
                let second = behind.strip_prefix("\\u").and_then(hex);
                let Some(second @ 0xdc00..=0xdfff) = second else {
                    self.replaced();
                    return behind;
                };
                self.escaped(unit);
                self.escaped(second);
                &behind[6..]
            }
            0xdc00..=0xdfff => {
                self.replaced();
                behind
            }
            unit => {
                self.escaped(unit);
                behind
            }
        }
    }

    /// A number, or a word such as `true`. Numbers that JSON can't have are kept as texts, and words
    /// that stand for no number become null.
    fn word<'a>(&mut self, rest: &'a str) -> &'a str {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '+' | '.'));
        let (word, behind) = rest.split_at(end.unwrap_or(rest.len()));
        let sign = ['-', '+', '.'];
        if serde_json::from_str::<serde_json::Value>(word).is_ok() {
            self.text.push_str(word);
        } else if word
            .trim_start_matches(sign)
            .starts_with(|c: char| c.is_ascii_digit())
        {
            self.text.extend(["\"", word, "\""]);
        } else if matches!(
            word.trim_start_matches(sign),
            "NaN" | "Infinity" | "undefined"
        ) {
            self.lossy = true;
            self.text.push_str("null");
        } else {
            self.text.push_str(word);
        }
        behind
    }

    fn escaped(&mut self, unit: u32) {
        // A text takes all that is written to it.
        let _ = write!(self.text, "\\u{unit:04x}");
    }

    fn replaced(&mut self) {
        self.lossy = true;
        self.text.push(char::REPLACEMENT_CHARACTER);
    }
}

fn hex(text: &str) -> Option<u32> {
    let digits = text.get(..4)?;
    let all = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    all.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests;
