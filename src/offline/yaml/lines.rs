//! Where fields stand.

use std::{borrow::Cow, collections::HashMap};

/// The line in its file, from 1, of every field of a document.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    pub(super) first: usize,
    pub(super) fields: HashMap<String, usize>,
}

impl Lines {
    /// The line of a field such as `spec.workers[0].name`, or of the nearest one around it.
    pub fn of(&self, field: &str) -> usize {
        // Maps are written `sparkConf[spark.a]` in messages of the operator.
        let dotted = dotted(field);
        let mut path = dotted.as_ref();
        loop {
            if let Some(line) = self.fields.get(path) {
                return *line;
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = path.get(..end).unwrap_or_default(),
                None => return self.first,
            }
        }
    }

    /// The lines of the fields below a path, as a document of their own.
    #[must_use]
    pub fn below(&self, path: &str) -> Self {
        let below = |field: &String| {
            let rest = field.strip_prefix(path)?;
            Some(rest.strip_prefix('.').unwrap_or(rest).to_owned())
        };
        let fields = self.fields.iter().filter_map(|(f, line)| Some((below(f)?, *line))).collect();
        Self { first: self.of(path), fields }
    }
}

/// `a[b.c][0]` as `a.b.c[0]`.
fn dotted(field: &str) -> Cow<'_, str> {
    let Some((before, rest)) = field.split_once('[') else { return Cow::Borrowed(field) };
    let Some((key, after)) = rest.split_once(']') else { return Cow::Borrowed(field) };
    let after = dotted(after);
    Cow::Owned(if key.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("{before}[{key}]{after}")
    } else {
        format!("{before}.{key}{after}")
    })
}
