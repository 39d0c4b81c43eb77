//! Numbers without units, as they occur in all quantities.

use super::ErrorKind;
use core::fmt;

/// The value of digits with up to `places` decimals, in units of the last place. A value beyond 128 bits
/// saturates, and is then out of all bounds.
pub(super) fn scaled(text: &str, places: usize) -> Result<u128, ErrorKind> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, decimals) = match text.split_once('.') {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (text, None),
    };
    let whole = self::whole(whole).ok_or(ErrorKind::Malformed)?;
    let decimals = match decimals {
        Some(decimals) if !are_digits(decimals) => return Err(ErrorKind::Malformed),
        Some(decimals) if decimals.len() > places => return Err(ErrorKind::TooManyDecimals),
        Some(decimals) => format!("{decimals:0<places$}").parse().unwrap_or(u128::MAX),
        None => 0,
    };
    if negative {
        return Err(ErrorKind::OutOfRange);
    }
    let unit = 10_u128.saturating_pow(u32::try_from(places).unwrap_or(u32::MAX));
    Ok(whole.saturating_mul(unit).saturating_add(decimals))
}

/// The value of digits, in groups of three or without separators.
pub(super) fn whole(text: &str) -> Option<u128> {
    let groups: Vec<&str> = match text.find([',', '_']) {
        None => vec![text],
        Some(first) => {
            // Both separators are ASCII.
            let groups: Vec<_> = text.split(char::from(text.as_bytes()[first])).collect();
            let (head, tail) = groups.split_first()?;
            if head.len() > 3 || tail.iter().any(|group| group.len() != 3) {
                return None;
            }
            groups
        }
    };
    groups.iter().all(|group| are_digits(group)).then_some(())?;
    Some(groups.concat().parse().unwrap_or(u128::MAX))
}

fn are_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `parts` of `10^places` as a decimal number: whole digits in groups of three, and as few decimals as
/// possible.
pub(super) fn decimal(parts: impl fmt::Display, places: usize) -> String {
    let digits = format!("{parts:0>width$}", parts = parts.to_string(), width = places + 1);
    let (whole, decimals) = digits.split_at(digits.len() - places);
    match decimals.trim_end_matches('0') {
        "" => grouped(whole),
        decimals => format!("{}.{decimals}", grouped(whole)),
    }
}

/// Digits in groups of three: `1,234,567`.
pub(super) fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
