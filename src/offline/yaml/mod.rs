//! YAML as kubectl reads it, with the line of every field.
//!
//! Documents are told apart by lines of `---` before they are parsed, as kubectl does, so that a
//! broken one leaves its neighbours alone. Plain scalars mean what they mean in YAML 1.1 (`yes` is
//! true), since that is what reaches the API server.
//! Source: <https://github.com/kubernetes-sigs/yaml>

mod lines;
mod scalar;

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};
use serde_json::{Map, Value};

pub use lines::Lines;
use scalar::plain;

/// Deeper than any object of Kubernetes.
const MOST_LEVELS: usize = 200;
/// More values than any object of Kubernetes has; aliases could make billions of a few lines.
const MOST_VALUES: usize = 200_000;

/// A document that could be read.
#[derive(Debug)]
pub struct Document {
    /// What it says.
    pub value: Value,
    /// Where it says it.
    pub lines: Lines,
    /// Keys that stand twice in a mapping, as (path, line).
    pub repeated: Vec<(String, usize)>,
}

/// A document that could not be read.
#[derive(Debug)]
pub struct Broken {
    /// Line in the file, from 1.
    pub line: usize,
    /// Why.
    pub message: String,
}

/// The documents of a text, in order; empty ones are left out.
pub fn documents(text: &str) -> Vec<Result<Document, Broken>> {
    split(text)
        .into_iter()
        .filter_map(|(first, part)| Loader::new(&part, first).document().transpose())
        .collect()
}

/// The parts between lines of `---`, each with the number of lines before it.
fn split(text: &str) -> Vec<(usize, String)> {
    let mut parts = vec![(0, String::new())];
    for (number, line) in text.trim_start_matches('\u{feff}').split_inclusive('\n').enumerate() {
        let after = line
            .strip_prefix("---")
            .filter(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']));
        if let Some(after) = after {
            parts.push((number, format!("   {after}")));
        } else if let Some((_, part)) = parts.last_mut() {
            part.push_str(line);
        }
    }
    parts
}

type Step<'a> = (Event<'a>, Span);

struct Loader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// Lines of the file before this document.
    before: usize,
    anchors: HashMap<usize, (Value, usize)>,
    fields: HashMap<String, usize>,
    repeated: Vec<(String, usize)>,
    values: usize,
}

impl<'a> Loader<'a> {
    fn new(text: &'a str, before: usize) -> Self {
        Self {
            parser: Parser::new_from_str(text),
            before,
            anchors: HashMap::new(),
            fields: HashMap::new(),
            repeated: Vec::new(),
            values: 0,
        }
    }

    /// The document, if there is anything in it.
    fn document(mut self) -> Result<Option<Document>, Broken> {
        let mut found = None;
        loop {
            let (event, span) = self.step()?;
            match event {
                Event::StreamEnd => break,
                Event::StreamStart
                | Event::DocumentStart(_)
                | Event::DocumentEnd
                | Event::Nothing => {}
                _ if found.is_some() => {
                    return Err(
                        self.broken(span, "a second document begins here without a line of ---")
                    );
                }
                _ => {
                    let line = self.line(span);
                    found = Some((self.node((event, span), "", 0)?, line));
                }
            }
        }
        let Some((value, first)) = found.filter(|(value, _)| !value.is_null()) else {
            return Ok(None);
        };
        let lines = Lines { first, fields: self.fields };
        Ok(Some(Document { value, lines, repeated: self.repeated }))
    }

    fn step(&mut self) -> Result<Step<'a>, Broken> {
        match self.parser.next_event() {
            Some(Ok(step)) => Ok(step),
            Some(Err(error)) => Err(self.scan(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn scan(&self, error: &ScanError) -> Broken {
        Broken { line: self.before + error.marker().line(), message: error.info().to_owned() }
    }

    fn broken(&self, span: Span, message: impl Into<String>) -> Broken {
        Broken { line: self.line(span), message: message.into() }
    }

    fn line(&self, span: Span) -> usize {
        self.before + span.start.line()
    }

    fn node(&mut self, (event, span): Step<'a>, path: &str, level: usize) -> Result<Value, Broken> {
        if level > MOST_LEVELS {
            return Err(self.broken(span, "is nested too deeply to be an object of Kubernetes"));
        }
        let first = self.values;
        let (value, anchor) = match event {
            Event::Alias(id) => (self.alias(id, span)?, 0),
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = style != ScalarStyle::Plain
                    || tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
                (if is_text { Value::String(text.into_owned()) } else { plain(&text) }, anchor)
            }
            Event::SequenceStart(anchor, _) => (self.sequence(path, level)?, anchor),
            Event::MappingStart(anchor, _) => (self.mapping(path, level)?, anchor),
            _ => return Err(self.broken(span, "a value is missing here")),
        };
        self.values += 1;
        if self.values > MOST_VALUES {
            return Err(self.broken(span, "holds too many values to be an object of Kubernetes"));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, (value.clone(), self.values - first));
        }
        Ok(value)
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<Value, Broken> {
        let (value, size) =
            self.anchors.get(&id).ok_or_else(|| self.broken(span, "the alias refers to itself"))?;
        self.values += size;
        if self.values > MOST_VALUES {
            return Err(self.broken(span, "aliases make too many values of this"));
        }
        Ok(value.clone())
    }

    fn sequence(&mut self, path: &str, level: usize) -> Result<Value, Broken> {
        let mut items = Vec::new();
        loop {
            let step = self.step()?;
            if step.0 == Event::SequenceEnd {
                return Ok(Value::Array(items));
            }
            let path = format!("{path}[{}]", items.len());
            self.fields.insert(path.clone(), self.line(step.1));
            items.push(self.node(step, &path, level + 1)?);
        }
    }

    fn mapping(&mut self, path: &str, level: usize) -> Result<Value, Broken> {
        let (mut fields, mut merged) = (Map::new(), Vec::new());
        loop {
            let (event, span) = self.step()?;
            let (key, is_plain) = match event {
                Event::MappingEnd => break,
                Event::Scalar(key, style, ..) => (key.into_owned(), style == ScalarStyle::Plain),
                _ => return Err(self.broken(span, "a key must be a text")),
            };
            let line = self.line(span);
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let is_merge = is_plain && key == "<<";
            if !is_merge && fields.contains_key(&key) {
                self.repeated.push((path.clone(), line));
            }
            self.fields.insert(path.clone(), line);
            let step = self.step()?;
            let value = self.node(step, &path, level + 1)?;
            if is_merge {
                merged.push(value);
            } else {
                fields.insert(key, value);
            }
        }
        for value in merged {
            merge(&mut fields, value);
        }
        Ok(Value::Object(fields))
    }
}

/// Takes over what a merge key (`<<`) brings and the mapping itself does not say.
fn merge(fields: &mut Map<String, Value>, value: Value) {
    match value {
        Value::Object(more) => {
            for (key, value) in more {
                fields.entry(key).or_insert(value);
            }
        }
        Value::Array(several) => several.into_iter().for_each(|value| merge(fields, value)),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
