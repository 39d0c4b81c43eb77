//! The JSON of a view.

use crate::chain::{Chain, GOVERNANCE, PAYLOAD, ROLLUP, ViewedChain as _, harmless, named};
use canon_views::{Present, Question};
use serde_json::json;

#[test]
fn a_view_is_the_same_after_json() {
    let mut chain = Chain::voting(2000, 10);
    chain.propose(PAYLOAD, &harmless());
    let deadlines = chain.set.governance().proposals()[0].deadlines();
    chain.jump(deadlines.voting_starts());
    chain.signal(PAYLOAD);
    let mut view = chain.view_in(12);
    let text = serde_json::to_string(&view.present).unwrap();
    assert_eq!(serde_json::from_str::<Present>(&text).unwrap(), view.present);
    view = chain.view_of(view.present.next, &Question::default());
    let text = serde_json::to_string(&view.present).unwrap();
    assert_eq!(serde_json::from_str::<Present>(&text).unwrap(), view.present);
}

#[test]
fn addresses_have_checksums_and_amounts_are_strings() {
    let mut chain = Chain::voting(2000, 10);
    chain.propose(PAYLOAD, &harmless());
    chain.signal(PAYLOAD);
    let view = serde_json::to_value(&chain.view_in(12).present).unwrap();
    let alice = named("alice").to_checksum(None);
    assert_ne!(alice, alice.to_lowercase());
    let holder = &view["holders"][&alice];
    assert_eq!(holder["power"], json!("2000000000000000000000"));
    assert_eq!(holder["allowance"], json!("0"));
    assert_eq!(holder["ballots"]["0"]["cast"], json!({ "yea": "0", "nea": "0" }));
    assert_eq!(view["addresses"]["governance"], json!(GOVERNANCE.to_checksum(None)));
    let rollup = &view["rollups"][ROLLUP.to_checksum(None)];
    let attester = &rollup["attesters"][named("attester 1").to_checksum(None)];
    assert_eq!(attester["withdrawer"], json!(named("withdrawer 1").to_checksum(None)));
    assert_eq!(view["block"]["timestamp"], json!(chain.now().get()));
    assert_eq!(
        view["signaling"]["rounds"][0]["leader"]["payload"],
        json!(PAYLOAD.to_checksum(None))
    );
}

/// Values that tests don't reach can have any number of digits, so the declarations are checked instead.
#[test]
fn no_field_of_a_view_has_a_wide_type_that_json_readers_round() {
    const WIDE: [&str; 5] = ["u64", "i64", "u128", "i128", "usize"];
    const FILES: [&str; 6] = [
        "intent/mod.rs",
        "intent/kinds.rs",
        "present.rs",
        "proposal.rs",
        "signals.rs",
        "calendar.rs",
    ];
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let (mut fields, mut rounded) = (0, Vec::new());
    for file in FILES {
        let text = std::fs::read_to_string(format!("{folder}/{file}")).unwrap();
        let mut attributes = Vec::new();
        for line in text.lines().map(str::trim) {
            if line.starts_with('#') {
                attributes.push(line);
                continue;
            }
            // In a declaration, nothing but a comma follows the type.
            let field = line.strip_suffix(',').and_then(|line| line.split_once(": "));
            if let Some((name, declared)) = field.filter(|_| !line.starts_with("//")) {
                let mut words = declared.split(|one: char| !one.is_alphanumeric());
                fields += 1;
                let is_decimal = attributes.iter().any(|one| one.contains("text::decimal"));
                if words.any(|word| WIDE.contains(&word)) && !is_decimal {
                    rounded.push(format!("{file}: {name}: {declared}"));
                }
            }
            if !line.starts_with("///") {
                attributes.clear();
            }
        }
    }
    assert!(fields > 80, "{fields} fields were read");
    assert_eq!(
        rounded, [""; 0],
        "each needs a quantity's type, or #[serde(with = \"text::decimal\")]"
    );
}
