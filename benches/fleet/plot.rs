//! Time and memory against the number of Domains, as SVG.

use std::fmt::Write;

use crate::report::Report;

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 260.0;
const MARGIN: f64 = 60.0;

/// A line of a panel: its name, its colour, its points.
type Line = (&'static str, &'static str, Vec<(f64, f64)>);

/// The plot; nothing if there is but one N.
pub fn draw(report: &Report) -> Option<String> {
    let time = vec![
        ("operator", "#1b6ca8", report.series("domains", "seconds")),
        ("floor", "#888888", report.series("domains", "floor_seconds")),
    ];
    let mib = |name: &str| -> Vec<(f64, f64)> {
        report.series("domains", name).iter().map(|(n, kib)| (*n, kib / 1024.0)).collect()
    };
    let memory =
        vec![("peak", "#c0562f", mib("peak_kib")), ("resident", "#1b6ca8", mib("resident_kib"))];
    if time.first()?.2.len() < 2 {
        return None;
    }
    let mut svg = String::new();
    let full = (2.0 * (WIDTH + 2.0 * MARGIN), HEIGHT + 2.0 * MARGIN);
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        full.0, full.1
    );
    panel(&mut svg, 0.0, "seconds until N Domains are Ready", &time);
    panel(&mut svg, WIDTH + 2.0 * MARGIN, "MiB of the operator", &memory);
    svg.push_str("</svg>\n");
    Some(svg)
}

fn panel(svg: &mut String, left: f64, title: &str, lines: &[Line]) {
    let points = || lines.iter().flat_map(|(.., points)| points);
    let widest = points().map(|(n, _)| *n).fold(1.0, f64::max);
    let highest = points().map(|(_, value)| *value).fold(f64::MIN_POSITIVE, f64::max);
    let x = |n: f64| left + MARGIN + n / widest * WIDTH;
    let y = |value: f64| MARGIN + HEIGHT - value / highest * HEIGHT;
    let (bottom, right) = (y(0.0), x(widest));
    let _ = write!(
        svg,
        "<text x=\"{:.0}\" y=\"{:.0}\" font-weight=\"bold\">{title}</text>\n\
         <path d=\"M{:.1} {:.1}V{bottom:.1}H{right:.1}\" fill=\"none\" stroke=\"black\"/>\n",
        x(0.0),
        MARGIN - 24.0,
        x(0.0),
        MARGIN
    );
    for quarter in 1..=4 {
        let value = highest * f64::from(quarter) / 4.0;
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value:.1}</text>",
            x(0.0) - 6.0,
            y(value) + 4.0
        );
    }
    let mut marks: Vec<f64> = points().map(|(n, _)| *n).collect();
    marks.sort_by(f64::total_cmp);
    marks.dedup();
    for n in marks {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{n}</text>",
            x(n),
            bottom + 18.0
        );
    }
    for (index, (name, colour, points)) in lines.iter().enumerate() {
        let path: Vec<String> =
            points.iter().map(|(n, value)| format!("{:.1},{:.1}", x(*n), y(*value))).collect();
        let _ = write!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\n\
             <text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{name}</text>\n",
            path.join(" "),
            x(0.0) + 12.0,
            MARGIN + 6.0 + 16.0 * if index == 0 { 0.0 } else { 1.0 }
        );
    }
}
