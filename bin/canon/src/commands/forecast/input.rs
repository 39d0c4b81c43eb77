//! Values of this command alone.

use alloy_transport_http::reqwest::Url;

/// An endpoint.
pub(super) fn endpoint(text: &str) -> Result<Url, String> {
    let url = text.parse::<Url>().ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| "expected the URL of an endpoint, such as http://localhost:8545".to_owned())
}

/// How long failures last.
pub(super) fn outage(text: &str) -> Result<f64, String> {
    let slots = text.parse().ok().filter(|slots: &f64| slots.is_finite() && *slots >= 1.0);
    slots.ok_or_else(|| "expected a number of slots, 1 or more".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_values() {
        assert!(endpoint("http://localhost:8545").is_ok());
        assert!(endpoint("localhost:8545").is_err() && endpoint("ws://localhost").is_err());
        assert_eq!(outage("1.5"), Ok(1.5));
        assert!(outage("0.5").is_err() && outage("NaN").is_err() && outage("inf").is_err());
    }
}
