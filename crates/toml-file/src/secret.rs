//! Keys and mnemonics in the wrong place, which errors must not repeat.

use std::ops::RangeInclusive;

/// The number of digits of a private key, which has 64, give or take a mistake.
const KEY_DIGITS: RangeInclusive<usize> = 62..=66;

/// The number of words of the shortest mnemonic.
const MNEMONIC_WORDS: usize = 12;

/// Whether a text has the form of a private key or a mnemonic, perhaps mistyped.
pub fn looks_like_a_secret(text: &str) -> bool {
    looks_like_a_key(text.trim()) || text.split_whitespace().count() >= MNEMONIC_WORDS
}

/// Whether a part of a line has the form of a private key, or its words those of a mnemonic.
pub fn may_have_a_secret(line: &str) -> bool {
    let mut words = line.split(|c: char| !c.is_ascii_alphanumeric());
    let value = line.rsplit('=').next().unwrap_or(line);
    let is_words = |text: &str| text.chars().all(|c| c.is_alphabetic() || c.is_whitespace());
    words.any(looks_like_a_key) || is_words(value.trim()) && looks_like_a_secret(value)
}

fn looks_like_a_key(text: &str) -> bool {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    KEY_DIGITS.contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_mnemonics_look_like_secrets_even_if_mistyped() {
        let key = "aB".repeat(32);
        let words = |count| vec!["test"; count].join(" ");
        for secret in [&*key, &format!("0x{key}"), &format!(" 0x{key}\n"), &key[1..], &words(12)] {
            assert!(looks_like_a_secret(secret), "{secret}");
        }
        let address = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        for other in ["", "key.json", address, &words(11), &format!("{key}.json")] {
            assert!(!looks_like_a_secret(other), "{other}");
        }
    }
}
