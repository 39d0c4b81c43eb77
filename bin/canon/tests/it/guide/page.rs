//! The parts of a page of the guide that a test executes, from top to bottom.
//!
//! - Each command in a block `console` begins with `$ `; the lines below are its output. `…` stands for any
//!   text in a line, and on a line of its own for any number of lines.
//! - Commands end with exit code 0, or with the one that their heading names: `## Title (exit code 4)`.
//! - `<!-- test: … -->` is a directive, which readers don't see.

/// A part of a page that matters to a test.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The text of a directive.
    Directive { line: usize, text: String },
    /// The exit code of the commands that follow.
    ExitCode(i32),
    /// A command, with the output that the page shows.
    Command { line: usize, command: String, printed: Vec<String> },
}

/// The parts of a page.
pub(super) fn parts(page: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let directive = line.strip_prefix("<!-- test: ").and_then(|rest| rest.strip_suffix(" -->"));
        if let Some(text) = directive {
            parts.push(Part::Directive { line: number + 1, text: text.to_owned() });
        } else if let Some(title) = line.strip_prefix("## ") {
            let code = title.strip_suffix(')').and_then(|title| title.rsplit_once("(exit code "));
            parts.push(Part::ExitCode(code.map_or(0, |(_, code)| code.parse().unwrap())));
        } else if let Some(language) = line.strip_prefix("```") {
            let block: Vec<_> = lines.by_ref().take_while(|(_, line)| *line != "```").collect();
            if language == "console" {
                parts.extend(commands(&block));
            }
        }
    }
    parts
}

/// The commands in a block.
fn commands(block: &[(usize, &str)]) -> Vec<Part> {
    let mut commands = Vec::new();
    let mut is_continued = false;
    for (number, line) in block {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (None, Some(Part::Command { command, .. })) if is_continued => {
                command.push('\n');
                command.push_str(line);
            }
            (None, Some(Part::Command { printed, .. })) => printed.push((*line).to_owned()),
            (Some(command), _) => commands.push(Part::Command {
                line: number + 1,
                command: command.to_owned(),
                printed: Vec::new(),
            }),
            (None, _) => panic!("line {}: expected `$ ` and a command", number + 1),
        }
        is_continued = line.ends_with('\\') && (is_continued || line.starts_with("$ "));
    }
    commands
}

/// Whether lines of a page match the output of a command.
pub(super) fn stand_for(shown: &[String], printed: &[&str]) -> bool {
    match shown {
        [] => printed.is_empty(),
        [omission, rest @ ..] if omission == "…" => {
            (0..=printed.len()).any(|skipped| stand_for(rest, &printed[skipped..]))
        }
        [line, rest @ ..] => printed
            .split_first()
            .is_some_and(|(first, others)| stands_for(line, first) && stand_for(rest, others)),
    }
}

/// Whether a line of a page matches a printed line.
pub(super) fn stands_for(shown: &str, printed: &str) -> bool {
    let mut parts = shown.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = printed.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// The commands between backticks in the text of a page.
pub(super) fn inline(page: &str) -> impl Iterator<Item = &str> {
    // Of the parts between the fences of blocks, every second one is text.
    let text = page.split("```").step_by(2);
    text.flat_map(|text| text.split('`').skip(1).step_by(2))
        .filter(|code| code.starts_with("canon "))
}

/// The targets of a page's links.
pub(super) fn links(page: &str) -> impl Iterator<Item = &str> {
    page.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

#[test]
fn an_ellipsis_in_an_example_matches_any_text() {
    for (shown, printed, stands) in [
        (&["a 0x… b"][..], &["a 0x12 b"][..], true),
        (&["a 0x… b"], &["a 0x12 c"], false),
        (&["a …b… c"], &["a 1 b 2 c"], true),
        (&["a"], &["a "], false),
        (&["…", "b"], &["b"], true),
        (&["…", "b", "…"], &["a", "a", "b", "c"], true),
        (&["a", "…"], &["b"], false),
        (&[], &["a"], false),
        (&["a", "b"], &["a"], false),
    ] {
        let shown_lines: Vec<_> = shown.iter().map(|line| (*line).to_owned()).collect();
        assert_eq!(stand_for(&shown_lines, printed), stands, "{shown:?} {printed:?}");
    }
}

#[test]
fn a_page_has_commands_with_what_they_print_and_directives() {
    let page = "## A (exit code 4)\nText.\n<!-- test: slot 1 -->\n```console\n$ a \\\n  b\nc\n$ d\n```\n```toml\ne\n```\n";
    let command = |line, command: &str, printed: &[&str]| Part::Command {
        line,
        command: command.to_owned(),
        printed: printed.iter().map(|line| (*line).to_owned()).collect(),
    };
    let expected = [
        Part::ExitCode(4),
        Part::Directive { line: 3, text: "slot 1".to_owned() },
        command(5, "a \\\n  b", &["c"]),
        command(8, "d", &[]),
    ];
    assert_eq!(parts(page), expected);
}
