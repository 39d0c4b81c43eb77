//! The timeline as text for a terminal: four columns, with chapters, and lines of limited width.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use canon_protocol::{ForeignText, Timestamp, text};

use super::{
    Entry, Timeline,
    event::TimelineEvent,
    phrase::{Phrase, Tone, phrase},
};

const GAS: usize = 10;

pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Yellow.on_default();
const NAME: Style = AnsiColor::Cyan.on_default();

/// The whole timeline since `start`, in so many columns. It always has ANSI styles; the terminal's stream removes them
/// if needed.
pub(crate) fn render(timeline: &Timeline, start: Timestamp, width: usize) -> String {
    let mut out = String::new();
    let mut chapter = None;
    let mut day = None;
    let columns = Columns::of(timeline, start, width);
    for entry in &timeline.entries {
        let date = text::Time(entry.time).date().to_string();
        if chapter != Some(entry.chapter) {
            chapter = Some(entry.chapter);
            let _ = writeln!(out, "\n{}", heading(&entry.chapter.to_string(), &date, width));
            if day.is_none() {
                columns.head(&mut out);
            }
        } else if day.as_ref() != Some(&date) {
            let _ = writeln!(out, "{DIM}{date}{DIM:#}");
        }
        day = Some(date);
        columns.line(&mut out, entry, start);
    }
    out
}

fn elapsed(entry: &Entry, start: Timestamp) -> String {
    let since = entry.time.since(start);
    since.map_or_else(String::new, |since| text::Duration(since).elapsed().to_string())
}

/// The column widths that depend on the timeline.
struct Columns {
    width: usize,
    elapsed: usize,
    who: usize,
}

impl Columns {
    fn of(timeline: &Timeline, start: Timestamp, width: usize) -> Self {
        let longest = |text: &dyn Fn(&Entry) -> String, least: &str| {
            let texts = timeline.entries.iter().map(|entry| text(entry).chars().count());
            texts.max().unwrap_or_default().max(least.len())
        };
        Self {
            width,
            elapsed: longest(&|entry| elapsed(entry, start), "elapsed"),
            who: longest(&|entry| entry.who.to_string(), "who"),
        }
    }

    /// The column at which the actors begin.
    const fn who_starts(&self) -> usize {
        8 + 2 + self.elapsed + 2
    }

    const fn what_starts(&self) -> usize {
        self.who_starts() + self.who + 2
    }

    const fn what(&self) -> usize {
        self.width.saturating_sub(self.what_starts() + 2 + GAS)
    }

    fn head(&self, out: &mut String) {
        let Self { elapsed, who, .. } = *self;
        let what = self.what();
        let _ = writeln!(
            out,
            "{DIM}{:8}  {:>elapsed$}  {:who$}  {:what$}  {:>GAS$}{DIM:#}",
            "UTC", "elapsed", "who", "what", "gas"
        );
    }

    fn line(&self, out: &mut String, entry: &Entry, start: Timestamp) {
        let Phrase { tone, text, details } = phrase(entry.who, &entry.what, entry.time);
        let style = style(tone);
        let (time, since, wide) =
            (text::Time(entry.time).clock(), elapsed(entry, start), self.elapsed);
        let _ = write!(out, "{DIM}{time}  {since:>wide$}{DIM:#}  ");
        if let TimelineEvent::Quiet { .. } = entry.what {
            let indent = self.who_starts();
            for (position, line) in
                wrap(&text, self.width.saturating_sub(indent)).into_iter().enumerate()
            {
                let hang = if position == 0 { 0 } else { indent };
                let _ = writeln!(out, "{:hang$}{style}{line}{style:#}", "");
            }
            return;
        }
        let (who, wide, indent, what) =
            (entry.who.to_string(), self.who, self.what_starts(), self.what());
        let _ = write!(out, "{NAME}{who:wide$}{NAME:#}  ");
        let gas = entry.spent.map(|spent| text::grouped(spent.gas).to_string()).unwrap_or_default();
        let mut lines = wrap(&text, what).into_iter();
        let first = lines.next().unwrap_or_default();
        let _ = if gas.is_empty() {
            writeln!(out, "{style}{first}{style:#}")
        } else {
            let pad = what.saturating_sub(first.chars().count());
            writeln!(out, "{style}{first}{style:#}{:pad$}  {DIM}{gas:>GAS$}{DIM:#}", "")
        };
        for next in lines {
            let _ = writeln!(out, "{:indent$}{style}{next}{style:#}", "");
        }
        for detail in details {
            for (position, next) in
                wrap(&detail, self.width.saturating_sub(indent + 3)).into_iter().enumerate()
            {
                let hang = if position == 0 { 0 } else { 3 };
                let _ = writeln!(out, "{:indent$}{:hang$}{DIM}{next}{DIM:#}", "", "");
            }
        }
    }
}

const fn style(tone: Tone) -> Style {
    match tone {
        Tone::Plain => Style::new(),
        Tone::Quiet => DIM,
        Tone::Strong => BOLD,
        Tone::Good => GOOD,
        Tone::Bad => BAD,
    }
}

/// A title, followed by a rule and a note at the right end.
pub(crate) fn heading(title: &str, note: &str, width: usize) -> String {
    let used = 4 + title.chars().count() + note.chars().count() + usize::from(!note.is_empty());
    let rule = "─".repeat(width.saturating_sub(used));
    let gap = if note.is_empty() { "" } else { " " };
    format!("{DIM}──{DIM:#} {BOLD}{title}{BOLD:#} {DIM}{rule}{gap}{note}{DIM:#}")
}

/// Breaks a text at its spaces, but neither between a number and its unit nor before an ellipsis.
/// Invisible characters are escaped, because the text may contain names from the scenario and
/// reasons from contracts.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words(&ForeignText::new(text).to_string()) {
        let line = lines.last_mut().expect("there is always a line");
        let used = line.chars().count();
        if used == 0 {
            line.push_str(&word);
        } else if used + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(&word);
        } else {
            lines.push(word);
        }
    }
    lines
}

fn words(text: &str) -> Vec<String> {
    const UNITS: [&str; 5] = ["%", "s", "min", "h", "d"];
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let unit = UNITS.contains(&word.trim_end_matches([',', ';', '.', ')']));
        match words.last_mut() {
            Some(last) if word == "…" || (unit && last.ends_with(|c: char| c.is_ascii_digit())) =>
            {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_break_at_blanks() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("unbreakable", 4), ["unbreakable"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("turnout 100 %", 11), ["turnout", "100 %"]);
    }

    #[test]
    fn what_is_not_visible_is_escaped_and_takes_its_columns() {
        assert_eq!(wrap("a \u{1b}[31m b", 10), ["a", r"\u{1b}[31m", "b"]);
    }
}
