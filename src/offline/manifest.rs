//! Manifests from files: every document is read for itself, and a broken one is a finding.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use super::{
    finding::{Finding, Name, Place},
    schema::near,
    yaml::{self, Document, Lines},
};
use crate::api::{API_VERSION, GROUP};

/// An object of ours, as it was written.
#[derive(Debug)]
pub struct Manifest {
    /// File and document.
    pub place: Place,
    /// Lines of its fields.
    pub lines: Lines,
    /// The object.
    pub object: Map<String, Value>,
    /// What it calls itself.
    pub name: Name,
}

impl Manifest {
    /// A finding about a field of it.
    pub fn finding(
        &self,
        rule: &'static str,
        field: impl Into<String>,
        message: impl Into<String>,
    ) -> Finding {
        let field = field.into();
        let place = Place { line: self.lines.of(&field), ..self.place.clone() };
        Finding { place, object: Some(self.name.clone()), field, rule, message: message.into() }
    }

    /// The namespace it lives in, or takes, if that is known.
    pub fn home(&self) -> Option<&str> {
        if self.name.kind != "Domain" {
            return self.name.namespace.as_deref();
        }
        let spec = self.object.get("spec").and_then(|spec| spec.pointer("/namespace/name"));
        Some(spec.and_then(Value::as_str).unwrap_or(&self.name.name))
    }
}

/// What was found in files.
#[derive(Debug, Default)]
pub struct Input {
    /// Objects of ours.
    pub manifests: Vec<Manifest>,
    /// What could not be read.
    pub findings: Vec<Finding>,
    /// Documents that are none of ours.
    pub passed_over: usize,
    /// Files that were read.
    pub files: usize,
}

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A folder holds no manifests.
    #[error(
        "there are no files *.yaml, *.yml or *.json in {0}; name a folder or file that holds manifests, or - for standard input"
    )]
    Empty(String),
}

/// Reads files, folders (with all folders below) and, for `-`, standard input.
pub fn read(sources: &[PathBuf]) -> Result<Input, Error> {
    let mut input = Input::default();
    for source in sources {
        if source.as_os_str() == "-" {
            let mut bytes = Vec::new();
            io::stdin().read_to_end(&mut bytes).map_err(failed(source))?;
            input.bytes("-", &bytes);
        } else if source.is_dir() {
            let mut files = Vec::new();
            collect(source, &mut files)?;
            if files.is_empty() {
                return Err(Error::Empty(source.display().to_string()));
            }
            for file in files {
                input.file(&file)?;
            }
        } else {
            input.file(source)?;
        }
    }
    Ok(input)
}

/// A text as if it stood in a file of that name.
pub fn of_text(file: &str, text: &str) -> Input {
    let mut input = Input::default();
    input.text(file, text);
    input
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.display().to_string();
    move |source| Error::Read { path, source }
}

/// Manifest files below a folder, in order. Hidden ones belong to tools.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let entries = fs::read_dir(folder).map_err(failed(folder))?;
    let mut entries: Vec<fs::DirEntry> =
        entries.collect::<Result<_, _>>().map_err(failed(folder))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        // Not through links to folders: they may go in circles.
        if entry.file_type().map_err(failed(&path))?.is_dir() {
            collect(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|it| ["yaml", "yml", "json"].iter().any(|end| it == *end))
        {
            files.push(path);
        }
    }
    Ok(())
}

impl Input {
    fn file(&mut self, path: &Path) -> Result<(), Error> {
        let bytes = fs::read(path).map_err(failed(path))?;
        self.bytes(&path.display().to_string(), &bytes);
        Ok(())
    }

    fn bytes(&mut self, file: &str, bytes: &[u8]) {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.text(file, text),
            Err(error) => {
                self.files += 1;
                let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
                let line = valid.split(|byte| *byte == b'\n').count();
                self.unreadable(
                    &Place { file: file.to_owned(), line, document: 1 },
                    "is not UTF-8".to_owned(),
                );
            }
        }
    }

    fn text(&mut self, file: &str, text: &str) {
        self.files += 1;
        for (index, document) in yaml::documents(text).into_iter().enumerate() {
            let place = |line: usize| Place { file: file.to_owned(), line, document: index + 1 };
            match document {
                Ok(document) => self.document(&place(document.lines.of("")), document),
                Err(broken) => {
                    let hint = if text.contains("{{") {
                        "; it looks like a template: render it first, and give the result to -f -"
                    } else {
                        ""
                    };
                    self.unreadable(
                        &place(broken.line),
                        format!("cannot be read as YAML: {}{hint}", broken.message),
                    );
                }
            }
        }
    }

    fn unreadable(&mut self, place: &Place, message: String) {
        let place = place.clone();
        self.findings.push(Finding {
            place,
            object: None,
            field: String::new(),
            rule: "Unreadable",
            message,
        });
    }

    fn document(&mut self, place: &Place, document: Document) {
        let Document { value, lines, repeated } = document;
        let Value::Object(object) = value else {
            self.passed_over += 1;
            return;
        };
        let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
        if let (Some(Value::Array(items)), "List") = (object.get("items"), text("kind")) {
            for (index, item) in items.iter().enumerate() {
                let lines = lines.below(&format!("items[{index}]"));
                let place = Place { line: lines.of(""), ..place.clone() };
                self.document(
                    &place,
                    Document { value: item.clone(), lines, repeated: Vec::new() },
                );
            }
            return;
        }
        match group(text("apiVersion"), text("kind")) {
            Group::Foreign => self.passed_over += 1,
            Group::Mistaken(message) => {
                let place = Place { line: lines.of("apiVersion"), ..place.clone() };
                self.findings.push(Finding {
                    place,
                    object: None,
                    field: "apiVersion".to_owned(),
                    rule: "UnknownKind",
                    message,
                });
            }
            Group::Ours => {
                let manifest =
                    Manifest { place: place.clone(), name: name_of(&object), lines, object };
                for (field, line) in repeated {
                    let place = Place { line, ..place.clone() };
                    let message = "stands here twice; keep one".to_owned();
                    let object = Some(manifest.name.clone());
                    self.findings.push(Finding {
                        place,
                        object,
                        field,
                        rule: "Duplicate",
                        message,
                    });
                }
                self.manifests.push(manifest);
            }
        }
    }
}

fn name_of(object: &Map<String, Value>) -> Name {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let metadata = object.get("metadata");
    let kind = text(object.get("kind")).unwrap_or_default();
    let namespace = metadata.and_then(|it| text(it.get("namespace"))).filter(|_| kind != "Domain");
    let name = metadata.and_then(|it| text(it.get("name"))).unwrap_or_default();
    Name { kind, namespace, name }
}

/// Whose an object is, by its type.
enum Group {
    Ours,
    Foreign,
    /// Meant to be ours, in all likelihood.
    Mistaken(String),
}

fn group(api_version: &str, kind: &str) -> Group {
    let (group, _) = api_version.split_once('/').unwrap_or((api_version, ""));
    if api_version == API_VERSION {
        return Group::Ours;
    }
    if group == GROUP {
        return Group::Mistaken(format!("{api_version} is not served; write {API_VERSION}"));
    }
    let is_misspelt = !near(group, [GROUP].into_iter()).is_empty();
    if is_misspelt && !kind.is_empty() {
        return Group::Mistaken(format!(
            "{group} is not the group of Polder; did you mean {API_VERSION}?"
        ));
    }
    Group::Foreign
}
