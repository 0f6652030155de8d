//! One file of lines.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::Limits;

/// Ending of all files.
const SUFFIX: &str = ".jsonl";
/// What a name says: when the file was begun, in UTC, so that names sort by time.
const STAMP: &str = "%Y%m%dT%H%M%S.%6fZ";
/// The least by which two names differ.
const TICK: SignedDuration = SignedDuration::from_micros(1);
/// How much is read at once when the end of a file is looked for.
const STEP: u64 = 64 * 1024;

/// The file of a stream that grows.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    file: File,
    length: u64,
    begun: Timestamp,
}

impl Log {
    /// The newest file of a folder, or a new one if that is full.
    pub fn open(folder: &Path, limits: &Limits, now: Timestamp) -> io::Result<Self> {
        make_folder(folder)?;
        let mut begins = now;
        if let Some(path) = files(folder)?.pop()
            && let Some(begun) = begun(&path)
        {
            let log = Self::resume(path, begun)?;
            if !log.is_full(limits, now) {
                return Ok(log);
            }
            // The newest name is the newest file, also when the clock was put back.
            begins = begins.max(begun + TICK);
        }
        let path = folder.join(name(begins));
        let file = options().create_new(true).open(&path)?;
        // The name has to outlive a power cut too.
        sync(folder)?;
        Ok(Self { path, file, length: 0, begun: begins })
    }

    /// Cuts off what a process wrote that ended in the middle of a line. Nobody was told that it
    /// was written, so it is sent again.
    fn resume(path: PathBuf, begun: Timestamp) -> io::Result<Self> {
        let mut file = options().open(&path)?;
        let whole = file.metadata()?.len();
        let length = end_of_last_line(&mut file, whole)?;
        if length < whole {
            tracing::warn!(file = %path.display(), bytes = whole - length, "cut off a line without an end");
            file.set_len(length)?;
        }
        file.seek(SeekFrom::Start(length))?;
        Ok(Self { path, file, length, begun })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a new file is to be begun.
    pub fn is_full(&self, limits: &Limits, now: Timestamp) -> bool {
        self.length >= limits.file_size || age(self.begun, now) >= limits.file_age
    }

    /// Appends text, which is durable afterwards; or leaves the file as it was, and is gone.
    pub fn append(mut self, text: &[u8]) -> io::Result<Self> {
        let result = self.file.write_all(text).and_then(|()| self.file.sync_data());
        if let Err(error) = result {
            // Whether this works or not: the file is looked at again before it is used again.
            let _ = self.file.set_len(self.length).and_then(|()| self.file.sync_data());
            return Err(error);
        }
        self.length += text.len() as u64;
        Ok(self)
    }
}

/// Where the last whole line ends.
fn end_of_last_line(file: &mut File, length: u64) -> io::Result<u64> {
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(STEP);
        file.seek(SeekFrom::Start(start))?;
        let mut part = Vec::new();
        Read::take(&mut *file, end - start).read_to_end(&mut part)?;
        if let Some(position) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + position as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Files of a folder, oldest first.
pub fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if begun(&path).is_some() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Makes a folder that its group may read, and makes its name durable.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o750).create(folder)?;
    for parent in folder.ancestors().skip(1).take(2).filter(|path| path.is_dir()) {
        sync(parent)?;
    }
    Ok(())
}

/// Time from then to now; none if the clock went back.
pub fn age(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or_default()
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o640);
    options
}

fn name(now: Timestamp) -> String {
    format!("{}{SUFFIX}", now.strftime(STAMP))
}

fn begun(path: &Path) -> Option<Timestamp> {
    let stamp = path.file_name()?.to_str()?.strip_suffix(SUFFIX)?;
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%S%.fZ", stamp).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}
