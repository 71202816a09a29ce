//! A plot of seconds over counts above zero, both on linear axes from 0, so that what is linear is a straight line.

use std::fmt::Write;

const WIDTH: f64 = 920.0;
const HEIGHT: f64 = 400.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 340.0;
/// Left and right end of each panel.
const PANELS: [(f64, f64); 2] = [(60.0, 400.0), (500.0, 840.0)];
/// Colours of Okabe & Ito, told apart by all.
const COLOURS: [&str; 3] = ["#0072B2", "#D55E00", "#009E73"];

/// A name, and for each density the counts above zero in a minibatch, seconds of the loss and of the whole step.
pub type Line = (String, Vec<Point>);

/// What was measured at one width and density.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    /// Counts above zero in a minibatch.
    pub n_above_zero: f64,
    /// Seconds of the loss with its backward pass.
    pub loss_secs: f64,
    /// Seconds of the whole step.
    pub step_secs: f64,
}

/// Two panels, of the loss and of the whole step, a line for each width.
pub fn svg(lines: &[Line]) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"DejaVu Sans, Helvetica, Arial, sans-serif\" font-size=\"13\" fill=\"#222222\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    panel(&mut svg, lines, PANELS[0], ("the loss and its gradient, seconds", |point| point.loss_secs));
    panel(&mut svg, lines, PANELS[1], ("the whole step, seconds", |point| point.step_secs));
    svg + "</svg>\n"
}

fn panel(svg: &mut String, lines: &[Line], (left, right): (f64, f64), (title, secs): (&str, fn(&Point) -> f64)) {
    let most = |of: &dyn Fn(&Point) -> f64| lines.iter().flat_map(|(_, line)| line).map(of).fold(0.0, f64::max);
    let (x_step, y_step) = (tick(most(&|point| point.n_above_zero)), tick(most(&secs)));
    let (x_end, y_end) = (most(&|point| point.n_above_zero), most(&secs));
    let x = |n: f64| left + n / x_end * (right - left);
    let y = |secs: f64| BOTTOM - secs / y_end * (BOTTOM - TOP);
    let _ = writeln!(svg, "<text x=\"{left}\" y=\"24\" font-weight=\"bold\">{title}</text>");
    for place in 0..=(y_end / y_step) as usize {
        let (value, at) = (place as f64 * y_step, y(place as f64 * y_step));
        let _ = writeln!(svg, "<path d=\"M{left} {at:.1}H{right}\" stroke=\"#dddddd\"/>");
        let _ =
            writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value:.2}</text>", left - 8.0, at + 4.0);
    }
    for place in 0..=(x_end / x_step) as usize {
        let (value, at) = (place as f64 * x_step, x(place as f64 * x_step));
        let _ = writeln!(
            svg,
            "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{:.1}</text>",
            BOTTOM + 20.0,
            value / 1e6
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{left}\" y=\"{:.1}\">counts above zero in a minibatch, millions</text>",
        BOTTOM + 42.0
    );
    for ((name, line), colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let at = |point: &Point| (x(point.n_above_zero), y(secs(point)));
        let path: Vec<String> = line.iter().map(|point| format!("{:.1},{:.1}", at(point).0, at(point).1)).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>",
            path.join(" ")
        );
        for (x, y) in line.iter().map(at) {
            let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{colour}\"/>");
        }
        let (x, y) = at(line.last().expect("a point"));
        let anchor = if x > 0.5 * (left + right) { "end" } else { "start" };
        let y = y - 10.0;
        let _ =
            writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" fill=\"{colour}\" text-anchor=\"{anchor}\">{name}</text>");
    }
}

/// A round distance of ticks that makes three to eight of them.
fn tick(most: f64) -> f64 {
    let power = 10f64.powf((most / 4.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| most / step <= 8.0).unwrap_or(most)
}
