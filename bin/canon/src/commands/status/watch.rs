//! `canon status --watch`: redraws the status with each block.

use std::{
    borrow::Cow,
    io::{self, IsTerminal as _, Write},
    pin::pin,
};

use alloy_primitives::B256;
use anstream::{AutoStream, ColorChoice};
use canon_protocol::{ForeignText, text::count};
use canon_views::{Question, SetView};
use eyre::{Report, eyre};
use terminal_size::{Height, Width, terminal_size};
use tokio::{signal::ctrl_c, sync::mpsc::UnboundedReceiver, time::Duration};

use super::{earlier::with_earlier_rollups, render};
use crate::{chain::Chain, exit::Failure, page::wrapped, style::styled};

/// The time between two polls for a new block.
const INTERVAL: Duration = Duration::from_secs(1);

/// Switches to the alternate screen, hides the cursor and keeps the terminal from wrapping lines.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";
/// Restores the screen and the cursor.
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";
/// Moves the cursor to the first column of the first line.
const HOME: &str = "\x1b[H";
/// Clears the rest of a line, and starts the next one.
const NEXT_LINE: &str = "\x1b[K\r\n";
/// Clears the rest of the screen.
const CLEAR_BELOW: &str = "\x1b[J";

/// The source of the status.
trait Watched {
    /// The set at the newest block; `None` if that is still the block with the hash `shown`.
    async fn newest(&mut self, shown: Option<B256>) -> Result<Option<SetView>, Failure>;
}

impl Watched for Chain {
    async fn newest(&mut self, shown: Option<B256>) -> Result<Option<SetView>, Failure> {
        let present = self.present_after(shown, Question::default()).await?;
        let Some(present) = present else { return Ok(None) };
        Ok(Some(with_earlier_rollups(self, present).await?.into()))
    }
}

/// The waiting between polls.
trait Pace {
    /// Waits until the next poll. Returns whether there is one.
    async fn wait(&mut self) -> AfterWait;
}

/// The next step after waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AfterWait {
    Look,
    Stop,
}

/// Polls at regular intervals.
#[derive(Debug)]
struct Regularly;

impl Pace for Regularly {
    async fn wait(&mut self) -> AfterWait {
        tokio::time::sleep(INTERVAL).await;
        AfterWait::Look
    }
}

/// A terminal that can be drawn on.
#[derive(Debug)]
pub(super) struct Terminal<W> {
    out: W,
    color: ColorChoice,
    /// Returns the columns and the lines that fit; `None` if that isn't known.
    size: fn() -> Option<(usize, usize)>,
}

impl Terminal<io::Stdout> {
    /// Returns the terminal of stdout.
    ///
    /// # Errors
    ///
    /// If stdout isn't a terminal, or the terminal can't move its cursor.
    pub(super) fn of_stdout() -> Result<Self, Failure> {
        let out = io::stdout();
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let found = match (out.is_terminal(), is_dumb) {
            (true, false) => {
                let color = AutoStream::choice(&out);
                let size = || {
                    let (Width(columns), Height(lines)) = terminal_size()?;
                    Some((usize::from(columns), usize::from(lines)))
                };
                return Ok(Self { out, color, size });
            }
            (true, true) => "a terminal that can't move its cursor (TERM=dumb)",
            (false, _) => "a file or a pipe",
        };
        let report = eyre!("--watch: expected a terminal on stdout, found {found}");
        let next = "leave --watch out; programs read `canon status --json`";
        Err(Failure::bad_input(report, next))
    }
}

/// Shows the status until the user presses Ctrl-C. `notes` are those of the endpoints.
///
/// # Errors
///
/// If the first status can't be read, or the terminal can't be written to.
pub(super) async fn run(
    mut chain: Chain,
    mut notes: UnboundedReceiver<String>,
    terminal: Terminal<io::Stdout>,
) -> Result<(), Failure> {
    let mut pace = Regularly;
    tokio::select! {
        watched = watch(&mut chain, &mut notes, &mut pace, terminal) => watched,
        stopped = ctrl_c() => stopped.map_err(failed),
    }
}

