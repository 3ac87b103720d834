//! Texts that are too long to be kept whole.

/// What a text ends in that was cut.
const CUT: char = '…';

/// How many bytes a text takes within JSON, without its quotes.
pub fn stored_len(text: &str) -> usize {
    text.chars().map(stored).sum()
}

/// `text` as far as it takes `max` bytes within JSON, with `…` as its last character; nothing where
/// it fits whole. Bytes and not characters count, since they are what a stored record is bounded in.
pub fn cut(text: &str, max: usize) -> Option<String> {
    // No character takes more than six.
    if text.len().saturating_mul(6) <= max || stored_len(text) <= max {
        return None;
    }
    let mut left = max.saturating_sub(CUT.len_utf8());
    let fits = text.char_indices().find(|(_, letter)| {
        let taken = stored(*letter);
        let fits = taken <= left;
        left = left.saturating_sub(taken);
        !fits
    });
    let end = fits.map_or(text.len(), |(at, _)| at);
    let mut cut = text[..end].to_owned();
    cut.push(CUT);
    Some(cut)
}

fn stored(letter: char) -> usize {
    match letter {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        control if control < ' ' => 6,
        other => other.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_json(text: &str) -> usize {
        serde_json::to_string(text).unwrap().len() - 2
    }

    #[test]
    fn what_a_text_takes_is_what_json_makes_of_it() {
        for text in [
            "",
            "Ada",
            "\"\\\n\r\t\u{8}\u{c}/",
            "\u{0}\u{1f}\u{7f}",
            "Zoë 😀 日本",
        ] {
            assert_eq!(stored_len(text), in_json(text), "{text:?}");
        }
    }

    #[test]
    fn a_text_is_cut_between_characters_and_never_longer_than_allowed() {
        let text = "a\n\u{1}é😀".repeat(20);
        for max in 3..in_json(&text) {
            let cut = cut(&text, max).unwrap();
            assert!(in_json(&cut) <= max && in_json(&cut) + 9 > max, "{max}");
            assert!(text.starts_with(cut.strip_suffix('…').unwrap()));
        }
        assert_eq!(cut(&text, in_json(&text)), None);
    }
}
