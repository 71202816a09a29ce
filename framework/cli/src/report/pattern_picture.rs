//! Which modalities measured which cells, as columns over dots.

use super::cells::{Pattern, SUBSETS};
use super::written::counted;
use crate::drawing::axis::Axis;
use crate::drawing::lettering::{shortened, width};
use crate::drawing::palette::{css, of_class};
use crate::drawing::svg::{INK, LETTERS, PALE, Svg};

/// Patterns beyond these, the rarest ones, are left to the table.
pub const MAX_PATTERNS: usize = 16;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 200.0;
/// Longest name of a modality, in pixels.
const NAME: f64 = 150.0;
/// Width of a column with its gap.
const COLUMN: f64 = 64.0;
/// Height of a row of dots.
const ROW: f64 = 24.0;

/// A column for each pattern, as high as it has cells, divided by split; below, a dot for each modality that measured them.
pub fn pattern_picture(patterns: &[Pattern], modalities: &[String]) -> String {
    let patterns = &patterns[..patterns.len().min(MAX_PATTERNS)];
    let names = modalities.iter().map(|name| width(name, LETTERS).min(NAME)).fold(60.0, f64::max);
    let left = names + 24.0;
    let right = left + (COLUMN * patterns.len() as f64).max(300.0);
    let mut svg = Svg::new((right + 14.0, BOTTOM + 22.0 + ROW * modalities.len() as f64));
    let most = patterns.iter().map(Pattern::total).max().unwrap_or(1) as f64;
    let up = Axis::linear(&[0.0, most * 1.05], (BOTTOM, TOP), 0);
    up.draw_up(&mut svg, (left, right));
    legend(&mut svg, patterns, left);
    svg.text((left - 6.0, TOP - 18.0), "text-anchor=\"end\"", "cells");
    for (place, pattern) in patterns.iter().enumerate() {
        column(&mut svg, &up, (pattern, left + COLUMN * (place as f64 + 0.5)));
    }
    svg.line((left, up.place(0.0)), (right, up.place(0.0)), (INK, 1.0));
    for (row, name) in modalities.iter().enumerate() {
        let y = BOTTOM + 18.0 + ROW * row as f64;
        svg.short_text((left - 10.0, y + 4.0), "text-anchor=\"end\"", (&shortened(name, LETTERS, NAME), name));
        for (place, pattern) in patterns.iter().enumerate() {
            let x = left + COLUMN * (place as f64 + 0.5);
            let colour = if pattern.modalities.contains(name) { INK } else { PALE };
            svg.raw(&format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"6\" fill=\"{colour}\"/>"));
        }
    }
    svg.describe(&description(patterns));
    svg.finish("Cells by the modalities that measured them")
}

fn legend(svg: &mut Svg, patterns: &[Pattern], left: f64) {
    let mut x = left + 8.0;
    for (place, subset) in SUBSETS.iter().enumerate() {
        if patterns.iter().any(|pattern| pattern.n_cells[place] > 0) {
            svg.area((x, 4.0), (x + 12.0, 16.0), &css(of_class(place)));
            svg.text((x + 17.0, 14.0), "", subset.name());
            x += 38.0 + width(subset.name(), LETTERS);
        }
    }
}

fn column(svg: &mut Svg, up: &Axis, (pattern, middle): (&Pattern, f64)) {
    let mut below = 0;
    for (place, n) in pattern.n_cells.iter().enumerate().filter(|(_, n)| **n > 0) {
        let (from, to) = (up.place((below + n) as f64), up.place(below as f64));
        svg.area((middle - 19.0, from), (middle + 19.0, to), &css(of_class(place)));
        below += n;
    }
    let style = "text-anchor=\"middle\" font-size=\"11\"";
    svg.text((middle, up.place(below as f64) - 4.0), style, &counted(below));
}

fn description(patterns: &[Pattern]) -> String {
    let of = |pattern: &Pattern| {
        let names = if pattern.modalities.is_empty() { "none".to_owned() } else { pattern.modalities.join(" + ") };
        format!("{} cells by {names}", pattern.total())
    };
    format!("{}.", patterns.iter().map(of).collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_has_a_column_and_its_dots() {
        let pattern = |names: &[&str], n_cells| Pattern {
            modalities: names.iter().map(|name| (*name).to_owned()).collect(),
            n_cells,
        };
        let patterns = [pattern(&["rna", "atac"], [80, 5, 15, 0]), pattern(&["rna"], [10, 0, 0, 0])];
        let svg = pattern_picture(&patterns, &["rna".to_owned(), "atac".to_owned()]);
        assert_eq!(svg.matches("<circle").count(), 4);
        assert_eq!(svg.matches(&format!("r=\"6\" fill=\"{PALE}\"")).count(), 1);
        assert!(svg.contains("<desc>100 cells by rna + atac; 10 cells by rna.</desc>") && !svg.contains("unused"));
    }
}
