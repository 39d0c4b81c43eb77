//! The log on stderr: one line for each event, as text or JSON.
//!
//! Only this module's own events are logged. Those of libraries can have secrets, such as the path of an endpoint's
//! URL, and are left out at every level.

use std::{
    fmt::{self, Write as _},
    io::Write as _,
};

use canon_agents::daemon::{Event, Level};
use canon_protocol::{ForeignText, Timestamp, text::Time};
use clap::ValueEnum;
use serde_json::{Map, Value, json};
use tracing::{
    Metadata, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
    registry::LookupSpan,
};

use crate::{chain::now, exit::Failure};

/// The target of the events that are logged.
const TARGET: &str = "canon::daemon";

/// The format of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// A line of text for each event
    #[default]
    Text,
    /// A JSON document for each event, on one line
    Json,
}

impl LogFormat {
    /// The format with this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        <Self as ValueEnum>::from_str(name, false).ok()
    }

    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }

    /// Installs the log for this program.
    pub(crate) fn install(self) {
        let log = tracing_subscriber::registry().with(Log { format: self, now });
        // Only a second log would fail, and there is one command in a program.
        let _ = tracing::subscriber::set_global_default(log);
    }
}

/// A line of the log.
#[derive(Clone, Debug)]
pub(crate) struct Logged {
    level: Level,
    name: &'static str,
    text: String,
    transaction: Option<String>,
}

impl Logged {
    /// The line of a daemon's event.
    pub(crate) fn event(event: &Event) -> Self {
        let transaction = event.transaction().map(|hash| hash.to_string());
        Self { level: event.level(), name: event.name(), text: event.to_string(), transaction }
    }

    /// A line about what the program does.
    pub(crate) const fn info(name: &'static str, text: String) -> Self {
        Self { level: Level::Info, name, text, transaction: None }
    }

    /// A line about something that fails, after which the program goes on.
    pub(crate) const fn warn(name: &'static str, text: String) -> Self {
        Self { level: Level::Warn, name, text, transaction: None }
    }

    pub(super) fn stopped(signal: &str) -> Self {
        let text = format!("stopped by {signal}; the journal has what is in flight");
        Self::info("stopped", text)
    }

    pub(super) fn ended(failure: &Failure) -> Self {
        let text = format!("ended: {:#}; {}", failure.report, failure.next);
        Self { level: Level::Error, name: "ended", text, transaction: None }
    }
}

/// Logs a line.
pub(crate) fn line(line: &Logged) {
    let Logged { level, name, text, transaction } = line;
    let (text, transaction) = (text.as_str(), transaction.as_deref());
    match level {
        Level::Info => tracing::info!(target: TARGET, event = name, transaction, "{text}"),
        Level::Warn => tracing::warn!(target: TARGET, event = name, transaction, "{text}"),
        Level::Error => tracing::error!(target: TARGET, event = name, transaction, "{text}"),
    }
}

/// The span of a daemon, whose fields are on each of its lines. The chain is recorded once it is known.
pub(crate) fn span(set: &impl fmt::Display, account: &impl fmt::Display) -> tracing::Span {
    let chain = tracing::field::Empty;
    tracing::info_span!(target: TARGET, "daemon", chain, %set, %account)
}

/// Writes the events of [`TARGET`] to stderr.
struct Log {
    format: LogFormat,
    now: fn() -> Timestamp,
}

/// The fields of a span or an event, in order.
#[derive(Clone, Debug, Default)]
struct Fields(Vec<(&'static str, String)>);

impl Fields {
    fn set(&mut self, field: &Field, value: String) {
        let name = field.name();
        self.0.retain(|(other, _)| *other != name);
        self.0.push((name, value));
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| *other == name).map(|(_, value)| &**value)
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value.to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Log {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target() == TARGET
    }

    fn on_new_span(
        &self,
        attributes: &span::Attributes<'_>,
        id: &span::Id,
        context: Context<'_, S>,
    ) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut of_spans = Fields::default();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(found) = span.extensions().get::<Fields>() {
                of_spans.0.extend(found.0.iter().cloned());
            }
        }
        let line =
            written(self.format, (self.now)(), *event.metadata().level(), &of_spans, &fields);
        // If stderr is gone, nothing can be said.
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }
}

/// The names of the fields that are on each line.
const ON_EACH_LINE: [&str; 3] = ["chain", "set", "account"];

/// A line of the log. Texts of endpoints and contracts are part of it, so invisible characters are escaped.
fn written(
    format: LogFormat,
    time: Timestamp,
    level: tracing::Level,
    of_spans: &Fields,
    fields: &Fields,
) -> String {
    let message = ForeignText::new(fields.get("message").unwrap_or_default()).to_string();
    let of_line = ON_EACH_LINE.map(|name| (name, of_spans.get(name).unwrap_or("unknown")));
    match format {
        LogFormat::Text => {
            let mut line = format!("{} {level:<5} {message} [", rfc3339(time));
            let of_line = of_line.map(|(name, value)| format!("{name} {value}"));
            // Writing to a string never fails.
            let _ = writeln!(line, "{}]", of_line.join(", "));
            line
        }
        LogFormat::Json => {
            let mut document = Map::new();
            document.insert("time".to_owned(), json!(time.get()));
            document.insert("level".to_owned(), json!(level.as_str().to_ascii_lowercase()));
            for name in ["event", "transaction"] {
                let value = fields.get(name).map(|value| Value::String(value.to_owned()));
                document.extend(value.map(|value| (name.to_owned(), value)));
            }
            document.insert("message".to_owned(), Value::String(message));
            let of_line = of_line.map(|(name, value)| (name.to_owned(), json!(value)));
            document.extend(of_line);
            format!("{}\n", Value::Object(document))
        }
    }
}

/// A time as RFC 3339 has it.
fn rfc3339(time: Timestamp) -> String {
    format!("{}Z", Time(time).without_zone()).replace(' ', "T")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields<const N: usize>(fields: [(&'static str, &str); N]) -> Fields {
        Fields(fields.map(|(name, value)| (name, value.to_owned())).into())
    }

    fn line(format: LogFormat, of_spans: &Fields, message: &str) -> String {
        let event = fields([("message", message), ("event", "sent"), ("transaction", "0xab")]);
        let time = Timestamp::of(1_767_225_600);
        written(format, time, tracing::Level::WARN, of_spans, &event)
    }

    #[test]
    fn each_line_has_chain_set_and_account() {
        let spans = fields([("set", "0x01"), ("account", "0x02"), ("chain", "1")]);
        assert_eq!(
            line(LogFormat::Text, &spans, "sent it"),
            "2026-01-01T00:00:00Z WARN  sent it [chain 1, set 0x01, account 0x02]\n"
        );
        let document: Value =
            serde_json::from_str(&line(LogFormat::Json, &spans, "sent it")).unwrap();
        assert_eq!(
            document,
            json!({
                "time": 1_767_225_600, "level": "warn", "event": "sent", "transaction": "0xab",
                "message": "sent it", "chain": "1", "set": "0x01", "account": "0x02",
            })
        );
        let before = line(LogFormat::Text, &Fields::default(), "it");
        assert!(before.ends_with("[chain unknown, set unknown, account unknown]\n"), "{before}");
    }

    #[test]
    fn a_text_from_outside_is_one_line_and_changes_no_terminal() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let line = line(format, &Fields::default(), "no\nanswer\x1b[2J");
            assert_eq!(line.matches('\n').count(), 1, "{line}");
            assert!(!line.contains('\x1b') && line.contains("answer"), "{line}");
        }
    }
}
