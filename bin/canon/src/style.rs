//! The styles of all texts for people. Reports are laid out as plain text; one rule adds the styles to whole lines:
//!
//! - a line at the margin that others are indented below is a heading, up to its first column of values; so is the
//!   label of such a column between them;
//! - `error`, `warning` and `note` as the label of a line, and an action that can't be executed, have their colors;
//! - addresses have one color;
//! - the time left for an action, `(3 min left)`, needs attention.
//!
//! anstream removes all of them where they aren't wanted: with `NO_COLOR`, with `TERM=dumb`, and without a terminal.

use std::ops::Range;

use anstyle::{AnsiColor, Style};

pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const NEXT: Style = AnsiColor::Cyan.on_default().bold();
/// The side that leads.
pub(crate) const LEADER: Style = AnsiColor::Green.on_default().bold();
pub(crate) const FAINT: Style = Style::new().dimmed();
const HEADING: Style = Style::new().bold();
const ADDRESS: Style = AnsiColor::Cyan.on_default();
const ATTENTION: Style = AnsiColor::Yellow.on_default();

/// The labels with a color of their own. A colon or a column of values follows them.
const LABELS: [(&str, Style); 3] = [("error", ERROR), ("warning", WARNING), ("note", WARNING)];

/// The first words about an action that can't be executed.
const OBSTACLES: [(&str, Style); 2] = [("CAN'T BE EXECUTED", ERROR), ("NO CODE", WARNING)];

/// The digits of an address.
const ADDRESS_DIGITS: usize = 40;

/// Adds styles to a text.
pub(crate) fn styled(text: &str) -> String {
    let mut styled = String::with_capacity(text.len());
    let mut lines = text.split_inclusive('\n').peekable();
    let mut is_below = false;
    while let Some(line) = lines.next() {
        let has_more = lines.peek().is_some_and(|next| is_indented(next));
        let has_label = is_below && line.trim_end().contains("  ");
        let mut parts: Vec<(Range<usize>, Style)> = Vec::new();
        parts.extend(label(line));
        if parts.is_empty() && (has_more || has_label) && !is_indented(line) {
            parts.extend(heading(line));
        }
        parts.extend(addresses(line).map(|part| (part, ADDRESS)));
        parts.extend(time_left(line).map(|part| (part, ATTENTION)));
        parts.sort_by_key(|(part, _)| part.start);
        let mut end = 0;
        for (part, style) in parts {
            // A part inside another one, such as an address in a heading, has the style of that one.
            if part.start < end {
                continue;
            }
            styled.push_str(&line[end..part.start]);
            styled.push_str(&format!("{style}{}{style:#}", &line[part.clone()]));
            end = part.end;
        }
        styled.push_str(&line[end..]);
        is_below = is_indented(line);
    }
    styled
}

fn is_indented(line: &str) -> bool {
    line.starts_with(' ') && !line.trim().is_empty()
}

/// The first column of a line at the margin.
fn heading(line: &str) -> Option<(Range<usize>, Style)> {
    let text = line.trim_end();
    let end = text.find("  ").unwrap_or(text.len());
    (end > 0).then_some((0..end, HEADING))
}

/// The label of a line.
fn label(line: &str) -> Option<(Range<usize>, Style)> {
    let start = line.len() - line.trim_start_matches(' ').len();
    let text = &line[start..];
    let labels = LABELS.into_iter().find_map(|(label, style)| {
        let rest = text.strip_prefix(label)?;
        let length = label.len() + usize::from(rest.starts_with(':'));
        (rest.starts_with(':') || rest.starts_with("  ")).then_some((length, style))
    });
    let mut obstacles = OBSTACLES.into_iter();
    let found = labels.or_else(|| {
        let (words, style) = obstacles.find(|(words, _)| text.starts_with(words))?;
        Some((words.len(), style))
    });
    found.map(|(length, style)| (start..start + length, style))
}

/// The addresses in a line.
fn addresses(line: &str) -> impl Iterator<Item = Range<usize>> {
    line.match_indices("0x").filter_map(|(start, _)| {
        let digits = line[start + 2..].chars().take_while(char::is_ascii_alphanumeric);
        let digits: String = digits.collect();
        let is_whole = !line[..start].ends_with(|before: char| before.is_ascii_alphanumeric());
        let is_address = is_whole
            && digits.len() == ADDRESS_DIGITS
            && digits.chars().all(|digit| digit.is_ascii_hexdigit());
        is_address.then_some(start..start + 2 + ADDRESS_DIGITS)
    })
}

/// The time left for an action, in parentheses.
fn time_left(line: &str) -> Option<Range<usize>> {
    let end = line.find(" left)")? + " left)".len();
    Some(line[..end].rfind('(')?..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text whose styles are shown by marks.
    fn marked(text: &str) -> String {
        let marks =
            [(ERROR, "!"), (WARNING, "?"), (HEADING, "#"), (ADDRESS, "@"), (ATTENTION, "%")];
        marks.into_iter().fold(styled(text), |text, (style, mark)| {
            text.replace(&style.to_string(), mark).replace("\x1b[0m", "~")
        })
    }

    #[test]
    fn each_part_of_a_report_has_its_style() {
        let address = format!("0x{}", "aB".repeat(20));
        let hash = format!("0x{}", "aB".repeat(32));
        for (plain, expected) in [
            ("Now\n  one\n", "#Now~\n  one\n".to_owned()),
            ("Rollup     7\n  one\n", "#Rollup~     7\n  one\n".to_owned()),
            ("One  1\n  x\nTwo  2\nThree\n", "#One~  1\n  x\n#Two~  2\nThree\n".to_owned()),
            // Nothing is indented below the last line, and a blank line is no text.
            ("As of block 7\n", "As of block 7\n".to_owned()),
            ("one\n\n  two\n", "one\n\n  two\n".to_owned()),
            ("  warning: no\n", "  ?warning:~ no\n".to_owned()),
            ("  error     cheap-seats\n", "  !error~     cheap-seats\n".to_owned()),
            ("  errors are rare\n", "  errors are rare\n".to_owned()),
            ("   NO CODE at it\n", "   ?NO CODE~ at it\n".to_owned()),
            ("   CAN'T BE EXECUTED: no\n", "   !CAN'T BE EXECUTED~: no\n".to_owned()),
            ("  push (round 3) (3 min left)\n", "  push (round 3) %(3 min left)~\n".to_owned()),
            (&format!("  {address}, {hash}\n"), format!("  @{address}~, {hash}\n")),
            (&format!("{address}  new\n  one\n"), format!("#{address}~  new\n  one\n")),
            (&format!("To {address}\n"), format!("To @{address}~\n")),
        ] {
            assert_eq!(marked(plain), expected);
            assert_eq!(anstream::adapter::strip_str(&styled(plain)).to_string(), plain);
        }
    }
}
