//! Numbers, times and amounts as people read them.

use canon_protocol::{Amount, Fraction, Seconds, Timestamp};

/// `1,234,567`.
pub fn grouped(number: impl Into<u128>) -> String {
    let digits = number.into().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Whole tokens with thousands separators, and as many decimals as the amount has.
pub fn tokens(amount: Amount) -> String {
    let unit = Amount::TOKEN.get();
    let whole = grouped(amount.get() / unit);
    match amount.get() % unit {
        0 => whole,
        rest => format!("{whole}.{}", format!("{rest:018}").trim_end_matches('0')),
    }
}

/// `10 %`, `33.3 %`.
pub(crate) fn percent(fraction: Fraction) -> String {
    let hundredth = 10_000_000_000_000_000;
    let whole = fraction.get() / hundredth;
    match fraction.get() % hundredth {
        0 => format!("{whole} %"),
        rest => format!("{whole}.{} %", format!("{rest:016}").trim_end_matches('0')),
    }
}

/// The two largest units of a duration: `1 h 30 min`, `3 d`, `90 s` as `1 min 30 s`.
pub(crate) fn duration(seconds: Seconds) -> String {
    let units = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let mut rest = seconds.get();
    let mut parts = Vec::new();
    for (name, size) in units {
        if rest >= size {
            parts.push(format!("{} {name}", rest / size));
            rest %= size;
        }
    }
    parts.truncate(2);
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}

/// Hours, minutes and seconds since the beginning, with days from the second on: `+0:04:12`,
/// `+3d 00:00:00`.
pub(crate) fn elapsed(seconds: Seconds) -> String {
    let (days, rest) = (seconds.get() / 86_400, seconds.get() % 86_400);
    let (hours, minutes, seconds) = (rest / 3600, rest / 60 % 60, rest % 60);
    match days {
        0 | 1 => format!("+{}:{minutes:02}:{seconds:02}", days * 24 + hours),
        _ => format!("+{days}d {hours:02}:{minutes:02}:{seconds:02}"),
    }
}

/// `09:00:12`, in UTC.
pub(crate) fn clock(time: Timestamp) -> String {
    civil(time).map_or_else(|| time.to_string(), |at| at.strftime("%H:%M:%S").to_string())
}

/// `Tue 2026-12-01`, in UTC.
pub(crate) fn date(time: Timestamp) -> String {
    civil(time).map_or_else(|| time.to_string(), |at| at.strftime("%a %Y-%m-%d").to_string())
}

/// `09:00:12`, with `12-01 ` before it if the other time is of another day.
pub(crate) fn beside(time: Timestamp, other: Timestamp) -> String {
    if date(time) == date(other) {
        return clock(time);
    }
    civil(time).map_or_else(|| time.to_string(), |at| at.strftime("%m-%d %H:%M:%S").to_string())
}

/// `09:00:12 (in 1 h)`, for a time that is to come. Longer times are rounded to minutes.
pub(crate) fn ahead(time: Timestamp, now: Timestamp) -> String {
    let text = beside(time, now);
    match time.since(now) {
        Some(left) if left > Seconds::ZERO => format!("{text} (in {})", duration(about(left))),
        _ => text,
    }
}

/// Without the seconds, where they are few beside the minutes.
fn about(time: Seconds) -> Seconds {
    if time.get() < 300 {
        return time;
    }
    Seconds::new((time.get() + 30) / 60 * 60).unwrap_or(time)
}

/// `2026-12-01 09:00:12 UTC`.
pub(crate) fn utc(time: Timestamp) -> String {
    civil(time)
        .map_or_else(|| time.to_string(), |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

fn civil(time: Timestamp) -> Option<jiff::Zoned> {
    let second = i64::try_from(time.get()).ok()?;
    Some(jiff::Timestamp::from_second(second).ok()?.to_zoned(jiff::tz::TimeZone::UTC))
}

/// `1 block`, `2 blocks`.
pub fn count(number: u64, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{} {noun}s", grouped(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        assert_eq!(grouped(0_u64), "0");
        assert_eq!(grouped(999_u64), "999");
        assert_eq!(grouped(1_000_u64), "1,000");
        assert_eq!(grouped(1_234_567_u64), "1,234,567");
    }

    #[test]
    fn amounts_are_shown_in_tokens() {
        assert_eq!(tokens(Amount::of(12_345 * Amount::TOKEN.get())), "12,345");
        assert_eq!(tokens(Amount::of(Amount::TOKEN.get() / 2)), "0.5");
        assert_eq!(tokens(Amount::of(1)), "0.000000000000000001");
    }

    #[test]
    fn durations_have_at_most_two_units() {
        assert_eq!(duration(Seconds::of(0)), "0 s");
        assert_eq!(duration(Seconds::of(90)), "1 min 30 s");
        assert_eq!(duration(Seconds::of(5400)), "1 h 30 min");
        assert_eq!(duration(Seconds::of(90_061)), "1 d 1 h");
    }

    #[test]
    fn times_are_utc() {
        let time = Timestamp::of(1_796_115_612);
        assert_eq!(utc(time), "2026-12-01 09:00:12 UTC");
        assert_eq!(date(time), "Tue 2026-12-01");
        assert_eq!(clock(time), "09:00:12");
        let (day, soon) = (Timestamp::of(1_796_115_612 + 86_400), Timestamp::of(1_796_115_672));
        assert_eq!(beside(day, time), "12-02 09:00:12");
        assert_eq!(ahead(soon, time), "09:01:12 (in 1 min)");
        assert_eq!(elapsed(Seconds::of(3 * 3600 + 62)), "+3:01:02");
        assert_eq!(elapsed(Seconds::of(47 * 3600)), "+47:00:00");
        assert_eq!(elapsed(Seconds::of(48 * 3600 + 62)), "+2d 00:01:02");
    }
}
