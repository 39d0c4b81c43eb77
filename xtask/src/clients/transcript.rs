//! What a suite observes, and the comparison of two transcripts.

use eyre::{Result, WrapErr as _, ensure, eyre};
use serde_json::Value;

/// The names under which nodes and libraries may show nothing. Anything else that isn't there is
/// refused, even if both chains show it: it would be equal, too, if its name were misspelled.
const MAY_BE_ABSENT: &[&str] = &[
    // Of blocks, transactions and receipts.
    "to",
    "contractAddress",
    "totalDifficulty",
    "root",
    "removed",
    "networkV",
    "blobGasUsed",
    "blobGasPrice",
    "blobVersionedHashes",
    "maxFeePerBlobGas",
    // Of the rules of a chain.
    "next",
    "last",
    // What a suite looks for and doesn't find.
    "no code yet",
    "block 1: code",
    "unknown",
    "unknown hash",
    "unknown number",
    "waiting",
    // Of logs that no ABI describes, and of errors without data.
    "args",
    "not estimated",
    "revert of an estimate",
    "revert of a plain call",
];

/// What the suites in JavaScript show for a value that isn't there.
const UNDEFINED: &str = "(undefined)";

/// A step: what was observed, and the error that ended it early.
#[derive(Debug)]
struct Step {
    name: String,
    seen: Value,
    failed: Option<String>,
}

/// The steps of a suite on one node.
#[derive(Debug)]
pub(super) struct Transcript {
    steps: Vec<Step>,
}

/// What the comparison of two transcripts found.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    pub(super) steps: usize,
    pub(super) values: usize,
    /// The differences, a line each.
    pub(super) differences: Vec<String>,
}

impl Transcript {
    /// Reads a transcript: JSON, a line for each step.
    ///
    /// # Errors
    ///
    /// If a line isn't a step, or a name appears twice.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut steps: Vec<Step> = Vec::new();
        for line in text.lines() {
            let step = Self::step(line).wrap_err_with(|| format!("expected a step: {line}"))?;
            ensure!(steps.iter().all(|earlier| earlier.name != step.name), "{} twice", step.name);
            steps.push(step);
        }
        Ok(Self { steps })
    }

    fn step(line: &str) -> Result<Step> {
        let mut line: Value = serde_json::from_str(line)?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Ok(Step {
            name: text(&line["step"]).ok_or_else(|| eyre!("it has no name"))?,
            failed: text(&line["failed"]),
            seen: line["seen"].take(),
        })
    }

    /// Compares this transcript, the devchain's, with anvil's.
    pub(super) fn compare(&self, theirs: &Self) -> Comparison {
        let mut found = Comparison::default();
        for step in &self.steps {
            let Some(other) = theirs.steps.iter().find(|other| other.name == step.name) else {
                found.differences.push(format!("{}: only on the devchain", step.name));
                continue;
            };
            found.steps += 1;
            for (whose, step) in [("the devchain", step), ("anvil", other)] {
                if let Some(error) = &step.failed {
                    found.differences.push(format!("{}: failed on {whose}: {error}", step.name));
                }
            }
            compare(
                (&step.name, ""),
                (&step.seen, &other.seen),
                &mut found.values,
                &mut found.differences,
            );
        }
        for other in &theirs.steps {
            if self.steps.iter().all(|step| step.name != other.name) {
                found.differences.push(format!("{}: only on anvil", other.name));
            }
        }
        found
    }
}

/// Compares two values down to those that aren't lists or objects, and counts these. They have a
/// place and a name.
fn compare(
    (place, name): (&str, &str),
    (ours, theirs): (&Value, &Value),
    values: &mut usize,
    differences: &mut Vec<String>,
) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let keys = ours.keys().chain(theirs.keys().filter(|key| !ours.contains_key(*key)));
            for key in keys {
                let [ours, theirs] =
                    [ours, theirs].map(|object| object.get(key).unwrap_or(&Value::Null));
                let place = format!("{place} / {key}");
                compare((&place, key), (ours, theirs), values, differences);
            }
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            for (index, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                let place = format!("{place} / {index}");
                compare((&place, name), (ours, theirs), values, differences);
            }
        }
        _ => {
            *values += 1;
            if ours != theirs {
                differences.push(format!("{place}: ours {ours}, anvil's {theirs}"));
            } else if (ours.is_null() || ours == UNDEFINED) && !MAY_BE_ABSENT.contains(&name) {
                differences.push(format!("{place}: {ours} on both, so that nothing was compared"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(ours: &str, theirs: &str) -> Comparison {
        let [ours, theirs] = [ours, theirs].map(|text| Transcript::parse(text).unwrap());
        ours.compare(&theirs)
    }

    const OURS: &str = r#"{"step":"a","seen":{"gas":"1","logs":[1,2]}}
{"step":"b","seen":{"x":true}}"#;

    #[test]
    fn equal_transcripts_have_no_difference() {
        let found = found(OURS, OURS);
        assert_eq!((found.steps, found.values, found.differences.len()), (2, 4, 0));
    }

    #[test]
    fn a_difference_is_shown_with_its_place_and_both_values() {
        let theirs = OURS.replace("[1,2]", "[1,3]").replace("{\"x\":true}", "{}");
        let expected = ["a / logs / 1: ours 2, anvil's 3", "b / x: ours true, anvil's null"];
        assert_eq!(found(OURS, &theirs).differences, expected);
    }

    #[test]
    fn what_is_absent_on_both_is_a_difference_unless_it_may_be() {
        for absent in ["null", "\"(undefined)\""] {
            let step = |name: &str| format!(r#"{{"step":"a","seen":{{"{name}":[{absent}]}}}}"#);
            let expected = format!("a / typo / 0: {absent} on both, so that nothing was compared");
            assert_eq!(found(&step("typo"), &step("typo")).differences, [expected]);
            assert_eq!(found(&step("to"), &step("to")).differences, [""; 0]);
        }
    }

    #[test]
    fn a_step_that_fails_or_is_missing_is_a_difference_even_if_it_fails_on_both() {
        let ours = r#"{"step":"a","seen":{},"failed":"no"}"#;
        let expected = ["a: failed on the devchain: no", "a: failed on anvil: no"];
        assert_eq!(found(ours, ours).differences, expected);
        assert_eq!(found("", ours).differences, ["a: only on anvil"]);
        assert_eq!(found(ours, "").differences, ["a: only on the devchain"]);
    }

    #[test]
    fn a_line_that_is_no_step_and_a_name_used_twice_are_refused() {
        assert!(Transcript::parse("{}").is_err());
        let twice = "{\"step\":\"a\",\"seen\":{}}\n{\"step\":\"a\",\"seen\":{}}";
        assert_eq!(Transcript::parse(twice).unwrap_err().to_string(), "a twice");
    }
}
