//! The timeline as a person reads it in a terminal: four columns, chapters, no line too long.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use canon_protocol::Timestamp;

use super::{
    Entry, Timeline,
    event::Event,
    phrase::{Phrase, Tone, phrase},
};
use crate::text;

/// Columns of the whole output.
const WIDTH: usize = 96;
const WHO: usize = 14;
const GAS: usize = 11;

pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Yellow.on_default();
const NAME: Style = AnsiColor::Cyan.on_default();

/// The whole story since `start`. ANSI styles are always in it; the terminal's stream drops them.
pub(crate) fn render(timeline: &Timeline, start: Timestamp) -> String {
    let mut out = String::new();
    let mut chapter = None;
    let mut day = None;
    let wide = timeline
        .entries
        .last()
        .map_or(0, |entry| elapsed(entry, start).chars().count())
        .max("elapsed".len());
    for entry in &timeline.entries {
        let date = text::date(entry.time);
        if chapter != Some(entry.chapter) {
            chapter = Some(entry.chapter);
            let _ = writeln!(out, "\n{}", heading(&entry.chapter.to_string(), &date));
            if day.is_none() {
                columns(&mut out, wide);
            }
        } else if day.as_ref() != Some(&date) {
            let _ = writeln!(out, "{DIM}{date}{DIM:#}");
        }
        day = Some(date);
        line(&mut out, entry, start, wide);
    }
    out
}

fn elapsed(entry: &Entry, start: Timestamp) -> String {
    entry.time.since(start).map_or_else(String::new, text::elapsed)
}

fn columns(out: &mut String, wide: usize) {
    let what = WIDTH - (8 + 2 + wide + 2 + WHO + 2 + 2 + GAS);
    let _ = writeln!(
        out,
        "{DIM}{:8}  {:>wide$}  {:WHO$}  {:what$}  {:>GAS$}{DIM:#}",
        "UTC", "elapsed", "who", "what", "gas"
    );
}

fn line(out: &mut String, entry: &Entry, start: Timestamp, wide: usize) {
    let Phrase { tone, text, details } = phrase(&entry.what);
    let style = style(tone);
    let clock = text::clock(entry.time);
    let elapsed = elapsed(entry, start);
    let _ = write!(out, "{DIM}{clock}  {elapsed:>wide$}{DIM:#}  ");
    let indent = 8 + 2 + wide + 2 + WHO + 2;
    if let Event::Quiet { .. } = entry.what {
        let _ = writeln!(out, "{style}{text}{style:#}");
        return;
    }
    let who = entry.who.to_string();
    let _ = write!(out, "{NAME}{who:WHO$}{NAME:#}  ");
    let gas = entry.spent.map(|spent| text::grouped(spent.gas)).unwrap_or_default();
    let what = WIDTH - indent - 2 - GAS;
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
        for (position, next) in wrap(&detail, WIDTH - indent - 3).into_iter().enumerate() {
            let hang = if position == 0 { 0 } else { 3 };
            let _ = writeln!(out, "{:indent$}{:hang$}{DIM}{next}{DIM:#}", "", "");
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

/// A title with a rule behind it and a note at the right end.
pub(crate) fn heading(title: &str, note: &str) -> String {
    let used = 4 + title.chars().count() + note.chars().count() + usize::from(!note.is_empty());
    let rule = "─".repeat(WIDTH.saturating_sub(used));
    let gap = if note.is_empty() { "" } else { " " };
    format!("{DIM}──{DIM:#} {BOLD}{title}{BOLD:#} {DIM}{rule}{gap}{note}{DIM:#}")
}

/// Breaks a text at its blanks.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        let used = line.chars().count();
        if used == 0 {
            line.push_str(word);
        } else if used + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_break_at_blanks() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("unbreakable", 4), ["unbreakable"]);
        assert_eq!(wrap("", 4), [""]);
    }
}
