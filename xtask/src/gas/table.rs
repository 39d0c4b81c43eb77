//! The tables of the measurements.

use canon_protocol::text::grouped;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets::ASCII_MARKDOWN};
use eyre::{OptionExt, Result};

use super::{
    earlier,
    floor::{Floor, Kind},
    samples::{Call, Range, Samples},
};

/// The columns of the terminal.
const WIDTH: u16 = 120;

/// A call of ours, with all figures that it is compared with.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) call: Call,
    ours: Range,
    earlier: Option<Range>,
    limit: u64,
    floor: Floor,
}

impl Line {
    /// One line per call.
    pub(super) fn all(ours: &Samples, earlier: &Samples) -> Result<Vec<Self>> {
        let line = |call: Call| {
            let range = ours.get(call)?.clone();
            let floor = Floor::of(call, &range.input)?;
            let earlier = earlier.get(call).cloned();
            Some(Self { call, limit: ours.limit(call)?, ours: range, earlier, floor })
        };
        Call::LIMITED
            .map(line)
            .into_iter()
            .collect::<Option<_>>()
            .ok_or_eyre("a call was not measured")
    }

    pub(super) const fn is_above_limit(&self) -> bool {
        self.ours.most > self.limit
    }

    /// The gas above the floor, which our code uses for computation.
    fn computing(&self) -> u64 {
        self.ours.most.saturating_sub(self.floor.total())
    }
}

/// Our system compared with the earlier system, the floor and the limit.
pub(super) fn comparison(lines: &[Line]) -> String {
    let mut table =
        empty(&["call", earlier::VERSION, "ours", "ratio", "floor", "above it", "at most"]);
    for line in lines {
        let (was, less) = line.earlier.as_ref().map_or_else(
            || ("-".to_owned(), "-".to_owned()),
            |was| (range(was), format!("{:.2}", was.most as f64 / line.ours.most as f64)),
        );
        table.add_row([
            line.call.name().to_owned(),
            was,
            range(&line.ours),
            less,
            grouped(line.floor.total()).to_string(),
            grouped(line.computing()).to_string(),
            format!("{}{}", if line.is_above_limit() { "!! " } else { "" }, grouped(line.limit)),
        ]);
    }
    finish(table)
}

/// The gas of calls in both systems, without a floor or a limit.
pub(super) fn beside(title: &str, calls: &[Call], ours: &Samples, earlier: &Samples) -> String {
    let mut table = empty(&[title, earlier::VERSION, "ours", "ratio"]);
    for call in calls {
        let [ours, was] = [ours, earlier].map(|samples| samples.get(*call));
        let gas = |measured: Option<&Range>| measured.map_or_else(|| "-".to_owned(), range);
        let ratio = match (ours, was) {
            (Some(ours), Some(was)) => format!("{:.2}", was.most as f64 / ours.most as f64),
            _ => "-".to_owned(),
        };
        table.add_row([call.name().to_owned(), gas(was), gas(ours), ratio]);
    }
    finish(table)
}

/// The parts of the floors, in gas.
pub(super) fn floors(lines: &[Line]) -> String {
    let mut table = empty(&[
        "call", "base", "input", "calls", "again", "slots", "new", "old", "logs", "other", "floor",
    ]);
    for Line { call, floor, .. } in lines {
        let digits = |gas: u64| grouped(gas).to_string();
        let kinds = Kind::ALL.map(|kind| digits(floor.gas_of(kind)));
        let row = [call.name().to_owned(), digits(floor.base()), digits(floor.calldata())];
        let total = digits(floor.total());
        table.add_row(row.into_iter().chain(kinds).chain([total]));
    }
    finish(table)
}

/// The accesses, writes and logs of the floors, by name.
pub(super) fn expenses(lines: &[Line]) -> String {
    let mut text = String::new();
    for Line { call, floor, .. } in lines {
        text += call.name();
        text.push('\n');
        for kind in Kind::ALL {
            let names = floor.list(kind);
            if !names.is_empty() {
                text += &wrapped(&format!("  {:9}", format!("{}:", kind.name())), &names);
            }
        }
    }
    text
}

/// The meaning of the columns.
pub(super) fn legend() -> String {
    format!(
        "\
Gas of whole transactions as in their receipts, from the least to the most that was observed; the
other columns are about the most. Both systems ran on one chain through one scenario: 48 stakers,
6 signals of 10 win, earlier rounds, proposals, holders and withdrawals exist, allowances are finite.
To lock is Governance.deposit, to leave initiateWithdraw, to stake Rollup.deposit.
{version}: the published bytecode of npm @aztec/l1-artifacts. A signal that comes before its epoch
is set up costs more there. Of two proposals of a kind one is contested: it costs more to execute.
floor: what the chain charges for what the protocol requires. above it: the gas above the floor.
!!: above the limit. ratio: the earlier system's gas divided by ours.
base: 21,000. input: 4 per zero byte, 16 per other (EIP-2028). calls: the first access to an
account, 2,600 (EIP-2929). again: the others, 100. slots: the first access to a slot, 2,100
(EIP-2929). new, old: what writing one costs besides, 20,000 if it was zero and 2,900 if it wasn't
(EIP-2200, EIP-2929). logs: 375, 375 per topic and 8 per byte. other: ecrecover.
",
        version = earlier::VERSION
    )
}

fn empty(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(ASCII_MARKDOWN)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header.iter().copied());
    table
}

fn finish(mut table: Table) -> String {
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{}\n", table.trim_fmt())
}

/// A list after its name, broken into lines.
fn wrapped(name: &str, items: &[&str]) -> String {
    let mut lines = vec![name.to_owned()];
    for (index, item) in items.iter().enumerate() {
        let comma = if index + 1 < items.len() { "," } else { "" };
        let last = lines.len() - 1;
        if lines[last].len() + item.len() + 2 > usize::from(WIDTH) {
            lines.push(" ".repeat(name.len()));
        }
        let last = lines.len() - 1;
        lines[last] += &format!(" {item}{comma}");
    }
    lines.join("\n") + "\n"
}

fn range(range: &Range) -> String {
    if range.least == range.most {
        return grouped(range.most).to_string();
    }
    format!("{} - {}", grouped(range.least), grouped(range.most))
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lists_are_broken() {
        let items = ["x".repeat(60), "y".repeat(60)];
        let text = wrapped("name:", &[&items[0], &items[1]]);
        assert_eq!(text, format!("name: {},\n      {}\n", items[0], items[1]));
    }
}
