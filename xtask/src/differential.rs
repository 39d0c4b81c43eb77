//! Histories that run the rules and the bytecode in lockstep, for any number of calls.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use canon_differential::{Coverage, Difference, Histories, History};
use eyre::{Report, Result, WrapErr as _, eyre};

/// The histories that run.
enum Run {
    /// One history, to reproduce a difference.
    One(History),
    /// Many histories.
    All(Histories),
}

/// Runs histories with `--calls` calls in all: of the seed `--seed` if it is given, otherwise of all
/// seeds from `--from` on.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let run = options(&crate::flags(arguments, &["--calls", "--threads", "--from", "--seed"])?)?;
    let (outcome, time) = timed(|| match run {
        Run::One(history) => history.run(),
        Run::All(histories) => histories.run(),
    });
    let coverage = outcome.map_err(|difference| shrunk(*difference))?;
    println!("{coverage}");
    let threads = match run {
        Run::One(_) => 1,
        Run::All(histories) => histories.threads.get(),
    };
    let seconds = time.as_secs_f64();
    println!(
        "no difference in {} calls; {:.0} calls a second on one core ({seconds:.1} s, {threads} at a time)",
        coverage.calls,
        coverage.calls as f64 / seconds / threads as f64,
    );
    if matches!(run, Run::All(_)) {
        report_missing(&coverage);
    }
    Ok(())
}

fn options(flags: &BTreeMap<&str, &str>) -> Result<Run> {
    let number = |flag: &str| {
        let value = flags.get(flag).map(|value| {
            let number = value.parse::<u64>();
            number.wrap_err_with(|| format!("{flag}: expected a whole number, found {value}"))
        });
        value.transpose()
    };
    let calls = number("--calls")?.unwrap_or(1_000_000);
    let threads =
        usize::try_from(number("--threads")?.unwrap_or(1)).ok().and_then(NonZeroUsize::new);
    let threads = threads.ok_or_else(|| eyre!("--threads: expected 1 at least, found 0"))?;
    Ok(match number("--seed")? {
        Some(seed) => Run::One(History { seed, calls }),
        None => {
            let first_seed = number("--from")?.unwrap_or(1);
            Run::All(Histories { first_seed, calls, threads })
        }
    })
}

fn shrunk(difference: Difference) -> Report {
    eprintln!("{}\n\nshrinking {} steps …", difference.mismatch, difference.steps.len());
    Report::new(difference.shrink())
}

/// Runs `work` and measures its time.
#[expect(clippy::disallowed_methods, reason = "a measurement is of real time")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let result = work();
    (result, began.elapsed())
}

fn report_missing(coverage: &Coverage) {
    let states = coverage.missing_states().iter().map(ToString::to_string).collect();
    let refusals = coverage.missing_refusals().into_iter().map(str::to_owned).collect();
    let missing: [(&str, Vec<String>); 3] =
        [("refusals", refusals), ("events", coverage.missing_events()), ("states", states)];
    for (what, names) in missing {
        if !names.is_empty() {
            println!("{what} that were not reached: {}", names.join(", "));
        }
    }
}
