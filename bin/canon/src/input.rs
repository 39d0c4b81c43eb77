//! Numbers that several commands take.

use canon_rehearsal::text::grouped;

/// A parser of whole numbers. It accepts any of 64 bits, and names `least` and `most` when it refuses
/// a text: whoever uses the number judges the bounds that depend on other input.
pub(crate) fn whole(
    least: u64,
    most: u64,
) -> impl Fn(&str) -> Result<u64, String> + Clone + Send + Sync + 'static {
    move |text| {
        text.parse().map_err(|_| {
            format!("expected a whole number from {} to {}", grouped(least), grouped(most))
        })
    }
}
