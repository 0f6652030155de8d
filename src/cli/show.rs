//! How answers look: tables and colours for people, JSON and YAML for programs.

use std::{
    env,
    io::{self, IsTerminal, Write},
};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::error::Error;

/// How the answer looks.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Output {
    /// How the answer looks.
    #[arg(short, long, value_enum, default_value = "table")]
    output: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
    Yaml,
}

impl Output {
    /// Prints an answer; `people` makes the text for people.
    pub(super) fn print<T: Serialize>(
        self,
        answer: &T,
        people: impl FnOnce(&Style) -> String,
    ) -> Result<(), Error> {
        print(&match self.output {
            Format::Table => people(&Style::of_stdout()),
            Format::Json => serde_json::to_string_pretty(answer)? + "\n",
            Format::Yaml => serde_yaml::to_string(answer)?,
        })
    }
}

/// Writes to standard output.
pub(super) fn print(text: &str) -> Result<(), Error> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    Ok(output.flush()?)
}

/// Writes a line to standard error. Nothing is lost if nobody reads it.
pub(super) fn note(line: &str) {
    let _ = writeln!(io::stderr(), "{}", line.trim_end_matches('\n'));
}

/// What a text is to look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tone {
    #[default]
    Plain,
    Good,
    Warn,
    Bad,
    Dim,
    Bold,
}

/// What the output can show.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Style {
    colour: bool,
    /// Columns of the terminal; `None` if it is none.
    width: Option<usize>,
}

impl Style {
    /// Colours and widths only on a terminal. Source: <https://no-color.org>
    fn of_stdout() -> Self {
        if !io::stdout().is_terminal() {
            return Self::default();
        }
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = env::var_os("TERM").is_some_and(|value| value == "dumb");
        let size = terminal_size::terminal_size();
        Self {
            colour: !is_set("NO_COLOR") && !is_dumb,
            width: size.map(|(width, _)| usize::from(width.0)),
        }
    }

    pub(super) fn paint(&self, text: &str, tone: Tone) -> String {
        let code = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Good => "32",
            Tone::Warn => "33",
            Tone::Bad => "31",
            Tone::Dim => "2",
            Tone::Bold => "1",
        };
        if self.colour && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// Columns under each other; on a terminal, lines end at its edge.
    pub(super) fn table(&self, rows: &[Vec<Cell>]) -> String {
        let count = rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..count)
            .map(|column| {
                let cells = rows.iter().filter_map(|row| row.get(column));
                cells.map(|cell| cell.text.chars().count()).max().unwrap_or(0)
            })
            .collect();
        rows.iter().map(|row| self.line(row, &widths) + "\n").collect()
    }

    fn line(&self, row: &[Cell], widths: &[usize]) -> String {
        const GAP: usize = 3;
        let (mut line, mut used) = (String::new(), 0);
        for (index, (cell, width)) in row.iter().zip(widths).enumerate() {
            let left = self.width.map(|width| width.saturating_sub(used));
            let text = shorten(&cell.text, left);
            let length = text.chars().count();
            line += &self.paint(&text, cell.tone);
            if index + 1 < row.len() {
                let pad = width.saturating_sub(length) + GAP;
                line.extend(std::iter::repeat_n(' ', pad));
                used += length + pad;
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// A text that fits, with a sign if it was cut.
fn shorten(text: &str, width: Option<usize>) -> String {
    match width {
        Some(width) if text.chars().count() > width => {
            let kept: String = text.chars().take(width.saturating_sub(1)).collect();
            if width == 0 { kept } else { kept + "…" }
        }
        _ => text.to_owned(),
    }
}

/// A cell of a table: one line.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    pub(super) fn new(text: impl AsRef<str>, tone: Tone) -> Self {
        let text = text.as_ref();
        let first = text.lines().next().unwrap_or_default();
        Self { text: if first.is_empty() { "-".to_owned() } else { first.to_owned() }, tone }
    }

    pub(super) fn plain(text: impl AsRef<str>) -> Self {
        Self::new(text, Tone::Plain)
    }
}

/// Names of columns.
pub(super) fn header(names: &[&str]) -> Vec<Cell> {
    names.iter().map(|name| Cell::new(name, Tone::Bold)).collect()
}

/// A span of time as kubectl shows ages: `45s`, `12m`, `3h`, `2d`.
pub(super) fn age(seconds: i64) -> String {
    let seconds = seconds.max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<Cell>> {
        vec![
            header(&["NAME", "MESSAGE"]),
            vec![Cell::new("load", Tone::Bad), Cell::plain("a long message\nwith two lines")],
            vec![Cell::plain("x"), Cell::plain("")],
        ]
    }

    #[test]
    fn columns_stand_under_each_other() {
        let text = Style::default().table(&rows());
        assert_eq!(text, "NAME   MESSAGE\nload   a long message\nx      -\n");
    }

    #[test]
    fn on_a_terminal_lines_end_at_its_edge_and_have_colours() {
        let style = Style { colour: true, width: Some(16) };
        let text = style.table(&rows());
        assert!(text.contains("\x1b[31mload\x1b[0m   a long m…"), "{text}");
    }

    #[test]
    fn ages_are_those_of_kubectl() {
        let ages = [0, 119, 120, 7199, 7200, 172_800].map(age);
        assert_eq!(ages, ["0s", "119s", "2m", "119m", "2h", "2d"]);
    }
}
