//! The answer for people.

use super::{
    super::show::{Cell, Style, Tone, header},
    By,
    sums::{Line, Prices},
};

/// `unknown` says why it is not known what is used.
pub(super) fn table(
    lines: &[Line],
    by: By,
    prices: Prices,
    unknown: Option<&str>,
    style: &Style,
) -> String {
    if lines.is_empty() {
        return "There are no Domains.\n".to_owned();
    }
    let is_measured = lines.iter().any(|line| line.used_cores.is_some());
    let mut names = match by {
        By::Domain => vec!["DOMAIN", "TEAM", "COST CENTRE"],
        By::Team => vec!["TEAM"],
        By::CostCenter => vec!["COST CENTRE"],
    };
    names.extend(["PODS", "CPU", "MEMORY", "VOLUMES"]);
    if is_measured {
        names.extend(["CPU USED", "MEMORY USED"]);
    }
    if prices.are_given() {
        names.extend(["PER HOUR", "PER MONTH"]);
    }
    let mut rows = vec![header(&names)];
    rows.extend(lines.iter().map(|line| row(line, by, is_measured, prices)));
    let mut text = style.table(&rows);
    if let Some(why) = unknown {
        let note =
            format!("CPU and memory are what pods reserve; what they use is not known: {why}.\n");
        text += &style.paint(&note, Tone::Dim);
    }
    if !prices.are_given() {
        let note = "--price-cpu, --price-memory and --price-storage show what that costs.\n";
        text += &style.paint(note, Tone::Dim);
    }
    text
}

fn row(line: &Line, by: By, is_measured: bool, prices: Prices) -> Vec<Cell> {
    let gib = |gib: f64| format!("{gib:.1} GiB");
    let mut cells = vec![Cell::plain(&line.name)];
    if by == By::Domain {
        let text = |text: &Option<String>| Cell::plain(text.as_deref().unwrap_or_default());
        cells.extend([text(&line.team), text(&line.cost_center)]);
    }
    cells.extend([
        Cell::plain(line.pods.to_string()),
        Cell::plain(format!("{:.2}", line.cores)),
        Cell::plain(gib(line.memory_gib)),
        Cell::plain(gib(line.storage_gib)),
    ]);
    if is_measured {
        let cores = line.used_cores.map(|cores| format!("{cores:.2}")).unwrap_or_default();
        cells.push(Cell::plain(cores));
        cells.push(Cell::plain(line.used_memory_gib.map(gib).unwrap_or_default()));
    }
    if prices.are_given() {
        let money = |money: Option<f64>| Cell::plain(format!("{:.2}", money.unwrap_or(0.0)));
        cells.extend([money(line.cost_per_hour), money(line.cost_per_month)]);
    }
    cells
}
