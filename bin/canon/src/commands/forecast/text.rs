//! Numbers and times as people read them.

use canon_protocol::{Amount, Fraction, Seconds, Timestamp};
pub(super) use canon_rehearsal::text::{count, grouped, tokens};

/// Whole tokens, rounded up: what is at least needed is enough. Fewer than a token stay exact.
pub(super) fn enough(amount: Amount) -> String {
    let unit = Amount::TOKEN.get();
    if amount.get() < unit { tokens(amount) } else { grouped(amount.get().div_ceil(unit)) }
}

/// A share in per cent, with one decimal at most.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", (share * 1000.0).round() / 10.0)
}

/// A fraction in per cent, exactly.
pub(super) fn fraction(fraction: Fraction) -> String {
    canon_chain::deploy::quantities::format_fraction(fraction).replace('%', " %")
}

/// What part of `whole` it is, in per cent with two decimals, rounded up.
pub(super) fn part(amount: Amount, whole: Amount) -> String {
    let hundredths = (amount.get() * 10_000).div_ceil(whole.get().max(1));
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}

/// Below it, two decimals of a chance in per cent are 0.00.
pub(super) const NEGLIGIBLE: f64 = 0.000_05;

/// A chance. Numbers this near to 1 can't be told from it, so nothing is called certain; and what can
/// happen is never said to have no chance.
pub(super) fn chance(chance: f64) -> String {
    if chance <= 0.0 {
        return "none".to_owned();
    }
    if chance < 1e-99 {
        return "< 1e-99".to_owned();
    }
    if chance < NEGLIGIBLE {
        return format!("{chance:.0e}");
    }
    if chance > 0.999_95 {
        return "> 99.99 %".to_owned();
    }
    format!("{:.2} %", chance * 100.0)
}

/// An estimate of a chance: that it wasn't seen says little.
pub(super) fn estimate(chance: f64) -> String {
    format!("{:.2} %", chance * 100.0)
}

/// A duration in its largest unit and the next one: `1 h 30 min`, `3 d`.
pub(super) fn duration(seconds: u64) -> String {
    const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let largest = UNITS.iter().position(|(_, size)| seconds >= *size);
    let Some(largest) = largest else { return "0 s".to_owned() };
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (name, size) in UNITS.iter().skip(largest).take(2) {
        if rest >= *size {
            parts.push(format!("{} {name}", rest / size));
            rest %= size;
        }
    }
    parts.join(" ")
}

/// `2026-12-01 09:00:12`, in UTC.
pub(super) fn date(time: Timestamp) -> String {
    let second = i64::try_from(time.get()).ok();
    let instant = second.and_then(|second| jiff::Timestamp::from_second(second).ok());
    instant.map_or_else(
        || format!("second {time}"),
        |instant| instant.strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

/// How long until a time: `in 3 d 4 h`. `None` has passed.
pub(super) fn until(after: Option<Seconds>) -> String {
    match after {
        None => "passed".to_owned(),
        Some(Seconds::ZERO) => "now".to_owned(),
        Some(after) => format!("in {}", duration(after.get())),
    }
}

/// A number of rounds on average.
pub(super) fn mean(rounds: f64) -> String {
    if rounds < 1e6 { format!("{rounds:.2}") } else { format!("{rounds:.0e}") }
}

/// A bar for a share, as wide as `width` for all of it, in eighths of a column.
pub(super) fn bar(share: f64, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share * (width * 8) as f64).round() as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_called_certain_or_impossible_that_is_not() {
        for (value, text) in [
            (0.0, "none"),
            (f64::MIN_POSITIVE, "< 1e-99"),
            (1e-9, "1e-9"),
            (0.5, "50.00 %"),
            (0.999_99, "> 99.99 %"),
            (1.0, "> 99.99 %"),
        ] {
            assert_eq!(chance(value), text);
        }
    }

    #[test]
    fn durations_have_at_most_two_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (61, "1 min 1 s"),
            (3_600, "1 h"),
            (3_660, "1 h 1 min"),
            (90_000, "1 d 1 h"),
            (8 * 86_400 + 1, "8 d"),
        ] {
            assert_eq!(duration(seconds), text);
        }
        assert_eq!(until(Some(Seconds::HOUR)), "in 1 h");
        assert_eq!((&*until(Some(Seconds::ZERO)), &*until(None)), ("now", "passed"));
    }

    #[test]
    fn times_are_utc() {
        assert_eq!(date(Timestamp::of(1_796_115_612)), "2026-12-01 09:00:12");
        assert_eq!(date(Timestamp::MAX), "second 1099511627775");
    }

    #[test]
    fn amounts_are_tokens() {
        let half = Amount::of(Amount::TOKEN.get() / 2);
        let more = Amount::of(1_500 * Amount::TOKEN.get() + 1);
        assert_eq!((&*tokens(half), &*enough(half)), ("0.5", "0.5"));
        assert_eq!((&*tokens(more), &*enough(more)), ("1,500.000000000000000001", "1,501"));
        assert_eq!(part(Amount::of(665_001), Amount::of(1_000_000)), "66.51 %");
        assert_eq!(part(Amount::ZERO, Amount::ZERO), "0.00 %");
        assert_eq!(fraction(Fraction::percent(20)), "20 %");
    }

    #[test]
    fn bars_are_exact_to_an_eighth() {
        for (share, text) in [(0.0, ""), (0.5, "██"), (1.0, "████"), (0.1, "▍"), (0.97, "███▉")]
        {
            assert_eq!(bar(share, 4), text);
        }
        assert_eq!((&*mean(1.234), &*mean(2e12)), ("1.23", "2e12"));
    }

    #[test]
    fn things_are_counted() {
        assert_eq!((&*count(1, "seat"), &*count(1_000, "seat")), ("1 seat", "1,000 seats"));
    }
}
