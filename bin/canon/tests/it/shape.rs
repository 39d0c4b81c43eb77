//! The shapes of JSON documents, as `docs/json.md` describes them. The unit tests of the program use this file, too.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use serde_json::Value;

/// The shape of the values at one place of a document.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    /// The types of the values that are neither objects nor lists.
    types: BTreeSet<&'static str>,
    /// The number of objects.
    objects: usize,
    /// The keys of the objects, with the number of objects that have each key.
    keys: BTreeMap<String, (usize, Self)>,
    /// The shape of the items of lists.
    items: Option<Box<Self>>,
}

impl Shape {
    /// The common shape of values.
    pub(crate) fn of(values: &[Value]) -> Self {
        let mut shape = Self::default();
        values.iter().for_each(|value| shape.add(value));
        shape
    }

    fn add(&mut self, value: &Value) {
        match value {
            Value::Null => _ = self.types.insert("null"),
            Value::Bool(_) => _ = self.types.insert("boolean"),
            Value::Number(number) if number.is_f64() => _ = self.types.insert("number"),
            Value::Number(_) => _ = self.types.insert("integer"),
            Value::String(text) => _ = self.types.insert(type_of(text)),
            Value::Array(items) => {
                let shape = self.items.get_or_insert_default();
                items.iter().for_each(|item| shape.add(item));
            }
            Value::Object(object) => {
                self.objects += 1;
                for (key, value) in object {
                    // All keys of a map have the same shape.
                    let key = match type_of(key) {
                        "string" => key.clone(),
                        other => format!("<{other}>"),
                    };
                    let (count, shape) = self.keys.entry(key).or_default();
                    *count += 1;
                    shape.add(value);
                }
            }
        }
    }

    /// Adds a line for each key.
    fn lines(&self, depth: usize, lines: &mut Vec<String>) {
        for (key, (count, shape)) in &self.keys {
            let is_map = key.starts_with('<');
            let optional = if *count < self.objects && !is_map { "?" } else { "" };
            lines.push(format!("{}{key}{optional}: {}", "  ".repeat(depth), shape.summary()));
            shape.inner().lines(depth + 1, lines);
        }
    }

    fn summary(&self) -> String {
        let mut kinds: Vec<String> = Vec::new();
        let mut types = self.types.clone();
        if types.contains("string") {
            // A string can happen to consist of digits.
            types.remove("decimal");
        }
        if self.objects > 0 {
            kinds.push("object".to_owned());
        }
        if let Some(items) = &self.items {
            let items = items.summary();
            kinds.push(if items.is_empty() {
                "list".to_owned()
            } else {
                format!("list of {items}")
            });
        }
        kinds.extend(types.iter().filter(|kind| **kind != "null").map(|kind| (*kind).to_owned()));
        kinds.extend(types.get("null").map(|kind| (*kind).to_owned()));
        kinds.join(" or ")
    }

    /// The shape of the objects, or of those inside the lists.
    fn inner(&self) -> &Self {
        match &self.items {
            Some(items) if self.keys.is_empty() => items.inner(),
            _ => self,
        }
    }

    /// The shape as text: a line for each key.
    pub(crate) fn text(&self) -> String {
        let mut lines = Vec::new();
        if self.objects == 0 {
            lines.push(self.summary());
        }
        self.inner().lines(0, &mut lines);
        lines.join("\n")
    }
}

/// The type of a text.
pub(crate) fn type_of(text: &str) -> &'static str {
    let is_decimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.strip_prefix("0x") {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => match digits.len() {
            40 => "address",
            64 => "hash",
            _ => "bytes",
        },
        _ if is_decimal => "decimal",
        _ => "string",
    }
}

/// The page `docs/json.md`.
pub(crate) fn page() -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/json.md");
    fs::read_to_string(path).unwrap()
}

/// The documented shape of what a command prints: the first block below its heading.
pub(crate) fn documented(command: &str) -> String {
    let page = page();
    let heading = format!("\n## `{command}`\n");
    let (_, section) = page.split_once(&heading).unwrap_or_else(|| panic!("no section {command}"));
    let (_, block) = section.split_once("```text\n").unwrap();
    block.split_once("\n```").unwrap().0.to_owned()
}
