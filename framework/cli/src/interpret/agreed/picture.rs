//! How far encoders agree on each direction of a space that they share, as a picture.

use super::AgreementOf;
use crate::drawing::axis::Axis;
use crate::drawing::lettering::shortened;
use crate::drawing::palette::{css, of_class};
use crate::drawing::svg::{LETTERS, Svg};

/// Of a panel.
const WIDTH: f64 = 520.0;
const COLUMNS: usize = 2;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 50.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 44.0;
const BELOW: f64 = 44.0;
const GREY: &str = "#999999";

/// Correlations of canonical pairs, fitted and held out, a panel for each encoder; two encoders alone are one panel.
pub fn agreements_picture(found: &[AgreementOf]) -> String {
    let is_told = |one: &AgreementOf, earlier: &AgreementOf| {
        one.others.as_slice() == [earlier.space.clone()] && earlier.others.as_slice() == [one.space.clone()]
    };
    let panels =
        found.iter().enumerate().filter(|(place, one)| !found[..*place].iter().any(|other| is_told(one, other)));
    let panels: Vec<&AgreementOf> = panels.map(|(_, one)| one).collect();
    let n_across = panels.len().clamp(1, COLUMNS);
    let mut svg = Svg::new((WIDTH * n_across as f64, HEIGHT * panels.len().div_ceil(COLUMNS).max(1) as f64));
    for (place, one) in panels.iter().enumerate() {
        panel(&mut svg, one, ((place % COLUMNS) as f64 * WIDTH, (place / COLUMNS) as f64 * HEIGHT));
    }
    let words =
        |one: &&AgreementOf| format!("{} agrees on {} of {} directions", one.space, one.n_agreed, one.held_out.len());
    svg.describe(&panels.iter().map(words).collect::<Vec<_>>().join("; "));
    svg.finish("Correlations between what encoders tell of a space that they share")
}

fn panel(svg: &mut Svg, one: &AgreementOf, (left, top): (f64, f64)) {
    let (left, right) = (left + LEFT, left + WIDTH - RIGHT);
    let (top, bottom) = (top + TOP, top + HEIGHT - BELOW);
    let across = Axis::linear(&[1.0, one.held_out.len().max(2) as f64], (left, right), 0);
    let up = Axis::linear(&[one.held_out.iter().copied().fold(0.0, f64::min), 1.0], (bottom, top), 0);
    let title = format!("{} beside {}: {} agreed", one.space, one.others.join(", "), one.n_agreed);
    svg.text((left, top - 24.0), "font-weight=\"bold\"", &shortened(&title, LETTERS, right - left));
    svg.text(
        (left, top - 8.0),
        "font-size=\"11\"",
        "correlation: held out (dots), fitted (grey); dashed: what is asked",
    );
    svg.text(((left + right) / 2.0, bottom + 32.0), "text-anchor=\"middle\" font-size=\"11\"", "canonical pair");
    across.draw_across(svg, (top, bottom));
    up.draw_up(svg, (left, right));
    let points = |values: &[f64]| -> Vec<(f64, f64)> {
        values.iter().zip(1..).map(|(value, pair)| (across.place(f64::from(pair)), up.place(*value))).collect()
    };
    let asked = up.place(one.min_correlation);
    svg.path(
        &[(left, asked), (right, asked)],
        &format!("stroke=\"{GREY}\" stroke-width=\"1\" stroke-dasharray=\"4 3\""),
    );
    svg.path(&points(&one.fitted), &format!("stroke=\"{GREY}\" stroke-width=\"1.5\""));
    let colour = css(of_class(0));
    svg.path(&points(&one.held_out), &format!("stroke=\"{colour}\" stroke-width=\"1.8\""));
    for (place, point) in points(&one.held_out).into_iter().enumerate() {
        let fill = if place < one.n_agreed { colour.as_str() } else { "#FFFFFF" };
        svg.dot(point, (fill, &colour), &format!("pair {}: {:.3}", place + 1, one.held_out[place]));
    }
}
