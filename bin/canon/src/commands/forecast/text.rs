//! The text of probabilities, shares and other numbers of a forecast.

/// A share in percent, with at most one decimal.
pub(crate) fn percent(share: f64) -> String {
    format!("{} %", (share * 1000.0).round() / 10.0)
}

/// The probability below which a percentage with two decimals is 0.00.
pub(super) const NEGLIGIBLE: f64 = 0.000_05;

/// A probability. A number close to 1 may have been rounded, so nothing is called certain. Only an
/// impossible event is said to have no chance.
pub(crate) fn chance(chance: f64) -> String {
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

/// An estimate of a probability. Unlike in [`chance`], 0 doesn't mean impossible.
pub(super) fn estimate(chance: f64) -> String {
    format!("{:.2} %", chance * 100.0)
}

/// A mean number of rounds.
pub(super) fn mean(rounds: f64) -> String {
    if rounds < 1e6 { format!("{rounds:.2}") } else { format!("{rounds:.0e}") }
}

/// A bar for a share, with `width` columns for 1, in eighths of a column.
pub(super) fn bar(share: f64, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share * (width * 8) as f64).round() as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_near_0_and_1_are_not_rounded_to_none_or_certain() {
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
    fn bars_are_exact_to_an_eighth() {
        for (share, text) in [(0.0, ""), (0.5, "██"), (1.0, "████"), (0.1, "▍"), (0.97, "███▉")]
        {
            assert_eq!(bar(share, 4), text);
        }
        assert_eq!((&*mean(1.234), &*mean(2e12)), ("1.23", "2e12"));
    }
}
