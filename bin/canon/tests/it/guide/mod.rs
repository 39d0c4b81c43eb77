//! The guide: its commands are run in order, and must print what it shows.

mod page;
mod setup;

use std::{
    fs,
    path::{Path, PathBuf},
};

use page::{Part, inline, links, parts, stand_for, stands_for};
use setup::GuideSetup;

/// The prefix of links to files outside the guide, from which the pages are published separately.
const REPOSITORY: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder of the pages.
fn folder() -> PathBuf {
    root().join("docs/guide/src")
}

fn read(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

/// Runs the commands of a page, and fails at the first one whose output isn't what the page shows.
async fn follow(name: &str) {
    let page = format!("{name}.md");
    let mut setup = None;
    let (mut code, mut last) = (0, String::new());
    for part in parts(&read(&page)) {
        if let Part::Directive { line, text } = &part {
            let name = format!("{name}-{line}");
            match &**text {
                "no set" => setup = Some(GuideSetup::empty(&name).await),
                "a set" => setup = Some(GuideSetup::with_set(&name).await),
                _ => {}
            }
        }
        let Some(setup) = &mut setup else { panic!("{page}: expected `no set` or `a set` first") };
        match part {
            Part::Directive { text, .. } => match *text.split(' ').collect::<Vec<_>>() {
                [_, "set"] => {}
                ["edit", name, ..] => {
                    let (from, to) = text[5 + name.len()..].split_once(" -> ").unwrap();
                    setup.edit(name, from.trim(), to);
                }
                ["let", variable, "be", label] => setup.set(variable, found(&last, label)),
                _ => setup.prepare(&text).await,
            },
            Part::ExitCode(expected) => code = expected,
            Part::Command { line, command, printed } => {
                let (command, shown) = agreed(command, printed, code);
                let found = tokio::task::block_in_place(|| match before_ctrl_c(&shown) {
                    None => setup.run(&command),
                    Some(last) => setup.run_until(&command, |line| stands_for(last, line)),
                });
                let text: Vec<_> = found.text.lines().map(str::trim_end).collect();
                println!("{page}:{line}: $ {command}\n{}", found.text);
                assert_eq!(found.code, Some(code), "{page}:{line}: $ {command}");
                assert!(
                    stand_for(&shown, &text),
                    "{page}:{line}: $ {command}\nprinted what is above, and the page shows\n{}",
                    shown.join("\n")
                );
                last = found.text;
            }
        }
    }
}

/// A command in the text is an example of one that a block runs, perhaps with further arguments.
#[test]
fn every_command_in_the_text_is_run_by_a_block() {
    let pages: Vec<_> = PAGES.iter().map(|page| (page, read(&format!("{page}.md")))).collect();
    let commands = |page: &str| {
        parts(page).into_iter().filter_map(|part| match part {
            Part::Command { command, .. } => Some(command),
            Part::Directive { .. } | Part::ExitCode(_) => None,
        })
    };
    let run: Vec<_> = pages.iter().flat_map(|(_, page)| commands(page)).collect();
    let is_run = |inline: &str| {
        run.iter().any(|command| {
            let mut words = command.split_whitespace();
            inline.split_whitespace().all(|word| words.any(|found| found == word))
        })
    };
    for (name, page) in &pages {
        for inline in inline(page) {
            // A placeholder, not a command.
            let is_form = inline.contains("COMMAND");
            assert!(is_form || is_run(inline), "{name}.md: no block runs `{inline}`");
        }
    }
}

/// Adds --yes to a command that would ask, since there is no terminal. Removes the question, and the empty line
/// before it, from the expected output. A page shows the question unless the command fails before it.
fn agreed(mut command: String, mut printed: Vec<String>, code: i32) -> (String, Vec<String>) {
    let asks = command.contains(" --account ") && before_ctrl_c(&printed).is_none();
    if asks && !command.contains(" --dry-run") {
        let question = printed.iter().position(|line| line.ends_with("? [y/N] y"));
        assert_eq!(question.is_some(), code == 0, "$ {command}: is its question shown?");
        if let Some(at) = question {
            printed.drain(at.saturating_sub(1)..=at);
        }
        command.push_str(" --yes");
    }
    (command, printed)
}

/// The line after which the reader presses Ctrl-C, in the output of a command that doesn't end by itself.
fn before_ctrl_c(shown: &[String]) -> Option<&str> {
    let at = shown.iter().position(|line| line == "^C")?;
    shown.get(at.checked_sub(1)?).map(String::as_str)
}

/// The address after a label in an output.
fn found(printed: &str, label: &str) -> String {
    let line = printed.lines().find_map(|line| line.trim_start().strip_prefix(label));
    line.unwrap_or_else(|| panic!("nothing is labelled {label}:\n{printed}")).trim().to_owned()
}

macro_rules! pages {
    ($($page:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $page() {
                follow(stringify!($page)).await;
            }
        )*

        const PAGES: &[&str] = &[$(stringify!($page)),*];
    };
}

pages! { start deploy operate keep hold write review trouble }

#[test]
fn every_page_is_in_the_summary_and_is_run() {
    let summary = read("SUMMARY.md");
    let mut listed: Vec<_> = links(&summary).collect();
    listed.sort_unstable();
    let mut pages: Vec<_> = PAGES.iter().map(|page| format!("{page}.md")).collect();
    pages.sort_unstable();
    assert_eq!(listed, pages);
    let mut files: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|file| file != "SUMMARY.md")
        .collect();
    files.sort_unstable();
    assert_eq!(files, pages);
}

#[test]
fn every_link_leads_somewhere() {
    for name in PAGES {
        for target in links(&read(&format!("{name}.md"))) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = match (file, file.strip_prefix(REPOSITORY)) {
                ("", _) => folder().join(format!("{name}.md")),
                (_, Some(file)) => root().join(file),
                (file, None) => folder().join(file),
            };
            let text = fs::read_to_string(file);
            let text = text.unwrap_or_else(|error| panic!("{name}.md: {target}: {error}"));
            let mut headings = text.lines().filter(|line| line.starts_with('#')).map(anchor);
            let leads = heading.is_empty() || headings.any(|found| found == heading);
            assert!(leads, "{name}.md: {target}: no such heading");
        }
    }
}

/// The anchor of a heading in links.
fn anchor(heading: &str) -> String {
    let title = heading.trim_start_matches('#').trim().to_lowercase();
    title
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .collect::<String>()
        .replace(' ', "-")
}