/// Redraws the status with each block. A failure of the endpoint and a note on it are shown below the last status.
async fn watch<W: Write>(
    watched: &mut impl Watched,
    notes: &mut UnboundedReceiver<String>,
    pace: &mut impl Pace,
    terminal: Terminal<W>,
) -> Result<(), Failure> {
    let Some(mut view) = watched.newest(None).await? else { return Ok(()) };
    let mut screen = Screen::enter(terminal).map_err(failed)?;
    let mut problem = None;
    loop {
        screen.draw(&render::render(&view), &footer(&view, problem.as_deref())).map_err(failed)?;
        loop {
            if pace.wait().await == AfterWait::Stop {
                return Ok(());
            }
            let hash = view.present.block.hash;
            let newest = {
                let mut asked = pin!(watched.newest(Some(hash)));
                loop {
                    tokio::select! {
                        biased;
                        answer = &mut asked => break answer,
                        Some(note) = notes.recv() => {
                            let footer = footer(&view, Some(&note));
                            screen.draw(&render::render(&view), &footer).map_err(failed)?;
                            problem = Some(note);
                        }
                    }
                }
            };
            match newest {
                Ok(Some(newer)) => (view, problem) = (newer, None),
                Ok(None) if problem.is_none() => continue,
                Ok(None) => problem = None,
                Err(failure) => problem = Some(format!("{:#}", failure.report)),
            }
            break;
        }
    }
}

/// The lines below the status, the last one of which is always there.
fn footer(view: &SetView, problem: Option<&str>) -> Vec<String> {
    let block = view.present.block.number;
    let note = problem
        .map(|problem| format!("note: block {block} is shown: {}", ForeignText::new(problem)));
    note.into_iter().chain(["Ctrl-C ends this".to_owned()]).collect()
}

fn failed(error: io::Error) -> Failure {
    let report = Report::new(error).wrap_err("the terminal can't be used");
    Failure::internal(report, "use `canon status` without --watch")
}

/// A terminal that is drawn on. Its earlier content is restored on drop.
struct Screen<W: Write>(Terminal<W>);

impl<W: Write> Screen<W> {
    fn enter(terminal: Terminal<W>) -> io::Result<Self> {
        let mut screen = Self(terminal);
        screen.write(ENTER)?;
        Ok(screen)
    }

    /// Replaces the last frame in one write, which avoids flicker. If the frame is too high, the number of its lower
    /// lines is shown in their place. The lines of `footer` are always shown, wrapped.
    fn draw(&mut self, frame: &str, footer: &[String]) -> io::Result<()> {
        let (width, height) = (self.0.size)().unwrap_or((usize::MAX, usize::MAX));
        let footer: Vec<_> = footer.iter().flat_map(|line| wrapped(line, width)).collect();
        let frame: Vec<_> = frame.lines().collect();
        let fitting = height.saturating_sub(footer.len() + 1);
        let kept = match frame.len() > fitting {
            true => fitting.saturating_sub(1),
            false => frame.len(),
        };
        let left_out = frame.len() - kept;
        let more = (left_out > 0)
            .then(|| format!("… {}, enlarge the terminal", count(left_out as u64, "more line")));
        let shown = frame.iter().take(kept).map(|line| cut(line, width)).chain(more.map(Cow::from));
        let shown = shown.chain(["".into()]).chain(footer.into_iter().map(Cow::from));
        let shown = shown.collect::<Vec<_>>().join("\n");
        let shown = match self.0.color {
            ColorChoice::Never => shown,
            _ => styled(&shown),
        };
        let drawn = format!("{HOME}{}{NEXT_LINE}", shown.replace('\n', NEXT_LINE));
        let drawn = drawn.trim_end_matches("\r\n");
        self.write(&format!("{drawn}{CLEAR_BELOW}"))
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.0.out.write_all(text.as_bytes())?;
        self.0.out.flush()
    }
}

