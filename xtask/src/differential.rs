//! The rules and the bytecode in step, for as many calls as one likes.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use canon_differential::{Coverage, Difference, History};
use eyre::{Result, WrapErr as _, bail, ensure};

/// Calls of one history, unless it is the last.
const CALLS_OF_A_HISTORY: u64 = 2_000;

struct Options {
    calls: u64,
    seed: u64,
    /// Whether `seed` is the only one.
    one: bool,
    threads: u64,
}

/// Plays histories until there were `--calls` calls: of one seed if `--seed` names it, else of all
/// seeds from `--from` on.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let options = options(crate::flags(arguments)?)?;
    let (outcome, whole) = timed(|| run(&options));
    let (coverage, busy) = outcome?;
    println!("{coverage}");
    println!(
        "no difference in {} calls; {:.0} calls a second on one core ({:.1} s on {} threads)",
        coverage.calls,
        coverage.calls as f64 / busy.as_secs_f64(),
        whole.as_secs_f64(),
        options.threads,
    );
    if !options.one {
        report_missing(&coverage);
    }
    Ok(())
}

fn options(flags: BTreeMap<&str, &str>) -> Result<Options> {
    let mut options = Options { calls: 1_000_000, seed: 1, one: false, threads: 1 };
    for (flag, value) in flags {
        let number = value
            .parse()
            .wrap_err_with(|| format!("{flag}: expected a whole number, found {value}"))?;
        match flag {
            "--calls" => options.calls = number,
            "--seed" => (options.seed, options.one) = (number, true),
            "--from" => options.seed = number,
            "--threads" => options.threads = number,
            _ => bail!("unknown flag {flag}: there are --calls, --seed, --from and --threads"),
        }
    }
    ensure!(options.threads > 0, "--threads: expected 1 at least, found 0");
    Ok(options)
}

/// What was met, and how long all threads together were busy.
fn run(options: &Options) -> Result<(Coverage, Duration)> {
    if options.one {
        let history = History { seed: options.seed, calls: options.calls };
        let (outcome, busy) = timed(|| history.play());
        return Ok((outcome.map_err(|difference| shrunk(*difference))?, busy));
    }
    let histories = options.calls.div_ceil(CALLS_OF_A_HISTORY);
    let next = AtomicU64::new(0);
    let all = Mutex::new((Coverage::default(), Duration::ZERO, None));
    thread::scope(|scope| {
        for _ in 0..options.threads {
            scope.spawn(|| work(options.seed, histories, &next, &all));
        }
    });
    let (coverage, busy, difference) = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    match difference {
        Some(difference) => Err(shrunk(*difference)),
        None => Ok((coverage, busy)),
    }
}

/// How long `work` takes.
#[expect(clippy::disallowed_methods, reason = "a measurement is of real time")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let result = work();
    (result, began.elapsed())
}

type Results = Mutex<(Coverage, Duration, Option<Box<Difference>>)>;

fn work(first: u64, histories: u64, next: &AtomicU64, all: &Results) {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= histories {
            return;
        }
        let history = History { seed: first + number, calls: CALLS_OF_A_HISTORY };
        let (outcome, busy) = timed(|| history.play());
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        all.1 += busy;
        match outcome {
            Ok(coverage) => all.0.add(&coverage),
            Err(difference) => {
                all.2.get_or_insert(difference);
                next.store(histories, Ordering::Relaxed);
                return;
            }
        }
    }
}

fn shrunk(difference: Difference) -> eyre::Report {
    eprintln!("{}\n\nshrinking {} steps …", difference.mismatch, difference.steps.len());
    eyre::Report::new(difference.shrink())
}

fn report_missing(coverage: &Coverage) {
    for (what, missing) in [
        ("refusals", coverage.missing_refusals().join(", ")),
        ("events", coverage.missing_events().join(", ")),
        ("states", format!("{:?}", coverage.missing_states())),
    ] {
        if !missing.is_empty() && missing != "[]" {
            println!("{what} that were not reached: {missing}");
        }
    }
}
