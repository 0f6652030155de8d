//! A tar.gz of texts, whole or not there.

use std::{
    fs::{self, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use flate2::{Compression, write::GzEncoder};
use serde_json::Value;

use super::super::error::Error;

/// Folder of all files in it.
const FOLDER: &str = "polder-support-bundle";

/// Files that are to be written.
pub(super) struct Archive {
    files: Vec<(String, String)>,
}

impl Archive {
    pub(super) fn new() -> Self {
        Self { files: Vec::new() }
    }

    /// Whether nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    pub(super) fn json(&mut self, name: &str, value: Value) {
        // Lists of one object a line: they can be searched.
        let text = match value {
            Value::Array(items) => items.into_iter().map(|item| item.to_string() + "\n").collect(),
            other => format!("{other:#}\n"),
        };
        self.text(name, &text);
    }

    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.files.push((name.to_owned(), text.to_owned()));
    }

    /// Writes it all; returns how many files, and how many bytes it has.
    pub(super) fn write(mut self, path: &Path, missing: &[String]) -> Result<(usize, u64), Error> {
        if !missing.is_empty() {
            self.text("NOT-COLLECTED.txt", &(missing.join("\n") + "\n"));
        }
        let shown = path.display();
        let failed = || Error::local(format!("cannot write {shown}"));
        let partial = path.with_extension("partial");
        let mut options = OpenOptions::new();
        // Only for whoever asked: it tells of all domains.
        options.write(true).create(true).truncate(true).mode(0o600);
        let file = options.open(&partial).map_err(failed())?;
        let count = self.files.len();
        self.pack(GzEncoder::new(file, Compression::default())).map_err(failed())?;
        fs::rename(&partial, path).map_err(failed())?;
        let bytes = fs::metadata(path).map_err(failed())?.len();
        Ok((count, bytes))
    }

    fn pack<W: io::Write>(self, encoder: GzEncoder<W>) -> io::Result<()> {
        let mut tar = tar::Builder::new(encoder);
        let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or(0);
        for (name, text) in self.files {
            let mut header = tar::Header::new_gnu();
            header.set_size(u64::try_from(text.len()).unwrap_or(u64::MAX));
            header.set_mode(0o600);
            header.set_mtime(now);
            tar.append_data(&mut header, format!("{FOLDER}/{name}"), text.as_bytes())?;
        }
        tar.into_inner()?.finish()?;
        Ok(())
    }
}
