//! A Git repository on disk.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::process::run;

/// A bare repository, and a clone to work in.
pub struct Repository {
    bare: PathBuf,
    clone: PathBuf,
}

impl Repository {
    /// An empty one.
    pub fn new(folder: &Path, name: &str) -> Self {
        let (bare, clone) = (folder.join(format!("{name}.git")), folder.join(name));
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        run("git", &["init", "--quiet", "--bare", "--initial-branch=main", &text(&bare)], "");
        run("git", &["clone", "--quiet", &text(&bare), &text(&clone)], "");
        let this = Self { bare, clone };
        this.git(&["checkout", "--quiet", "-B", "main"]);
        this
    }

    /// As Argo CD finds it.
    pub fn url(&self) -> String {
        format!("file://{}", self.bare.display())
    }

    /// Writes files, pushes them as one commit and returns its hash.
    pub fn push(&self, files: &[(&str, &str)]) -> String {
        for (path, text) in files {
            fs::write(self.clone.join(path), text).unwrap();
        }
        self.commit()
    }

    /// The same with files removed.
    pub fn remove(&self, paths: &[&str]) -> String {
        for path in paths {
            fs::remove_file(self.clone.join(path)).unwrap();
        }
        self.commit()
    }

    fn commit(&self) -> String {
        self.git(&["add", "--all"]);
        let who = ["-c", "user.name=tests", "-c", "user.email=tests@example.com"];
        self.git(&[&who[..], &["commit", "--quiet", "--message", "change"]].concat());
        self.git(&["push", "--quiet", "origin", "main"]);
        self.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    fn git(&self, arguments: &[&str]) -> String {
        run("git", &[&["-C", self.clone.to_str().unwrap()], arguments].concat(), "")
    }
}
