//! Parsers of values that only this command takes.

use canon_protocol::{
    Fraction,
    text::{fraction, number},
};

/// The maximum mean length of an outage, in slots.
const MAX_OUTAGE: f64 = 1e6;

/// Parses a share. A bare number of 1 or more is refused, since it could be meant as a percentage.
pub(super) fn share(text: &str) -> Result<Fraction, String> {
    if let Ok(percent) = number::parse_within(text.trim(), 1..=100) {
        return Err(format!(
            "expected a share with its sign: write {percent}%, or a fraction of 1 such as 0.7"
        ));
    }
    fraction::parse_share(text).map_err(|error| format!("expected {}", error.expected()))
}

/// Parses the mean length of an outage, in slots.
pub(super) fn outage(text: &str) -> Result<f64, String> {
    let slots = text.parse().ok().filter(|slots: &f64| (1.0..=MAX_OUTAGE).contains(slots));
    slots.ok_or_else(|| "expected a number of slots from 1 to 1,000,000".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_values() {
        assert_eq!(outage("1.5"), Ok(1.5));
        assert_eq!(outage("1e6"), Ok(1e6));
        for text in ["0.5", "NaN", "inf", "1000001"] {
            assert_eq!(
                outage(text),
                Err("expected a number of slots from 1 to 1,000,000".to_owned())
            );
        }
    }

    #[test]
    fn a_bare_number_that_may_mean_percent_is_refused_as_a_share() {
        for (text, hint) in [("1", "write 1%"), ("100", "write 100%"), (" 62 ", "write 62%")] {
            let said = share(text).unwrap_err();
            assert!(said.contains(hint), "{text}: {said}");
        }
        assert_eq!(share("1%"), share("0.01"));
        assert_eq!(share("100 %"), Ok(Fraction::ONE));
        assert_eq!(share("0"), Ok(Fraction::ZERO));
        assert_eq!(share("1.0"), Ok(Fraction::ONE));
        assert!(share("101").unwrap_err().contains("0 % to 100 %"));
    }
}