/// A line without styles as far as it fits. If something is left out, it ends with `…`.
fn cut(line: &str, width: usize) -> Cow<'_, str> {
    if line.chars().count() <= width {
        return line.into();
    }
    let kept = line.chars().take(width.saturating_sub(1));
    kept.chain(['…']).collect::<String>().into()
}

impl<W: Write> Drop for Screen<W> {
    fn drop(&mut self) {
        // Nothing can be done if the terminal is gone.
        let _ = self.write(LEAVE);
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::VecDeque, rc::Rc};

    use canon_protocol::{BlockNumber, Seconds};
    use canon_testkit::chain::{Chain, REGISTRY};
    use canon_views::{BlockView, Present};
    use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

    use super::*;

    /// The next answer of the endpoint.
    enum Answer {
        Block(u8),
        SameBlock,
        Failure(&'static str),
        /// The same block, after this note.
        Late(&'static str),
    }

    struct Script {
        answers: VecDeque<Answer>,
        notes: Option<UnboundedSender<String>>,
    }

    impl Script {
        const fn of(answers: VecDeque<Answer>) -> Self {
            Self { answers, notes: None }
        }
    }

    impl Watched for Script {
        async fn newest(&mut self, shown: Option<B256>) -> Result<Option<SetView>, Failure> {
            match self.answers.pop_front().unwrap() {
                Answer::Late(note) => {
                    self.notes.as_ref().unwrap().send(note.to_owned()).unwrap();
                    // The note is shown before the answer comes.
                    tokio::task::yield_now().await;
                    Ok(None)
                }
                Answer::Block(number) => {
                    let view = view(number);
                    assert_ne!(shown, Some(view.present.block.hash));
                    Ok(Some(view))
                }
                Answer::SameBlock => Ok(None),
                Answer::Failure(text) => Err(Failure::internal(eyre!(text), "")),
            }
        }
    }

    /// Stops after this number of polls.
    struct Looks(usize);

    impl Pace for Looks {
        async fn wait(&mut self) -> AfterWait {
            let Some(left) = self.0.checked_sub(1) else { return AfterWait::Stop };
            self.0 = left;
            AfterWait::Look
        }
    }

    /// The written text, one entry for each write.
    #[derive(Clone, Default)]
    struct Written(Rc<RefCell<Vec<String>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().push(String::from_utf8(bytes.to_vec()).unwrap());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A set at a block.
    fn view(number: u8) -> SetView {
        let chain = Chain::deployed();
        let block = BlockView {
            number: BlockNumber::of(number.into()),
            hash: B256::repeat_byte(number),
            timestamp: chain.now(),
            ..BlockView::default()
        };
        let question = Question::default();
        Present::of_state(&chain.set, &chain.foreign, block, &question, Seconds::ZERO).into()
    }

    fn frames(answers: impl IntoIterator<Item = Answer>) -> Vec<String> {
        frames_of(|| Some((80, 5)), answers)
    }

    fn frames_of(
        size: fn() -> Option<(usize, usize)>,
        answers: impl IntoIterator<Item = Answer>,
    ) -> Vec<String> {
        let answers: VecDeque<_> = answers.into_iter().collect();
        let written = Written::default();
        let terminal = Terminal { out: written.clone(), color: ColorChoice::Never, size };
        let looks = answers.len() - 1;
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (mut script, mut pace) = (Script::of(answers), Looks(looks));
        let (sender, mut notes) = unbounded_channel();
        script.notes = Some(sender);
        let watched = watch(&mut script, &mut notes, &mut pace, terminal);
        assert!(runtime.block_on(watched).is_ok());
        Rc::into_inner(written.0).unwrap().into_inner()
    }

    /// A frame of lines.
    fn frame(lines: &[&str]) -> String {
        format!("{HOME}{}\x1b[K{CLEAR_BELOW}", lines.join(NEXT_LINE))
    }

    /// A frame of five lines that shows the status at a block, with these last lines.
    fn frame_of(block: u8, last: &[&str]) -> String {
        let set = format!("Set of Registry {REGISTRY} on chain 31337");
        let block = format!("Block {block} at 1970-01-12 13:46:40 UTC");
        let all = render::render(&view(1)).lines().count();
        let (shown, lines) = match last.len() {
            1 => (2, vec![&*set, &*block]),
            _ => (1, vec![&*set]),
        };
        let more = format!("… {} more lines, enlarge the terminal", all - shown);
        frame(&[&lines[..], &[&*more, ""], last].concat())
    }

    const ENDS: &str = "Ctrl-C ends this";

    #[test]
    fn each_block_is_drawn_once_in_one_write_and_the_screen_is_restored() {
        let written = frames([Answer::Block(1), Answer::SameBlock, Answer::Block(2)]);
        assert_eq!(written, [ENTER, &frame_of(1, &[ENDS]), &frame_of(2, &[ENDS]), LEAVE]);
    }

    #[test]
    fn a_failure_is_told_below_the_last_status_and_goes_away_again() {
        let told = "note: block 1 is shown: no answer\\u{1b}[2J";
        for (next, shown) in [(Answer::SameBlock, 1), (Answer::Block(2), 2)] {
            let written = frames([Answer::Block(1), Answer::Failure("no answer\x1b[2J"), next]);
            assert_eq!(
                written,
                [
                    ENTER,
                    &frame_of(1, &[ENDS]),
                    &frame_of(1, &[told, ENDS]),
                    &frame_of(shown, &[ENDS]),
                    LEAVE
                ]
            );
        }
    }

    #[test]
    fn a_note_is_shown_while_a_node_does_not_answer_and_all_lines_are_kept() {
        let told = "note: block 1 is shown: waiting for http://node";
        let written = frames([Answer::Block(1), Answer::Late("waiting for http://node")]);
        let (first, noted) = (frame_of(1, &[ENDS]), frame_of(1, &[told, ENDS]));
        assert_eq!(written, [ENTER, &first, &noted, &first, LEAVE]);
    }

    #[test]
    fn a_status_that_fits_is_shown_without_a_word_about_more_lines() {
        let written = frames_of(|| Some((80, 40)), [Answer::Block(1)]);
        let text = render::render(&view(1));
        let lines: Vec<_> = text.lines().chain(["", ENDS]).collect();
        assert_eq!(written, [ENTER, &frame(&lines), LEAVE]);
        // A note on a narrow terminal takes the lines that it needs.
        let answers = [Answer::Block(1), Answer::Failure("no answer from the node at all")];
        let written = frames_of(|| Some((30, 40)), answers);
        assert!(written[2].contains(
            &["note: block 1 is shown: no", "answer from the node at all"].join(NEXT_LINE)
        ));
    }

    #[test]
    fn a_line_that_is_cut_ends_with_dots() {
        assert_eq!(cut("Proposals", 9), "Proposals");
        assert_eq!(cut("Proposals", 8), "Proposa…");
    }

    #[test]
    fn a_set_that_cannot_be_read_at_first_is_a_failure_on_an_untouched_screen() {
        let written = Written::default();
        let terminal = Terminal { out: written.clone(), color: ColorChoice::Never, size: || None };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut script = Script::of([Answer::Failure("no set")].into());
        let ((_, mut notes), mut pace) = (unbounded_channel(), Looks(0));
        let watched = watch(&mut script, &mut notes, &mut pace, terminal);
        let failure = runtime.block_on(watched).unwrap_err();
        assert_eq!(failure.report.to_string(), "no set");
        assert!(written.0.borrow().is_empty());
    }
}
