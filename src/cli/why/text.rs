//! The answer for people.

use std::fmt::Write;

use super::{
    super::show::{Style, Tone},
    evidence::{Evidence, Step},
};

pub(super) fn answer(evidence: &Evidence, style: &Style) -> String {
    let object = style.paint(&evidence.object, Tone::Bold);
    let state = style.paint(&format!("{:?}", evidence.state), evidence.state.tone());
    let mut text = format!("{object}: {state}\n  {}\n", indented(&evidence.says));
    if evidence.is_well && evidence.todo.is_empty() {
        return text + "Nothing is wrong.\n";
    }
    for step in &evidence.steps {
        let Step { what, of, says } = step;
        let place = style.paint(&format!("{what} {of}:"), Tone::Dim);
        let _ = writeln!(text, "  └ {place} {}", indented(says));
    }
    if !evidence.todo.is_empty() {
        text += &style.paint("What to do", Tone::Bold);
        text += "\n";
    }
    for todo in &evidence.todo {
        let _ = writeln!(text, "  - {todo}");
    }
    if !evidence.unread.is_empty() {
        let note = format!("Not looked at, as you may not: {}\n", evidence.unread.join(", "));
        text += &style.paint(&note, Tone::Dim);
    }
    text
}

/// Lines after the first stand under it.
fn indented(text: &str) -> String {
    text.trim_end().replace('\n', "\n    ")
}
