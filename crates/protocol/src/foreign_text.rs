//! Text from outside the program, made safe to show.

use core::{
    fmt::{self, Write as _},
    ops::RangeInclusive,
};

/// The characters that a terminal or a page doesn't show as themselves: Unicode's
/// `Default_Ignorable_Code_Point` (bidirectional overrides and isolates, zero-width characters, variation
/// selectors, tags), line and paragraph separators, and interlinear annotations. Control characters are
/// escaped too.
const INVISIBLE: [RangeInclusive<char>; 17] = [
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffb}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

/// A text from outside the program (an endpoint's message, a revert's reason, a payload's URI, a scenario's
/// title), with a `Display` that is safe to show.
///
/// `Display` writes every character that isn't visible as an escape: `\u{1b}` for the start of a terminal's
/// control sequence, `\u{202e}` for a change of direction, `\xff` for a byte that isn't UTF-8. The result
/// is one line. Escaping the result again doesn't change it.
///
/// ```
/// # use canon_protocol::ForeignText;
/// assert_eq!(ForeignText::new("\u{1b}[31mred").to_string(), "\\u{1b}[31mred");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForeignText<'a> {
    text: &'a [u8],
    /// The largest number of characters that are written.
    most: usize,
}

impl<'a> ForeignText<'a> {
    /// Wraps a text, or bytes that should be UTF-8.
    pub fn new<T: AsRef<[u8]> + ?Sized>(text: &'a T) -> Self {
        Self { text: text.as_ref(), most: usize::MAX }
    }

    /// Limits the text to this number of characters, each of which can become an escape. `…` stands for the
    /// rest.
    pub const fn up_to(self, characters: usize) -> Self {
        Self { text: self.text, most: characters }
    }
}

impl fmt::Display for ForeignText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.most;
        let mut is_full = || {
            let is_full = left == 0;
            left = left.saturating_sub(1);
            is_full
        };
        for chunk in self.text.utf8_chunks() {
            for character in chunk.valid().chars() {
                if is_full() {
                    return f.write_char('…');
                }
                match is_visible(character) {
                    true => f.write_char(character)?,
                    false => write!(f, "{}", character.escape_unicode())?,
                }
            }
            for byte in chunk.invalid() {
                if is_full() {
                    return f.write_char('…');
                }
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

fn is_visible(character: char) -> bool {
    !character.is_control() && !INVISIBLE.iter().any(|range| range.contains(&character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_visible_becomes_an_escape() {
        let cases: [(&[u8], &str); 16] = [
            (b"", ""),
            (b"plain text, 100 %", "plain text, 100 %"),
            ("Zürich – 東京 🗳".as_bytes(), "Zürich – 東京 🗳"),
            ("עברית".as_bytes(), "עברית"),
            (b"\x1b[31mred\x07", r"\u{1b}[31mred\u{7}"),
            (b"two\r\nlines\t", r"two\u{d}\u{a}lines\u{9}"),
            (b"\0\x7f", r"\u{0}\u{7f}"),
            ("\u{9b}31m".as_bytes(), r"\u{9b}31m"),
            ("A \u{202e}evil".as_bytes(), r"A \u{202e}evil"),
            ("\u{2066}isolated\u{2069}".as_bytes(), r"\u{2066}isolated\u{2069}"),
            ("a\u{200b}b\u{200d}c\u{feff}".as_bytes(), r"a\u{200b}b\u{200d}c\u{feff}"),
            ("\u{2028}\u{ad}\u{e0041}".as_bytes(), r"\u{2028}\u{ad}\u{e0041}"),
            (b"\xff", r"\xff"),
            (b"a\xc3(b", r"a\xc3(b"),
            (b"cut \xe2\x82", r"cut \xe2\x82"),
            (br"\u{1b}", r"\u{1b}"),
        ];
        for (text, shown) in cases {
            assert_eq!(ForeignText::new(text).to_string(), shown);
            // Escaping again doesn't change it.
            assert_eq!(ForeignText::new(shown).to_string(), shown);
        }
    }

    #[test]
    fn a_limit_counts_characters() {
        let text: &[u8] = b"a\x1b\xc3\xbc\xffz";
        for (most, shown) in [
            (0, "…"),
            (1, "a…"),
            (2, r"a\u{1b}…"),
            (3, r"a\u{1b}ü…"),
            (4, r"a\u{1b}ü\xff…"),
            (5, r"a\u{1b}ü\xffz"),
            (6, r"a\u{1b}ü\xffz"),
        ] {
            assert_eq!(ForeignText::new(text).up_to(most).to_string(), shown, "{most}");
        }
        assert_eq!(ForeignText::new("").up_to(0).to_string(), "");
    }

    #[test]
    fn the_characters_beside_a_range_are_shown() {
        for range in INVISIBLE {
            for inside in [*range.start(), *range.end()] {
                assert!(!is_visible(inside), "{}", inside.escape_unicode());
            }
        }
        for visible in [
            ' ',
            '~',
            '\u{a0}',
            '\u{ac}',
            '\u{ae}',
            '\u{61b}',
            '\u{61d}',
            '\u{200a}',
            '\u{2010}',
            '\u{2027}',
            '\u{202f}',
            '\u{205f}',
            '\u{2070}',
            '\u{fdff}',
            '\u{fe10}',
            '\u{ff00}',
            '\u{fffc}',
            '\u{1f5f3}',
        ] {
            assert!(is_visible(visible), "{}", visible.escape_unicode());
        }
        for control in ['\0', '\u{1f}', '\u{7f}', '\u{80}', '\u{9f}'] {
            assert!(!is_visible(control), "{}", control.escape_unicode());
        }
    }
}
