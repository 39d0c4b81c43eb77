//! Reading human units. Each function answers `None` for what it doesn't understand; the caller
//! knows the field and says what was expected.

use canon_protocol::{Amount, Fraction, Seconds};

/// `"90 s"`, `"1 h 30 min"`, `"3 d"`; also without the blanks.
pub(super) fn seconds(text: &str) -> Option<Seconds> {
    let mut rest = text.trim();
    let mut total: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, unit, tail) = number_and_unit(rest)?;
        let scale = match unit {
            "s" | "sec" | "second" | "seconds" => Seconds::SECOND,
            "m" | "min" | "minute" | "minutes" => Seconds::MINUTE,
            "h" | "hour" | "hours" => Seconds::HOUR,
            "d" | "day" | "days" => Seconds::DAY,
            _ => return None,
        };
        total = total.checked_add(scale.checked_mul(number)?.get())?;
        rest = tail;
    }
    Seconds::new(total)
}

/// Splits `"1 h 30 min"` into `1`, `"h"` and `"30 min"`.
fn number_and_unit(text: &str) -> Option<(u64, &str, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).filter(|end| *end > 0)?;
    let (number, rest) = text.split_at(digits);
    let rest = rest.trim_start();
    let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (unit, tail) = rest.split_at(letters);
    Some((number.parse().ok()?, unit, tail.trim_start()))
}

/// Whole or decimal tokens with up to 18 places: `"1,000"`, `"0.5"`.
pub fn tokens(text: &str) -> Option<Amount> {
    let (whole, places) = decimal(text.trim(), 18)?;
    Amount::new(whole.checked_mul(Amount::TOKEN.get())?.checked_add(places)?)
}

/// An amount of tokens, or two with `to` between them, the smaller first.
pub(super) fn token_range(text: &str) -> Option<(Amount, Amount)> {
    let Some((least, most)) = text.split_once(" to ") else {
        return tokens(text).map(|amount| (amount, amount));
    };
    let (least, most) = (tokens(least)?, tokens(most)?);
    (least <= most).then_some((least, most))
}

/// `"10 %"`, `"33.3 %"`.
pub(super) fn fraction(text: &str) -> Option<Fraction> {
    let (whole, places) = decimal(text.trim().strip_suffix('%')?.trim_end(), 16)?;
    let hundredth: u128 = 10_000_000_000_000_000;
    let parts = whole.checked_mul(hundredth)?.checked_add(places)?;
    Fraction::new(parts.try_into().ok()?)
}

/// A whole number with `,` or `_` between groups of three digits, or without.
pub fn whole(text: &str) -> Option<u64> {
    let (whole, places) = decimal(text.trim(), 0)?;
    if places == 0 { whole.try_into().ok() } else { None }
}

/// The digits before the point, and those behind it filled up to `places`.
fn decimal(text: &str, places: usize) -> Option<(u128, u128)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if text.ends_with('.') || fraction.len() > places {
        return None;
    }
    let whole = ungroup(whole)?.parse().ok()?;
    if !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let fraction = if places == 0 { 0 } else { format!("{fraction:0<places$}").parse().ok()? };
    Some((whole, fraction))
}

/// Removes `,` or `_` where they stand between groups of three.
fn ungroup(text: &str) -> Option<String> {
    let separator = text.chars().find(|c| matches!(c, ',' | '_'));
    let groups: Vec<&str> = separator.map_or_else(|| vec![text], |c| text.split(c).collect());
    let grouped = groups.len() > 1;
    let sound = groups.iter().enumerate().all(|(position, group)| {
        let length = match (grouped, position) {
            (false, _) => !group.is_empty(),
            (true, 0) => (1..=3).contains(&group.len()),
            (true, _) => group.len() == 3,
        };
        length && group.bytes().all(|digit| digit.is_ascii_digit())
    });
    sound.then(|| groups.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_units() {
        assert_eq!(seconds("90 s"), Some(Seconds::of(90)));
        assert_eq!(seconds("1 h 30 min"), Some(Seconds::of(5400)));
        assert_eq!(seconds("1h30m"), Some(Seconds::of(5400)));
        assert_eq!(seconds("3 d"), Some(Seconds::of(259_200)));
        for wrong in ["", "90", "s", "1.5 h", "-1 s", "1 fortnight", "1 h,", "99999999999 d"] {
            assert_eq!(seconds(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn amounts_are_read_in_tokens() {
        assert_eq!(tokens("1,000"), tokens("1000"));
        assert_eq!(tokens("1_000_000"), tokens("1000000"));
        assert_eq!(tokens("0.5"), Amount::new(Amount::TOKEN.get() / 2));
        assert_eq!(tokens("0.000000000000000001"), Amount::new(1));
        for wrong in
            ["", ".", "1.", "1,00", ",100", "1,000_000", "-1", "1e3", "0.0000000000000000001"]
        {
            assert_eq!(tokens(wrong), None, "{wrong:?}");
        }
        assert_eq!(tokens("79228162515"), None, "above 96 bits");
    }

    #[test]
    fn ranges_have_their_smaller_end_first() {
        let tokens = |n| Amount::of(n * Amount::TOKEN.get());
        assert_eq!(token_range("5 to 7"), Some((tokens(5), tokens(7))));
        assert_eq!(token_range("5"), Some((tokens(5), tokens(5))));
        assert_eq!(token_range("7 to 5"), None);
    }

    #[test]
    fn fractions_are_read_in_percent() {
        assert_eq!(fraction("10 %"), Some(Fraction::percent(10)));
        assert_eq!(fraction("33.3%"), Some(Fraction::of(333_000_000_000_000_000)));
        assert_eq!(fraction("100 %"), Some(Fraction::ONE));
        for wrong in ["10", "101 %", "%", "-1 %", "0.1"] {
            assert_eq!(fraction(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn whole_numbers_may_be_grouped() {
        assert_eq!(whole("60,000,000"), Some(60_000_000));
        assert_eq!(whole("7"), Some(7));
        assert_eq!(whole("7.0"), None);
    }
}
