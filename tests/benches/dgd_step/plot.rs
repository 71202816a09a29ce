//! A plot of seconds over densities, both on logarithmic axes.

use std::fmt::Write;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 420.0;
const MARGIN: f64 = 60.0;
const COLOURS: [&str; 3] = ["#1b6ca8", "#c8553d", "#588157"];

/// A name, and for each density the seconds of the loss and of the whole step.
pub type Line = (String, Vec<(f64, f64, f64)>);

/// Lines by name: density, seconds of the loss (dashed), seconds of everything.
pub fn svg(lines: &[Line]) -> String {
    let points = || lines.iter().flat_map(|(_, line)| line);
    let ends = |values: Vec<f64>| values.iter().fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(*v), b.max(*v)));
    let (left, right) = ends(points().map(|point| point.0.ln()).collect());
    let (low, high) = ends(points().flat_map(|point| [point.1.ln(), point.2.ln()]).collect());
    let x = |density: f64| MARGIN + (density.ln() - left) / (right - left) * (WIDTH - 3.5 * MARGIN);
    let y = |secs: f64| HEIGHT - MARGIN - (secs.ln() - low) / (high - low) * (HEIGHT - 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\"><rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{MARGIN}\" y=\"24\">seconds per minibatch of 128: everything (solid), the loss (dashed)</text>\n"
    );
    for (density, ..) in &lines[0].1 {
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{}\">{density}</text>", x(*density), HEIGHT - MARGIN + 20.0);
    }
    let _ = writeln!(svg, "<text x=\"{MARGIN}\" y=\"{}\">share of counts above zero</text>", HEIGHT - MARGIN + 40.0);
    for secs in [low.exp(), (0.5 * (low + high)).exp(), high.exp()] {
        let _ = writeln!(svg, "<text x=\"8\" y=\"{:.1}\">{secs:.4}</text>", y(secs));
    }
    for ((name, line), colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let path = |secs: &dyn Fn(&(f64, f64, f64)) -> f64| {
            line.iter().map(|point| format!("{:.1},{:.1}", x(point.0), y(secs(point)))).collect::<Vec<_>>().join(" ")
        };
        for (points, dashes) in [(path(&|point| point.2), ""), (path(&|point| point.1), "stroke-dasharray=\"5 4\"")] {
            let _ = writeln!(svg, "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" {dashes}/>");
        }
        let end = line.last().expect("a point");
        let (x, y) = (x(end.0) + 8.0, y(end.2) + 4.0);
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" fill=\"{colour}\">{name}</text>");
    }
    svg + "</svg>\n"
}
