//! Values that only this command takes.

/// Parses the mean length of an outage, in slots.
pub(super) fn outage(text: &str) -> Result<f64, String> {
    let slots = text.parse().ok().filter(|slots: &f64| slots.is_finite() && *slots >= 1.0);
    slots.ok_or_else(|| "expected a number of slots, 1 or more".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_values() {
        assert_eq!(outage("1.5"), Ok(1.5));
        assert!(outage("0.5").is_err() && outage("NaN").is_err() && outage("inf").is_err());
    }
}
