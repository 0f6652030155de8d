//! The answer for people.

use std::fmt::Write;

use super::{
    super::{
        cluster::called,
        show::{Cell, Style, Tone, header},
    },
    report::{Problem, Report, State, Usage},
};

/// Problems that a look at all domains shows.
const MOST: usize = 20;
/// Width of a bar.
const BAR: usize = 20;

impl State {
    pub(in super::super) fn tone(self) -> Tone {
        match self {
            Self::Ready => Tone::Good,
            Self::Progressing | Self::Unseen | Self::Deleting => Tone::Warn,
            Self::Stalled => Tone::Bad,
            Self::Suspended => Tone::Dim,
        }
    }
}

/// One domain on one screen.
pub(super) fn one(report: &Report, style: &Style) -> String {
    let mut text = style.paint(&format!("Domain {}", report.domain), Tone::Bold);
    match report.state {
        Some(state) => {
            let _ = write!(text, "  {}", style.paint(&format!("{state:?}"), state.tone()));
            if !report.reason.is_empty() && report.reason != format!("{state:?}") {
                let _ = write!(text, " ({})", report.reason);
            }
        }
        None => text += "  (you may not see the Domain itself, only what is in it)",
    }
    let who = [&report.team, &report.email].into_iter().flatten();
    let who: Vec<&str> = who.map(String::as_str).collect();
    let owner = if who.is_empty() { String::new() } else { format!(", owner {}", who.join(" ")) };
    let _ = writeln!(text, "\nnamespace {}{owner}", report.namespace);
    if !report.quota.is_empty() {
        text += "\nQUOTA\n";
        text += &style.table(&report.quota.iter().map(row).collect::<Vec<_>>());
    }
    text += "\nWORKLOADS\n";
    if report.workloads.is_empty() {
        text += "none\n";
    } else {
        let rows: Vec<Vec<Cell>> = report
            .workloads
            .iter()
            .map(|it| {
                vec![
                    Cell::plain(it.kind),
                    Cell::plain(&it.name),
                    Cell::new(format!("{:?}", it.state), it.state.tone()),
                    Cell::plain(&it.reason),
                    Cell::plain(&it.detail),
                ]
            })
            .collect();
        text += &style.table(&rows);
    }
    text + &wrong(&report.problems, style)
}

fn row(usage: &Usage) -> Vec<Cell> {
    let tone = match usage.percent {
        ..80 => Tone::Good,
        80..100 => Tone::Warn,
        _ => Tone::Bad,
    };
    let filled = usize::try_from(usage.percent.clamp(0, 100)).unwrap_or(0) * BAR / 100;
    let bar: String = "█".repeat(filled) + &"░".repeat(BAR - filled);
    vec![
        Cell::plain(&usage.resource),
        Cell::new(bar, tone),
        Cell::plain(format!("{}%", usage.percent)),
        Cell::plain(format!("{} of {}", usage.used, usage.hard)),
    ]
}

fn wrong(problems: &[Problem], style: &Style) -> String {
    if problems.is_empty() {
        return "\nNothing is wrong.\n".to_owned();
    }
    let mut text = format!("\n{}\n", style.paint("WHAT IS WRONG", Tone::Bold));
    for problem in problems {
        text += &problem_text(problem, style);
    }
    if let Some(first) = problems.first() {
        let _ = writeln!(text, "\nMore: polder why {}", called(&first.object, &first.namespace));
    }
    text
}

fn problem_text(problem: &Problem, style: &Style) -> String {
    let tone = if problem.needs_person { Tone::Bad } else { Tone::Warn };
    let place = if problem.namespace.is_empty() {
        problem.object.clone()
    } else {
        format!("{} in {}", problem.object, problem.namespace)
    };
    let message = problem.message.lines().next().unwrap_or_default();
    let mut text = format!("{} {}: {message}\n", style.paint(&place, tone), problem.reason);
    if let Some(todo) = problem.todo {
        let _ = writeln!(text, "  to do: {todo}");
    }
    text
}

/// All domains, a line each, and what is wrong in them.
pub(super) fn all(reports: &[Report], style: &Style) -> String {
    if reports.is_empty() {
        return "There are no Domains yet. `kubectl explain domain.spec` tells how to make one.\n"
            .to_owned();
    }
    let mut rows =
        vec![header(&["DOMAIN", "STATE", "REASON", "SCARCEST", "WORKLOADS", "WRONG", "TEAM"])];
    rows.extend(reports.iter().map(|report| {
        let state = report.state.unwrap_or(State::Unseen);
        let scarcest = report.quota.first();
        let scarcest = scarcest.map(|usage| format!("{}% {}", usage.percent, usage.resource));
        let wrong = report.problems.len();
        vec![
            Cell::plain(&report.domain),
            Cell::new(format!("{state:?}"), state.tone()),
            Cell::plain(&report.reason),
            Cell::plain(scarcest.unwrap_or_default()),
            Cell::plain(format!("{}/{} ready", report.ready(), report.workloads.len())),
            Cell::new(wrong.to_string(), if wrong == 0 { Tone::Dim } else { Tone::Bad }),
            Cell::plain(report.team.as_deref().unwrap_or_default()),
        ]
    }));
    let mut problems: Vec<&Problem> = reports.iter().flat_map(|it| &it.problems).collect();
    problems.sort_by_key(|problem| !problem.needs_person);
    let mut text = style.table(&rows);
    if problems.is_empty() {
        return text + "\nNothing is wrong.\n";
    }
    let _ = writeln!(text, "\n{}", style.paint("WHAT IS WRONG", Tone::Bold));
    for problem in problems.iter().take(MOST) {
        text += &problem_text(problem, style);
    }
    if problems.len() > MOST {
        let _ =
            writeln!(text, "and {} more; `polder status DOMAIN` or -o json", problems.len() - MOST);
    }
    text
}
