//! What is kept of old files.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use jiff::Timestamp;

use super::{Limits, file, folders};

/// Removes files whose last event is too old, and of each stream the oldest that are too many.
/// A folder that is empty then goes too. Files that are open stay.
pub fn sweep(
    directory: &Path,
    limits: &Limits,
    open: &[&Path],
    now: Timestamp,
) -> io::Result<usize> {
    let (mut removed, mut failure) = (0, None);
    for folder in folders(directory)? {
        let files = file::files(&folder)?;
        let too_many = files.len().saturating_sub(limits.files);
        for (index, path) in files.iter().enumerate() {
            let is_old = last_change(path).is_ok_and(|then| since(then, now) >= limits.retention);
            if open.contains(&path.as_path()) || !(is_old || index < too_many) {
                continue;
            }
            match fs::remove_file(path) {
                Ok(()) => removed += 1,
                Err(error) => failure = Some(error),
            }
        }
        // Fails while there are files in it.
        let _ = fs::remove_dir(&folder);
    }
    failure.map_or(Ok(removed), Err)
}

/// Reads the lines that were written last, at least so many if there are as many: whole files, the
/// one that changed last first, until there are enough.
pub fn newest_lines(directory: &Path, enough: usize, mut take: impl FnMut(&str)) -> io::Result<()> {
    let mut files: Vec<(SystemTime, PathBuf)> = Vec::new();
    for folder in folders(directory)? {
        for path in file::files(&folder)? {
            files.push((last_change(&path)?, path));
        }
    }
    files.sort();
    let mut count = 0;
    let mut chosen = Vec::new();
    for (_, path) in files.iter().rev() {
        if count >= enough {
            break;
        }
        count += lines(path, |_| ())?;
        chosen.push(path);
    }
    // Oldest first: when there are more than are remembered, the newest stay.
    for path in chosen.into_iter().rev() {
        lines(path, &mut take)?;
    }
    Ok(())
}

fn lines(path: &Path, mut take: impl FnMut(&str)) -> io::Result<usize> {
    let mut reader = BufReader::new(File::open(path)?);
    let (mut line, mut count) = (Vec::new(), 0);
    while reader.read_until(b'\n', &mut line)? > 0 {
        // A last line without an end is cut off before the file is used.
        if let Some(text) = line.strip_suffix(b"\n").and_then(|text| str::from_utf8(text).ok()) {
            take(text);
            count += 1;
        }
        line.clear();
    }
    Ok(count)
}

fn last_change(path: &Path) -> io::Result<SystemTime> {
    fs::metadata(path)?.modified()
}

fn since(then: SystemTime, now: Timestamp) -> Duration {
    SystemTime::from(now).duration_since(then).unwrap_or_default()
}
