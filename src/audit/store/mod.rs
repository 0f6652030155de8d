//! Files of lines, made durable before anybody is told so.
//!
//! ```text
//! <directory>/.lock
//! <directory>/cluster/20260102T030405.123456Z.jsonl
//! <directory>/domains/<domain>/20260102T030405.123456Z.jsonl
//! ```
//!
//! The newest file of a stream is the one that grows. Names say when a file was begun, so that
//! rotation renames nothing and a reader never loses its place.

mod file;
mod retention;
mod window;

use std::{
    collections::HashMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;

use super::route::Stream;
use file::Log;
use window::Window;

/// How many events are remembered to recognise one that is sent again. The API server gives up
/// within minutes; at 500 events a second this covers the last 3 minutes and more.
const REMEMBERED: usize = 100_000;
/// Files that are kept open between batches.
const OPEN_FILES: usize = 256;

/// What bounds the files.
#[derive(Clone, Debug)]
pub struct Limits {
    /// A file that is larger, in bytes, grows no more.
    pub file_size: u64,
    /// A file that was begun longer ago grows no more.
    pub file_age: Duration,
    /// Files of each stream that are kept, the one that grows among them.
    pub files: usize,
    /// Files whose last event is older than this are removed.
    pub retention: Duration,
}

/// Why the store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else writes there.
    #[error("{0} is in use by another receiver: give each its own --directory")]
    InUse(PathBuf),
    /// The folder cannot be used.
    #[error("cannot use {path}: {source}")]
    Io {
        /// File or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What a commit did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Events that were written.
    pub written: usize,
    /// Events that were there already.
    pub duplicates: usize,
    /// Bytes that were written.
    pub bytes: u64,
}

/// The files of all streams. One process at a time.
#[derive(Debug)]
pub struct Store {
    directory: PathBuf,
    limits: Limits,
    logs: HashMap<Stream, Log>,
    window: Window,
    _lock: File,
}

impl Store {
    /// Takes the folder, and finds out which events came last.
    ///
    /// # Errors
    /// See [`enum@Error`].
    pub fn open(directory: &Path, limits: Limits) -> Result<Self, Error> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Io { path, source }
        };
        file::make_folder(directory).map_err(failed(directory))?;
        let path = directory.join(".lock");
        let lock = File::create(&path).map_err(failed(&path))?;
        lock.try_lock().map_err(|_| Error::InUse(directory.to_owned()))?;
        let mut window = Window::new(REMEMBERED);
        retention::newest_lines(directory, REMEMBERED, |line| window.insert(line))
            .map_err(failed(directory))?;
        let (directory, logs) = (directory.to_owned(), HashMap::new());
        Ok(Self { directory, limits, logs, window, _lock: lock })
    }

    /// Writes lines and makes them durable. After an error none of the stream's lines may be taken
    /// for written, and all of them can be sent again: what is there already is left out.
    ///
    /// # Errors
    /// Whatever the file system says, such as that it is full.
    pub fn commit<'a>(
        &mut self,
        lines: impl IntoIterator<Item = (&'a Stream, &'a str)>,
        now: Timestamp,
    ) -> io::Result<Committed> {
        let mut batches: HashMap<&Stream, Batch> = HashMap::new();
        let mut done = Committed::default();
        for (stream, line) in lines {
            let key = window::key(line);
            let batch = batches.entry(stream).or_default();
            if self.window.contains(key) || batch.keys.contains(&key) {
                done.duplicates += 1;
                continue;
            }
            batch.keys.push(key);
            batch.text.extend_from_slice(line.as_bytes());
            batch.text.push(b'\n');
        }
        let mut failure = None;
        for (stream, batch) in batches.into_iter().filter(|(_, batch)| !batch.keys.is_empty()) {
            match self.append(stream, &batch.text, now) {
                Ok(()) => {
                    done.written += batch.keys.len();
                    done.bytes += batch.text.len() as u64;
                    batch.keys.into_iter().for_each(|key| self.window.insert_key(key));
                }
                Err(error) => failure = Some(error),
            }
        }
        self.close_some();
        failure.map_or(Ok(done), Err)
    }

    fn append(&mut self, stream: &Stream, text: &[u8], now: Timestamp) -> io::Result<()> {
        let folder = self.folder(stream);
        let log = match self.logs.remove(stream) {
            Some(log) if !log.is_full(&self.limits, now) => log,
            _ => Log::open(&folder, &self.limits, now)?,
        };
        // A log that failed is not put back: the next one looks at what really is in the file.
        let log = log.append(text)?;
        self.logs.insert(stream.clone(), log);
        Ok(())
    }

    fn close_some(&mut self) {
        if self.logs.len() > OPEN_FILES {
            self.logs.clear();
        }
    }

    /// Removes what is too old or too much.
    ///
    /// # Errors
    /// Whatever the file system says; the rest is removed all the same.
    pub fn sweep(&mut self, now: Timestamp) -> io::Result<usize> {
        self.logs.retain(|_, log| !log.is_full(&self.limits, now));
        let open: Vec<&Path> = self.logs.values().map(Log::path).collect();
        retention::sweep(&self.directory, &self.limits, &open, now)
    }

    fn folder(&self, stream: &Stream) -> PathBuf {
        match stream {
            Stream::Cluster => self.directory.join("cluster"),
            Stream::Domain(name) => self.directory.join("domains").join(name.as_str()),
        }
    }
}

/// What is to be appended to one stream.
#[derive(Default)]
struct Batch {
    text: Vec<u8>,
    keys: Vec<window::Key>,
}

/// Folders of all streams that have one.
fn folders(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = vec![directory.join("cluster")];
    match fs::read_dir(directory.join("domains")) {
        Ok(entries) => {
            for entry in entries {
                folders.push(entry?.path());
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    folders.retain(|folder| folder.is_dir());
    Ok(folders)
}

#[cfg(test)]
mod tests;
