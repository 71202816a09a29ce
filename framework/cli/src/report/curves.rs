//! Learning curves of a stage: each term in training and in validation.

use crate::drawing::axis::Axis;
use crate::drawing::curve::{thinned, unbroken};
use crate::drawing::lettering::{shortened, width};
use crate::drawing::numbers::is_drawable;
use crate::drawing::svg::{INK, LETTERS, Point, Svg};
use crate::run::{Losses, Stage};

const WIDTH: f64 = 1040.0;
/// Panels beside each other.
const COLUMNS: usize = 3;
const HEIGHT: f64 = 236.0;
/// Room at the left of a panel, above and below it.
const LEFT: f64 = 62.0;
const TOP: f64 = 44.0;
const BELOW: f64 = 46.0;
/// Room for the legend.
const HEAD: f64 = 26.0;
const TRAINING: &str = "#0072B2";
const VALIDATION: &str = "#D55E00";

/// What a panel shows.
struct Panel<'a> {
    title: String,
    training: Losses,
    validation: Losses,
    kept_epoch: Option<u64>,
    stage: &'a str,
}

/// The terms of a stage, each in a panel, after the sum of those that training and validation both have.
pub fn stage_picture(stage: &Stage) -> String {
    let panels = panels(stage);
    let n_rows = panels.len().div_ceil(COLUMNS).max(1);
    let mut svg = Svg::new((WIDTH, HEAD + HEIGHT * n_rows as f64));
    legend(&mut svg, stage);
    for (place, panel) in panels.iter().enumerate() {
        let corner = ((place % COLUMNS) as f64 * WIDTH / COLUMNS as f64, HEAD + (place / COLUMNS) as f64 * HEIGHT);
        panel.draw(&mut svg, corner);
    }
    svg.describe(&description(stage));
    svg.finish(&format!("Losses by epoch. {}", stage.title()))
}

fn panels(stage: &Stage) -> Vec<Panel<'_>> {
    let panel = |title: String, terms: &[&str]| {
        let (training, validation) = stage.sums(terms);
        Panel { title, training, validation, kept_epoch: stage.kept_epoch, stage: &stage.name }
    };
    let common = stage.common_terms();
    let sum = (common.len() > 1).then(|| panel(format!("sum of {} terms", common.len()), &common));
    sum.into_iter().chain(stage.terms().into_iter().map(|term| panel(term.to_owned(), &[term]))).collect()
}

fn legend(svg: &mut Svg, stage: &Stage) {
    let mut x = LEFT;
    let mut entries = vec![("training", format!("stroke=\"{TRAINING}\" stroke-width=\"2\""))];
    if !stage.validation.is_empty() {
        entries.push(("validation", format!("stroke=\"{VALIDATION}\" stroke-width=\"2\" stroke-dasharray=\"7 3\"")));
    }
    if stage.kept_epoch.is_some() {
        entries.push(("epoch that was kept", format!("stroke=\"{INK}\" stroke-dasharray=\"2 3\"")));
    }
    for (name, style) in entries {
        svg.path(&[(x, 12.0), (x + 30.0, 12.0)], &style);
        svg.text((x + 36.0, 16.0), "", name);
        x += 60.0 + width(name, LETTERS);
    }
}

impl Panel<'_> {
    fn draw(&self, svg: &mut Svg, (left, top): Point) {
        let (left, right) = (left + LEFT, left + WIDTH / COLUMNS as f64 - 16.0);
        let (top, bottom) = (top + TOP, top + HEIGHT - BELOW);
        let all = || self.training.iter().chain(&self.validation).filter(|(_, loss)| is_drawable(*loss));
        let across = Axis::linear(&all().map(|(epoch, _)| *epoch as f64).collect::<Vec<_>>(), (left, right), 0);
        let up = Axis::of_losses(&all().map(|(_, loss)| *loss).collect::<Vec<_>>(), (bottom, top));
        let scale = if up.is_logarithmic() { "logarithmic axis".to_owned() } else { up.multiplier() };
        svg.text((left, top - 24.0), "font-weight=\"bold\"", &shortened(&self.title, LETTERS, right - left));
        svg.text((left, top - 8.0), "font-size=\"11\"", &scale);
        svg.text(((left + right) / 2.0, bottom + 32.0), "text-anchor=\"middle\" font-size=\"11\"", "epoch");
        across.draw_across(svg, (top, bottom));
        up.draw_up(svg, (left, right));
        if let Some(epoch) = self.kept_epoch {
            let x = across.place(epoch as f64);
            svg.path(&[(x, top), (x, bottom)], &format!("stroke=\"{INK}\" stroke-dasharray=\"2 3\""));
        }
        let axes = (&across, &up);
        self.curve(svg, axes, (&self.training, "training", TRAINING, ""));
        self.curve(svg, axes, (&self.validation, "validation", VALIDATION, " stroke-dasharray=\"7 3\""));
    }

    fn curve(
        &self,
        svg: &mut Svg,
        (across, up): (&Axis, &Axis),
        (losses, name, colour, dashes): (&Losses, &str, &'static str, &str),
    ) {
        for part in unbroken(losses) {
            let part = thinned(&part);
            let points: Vec<Point> =
                part.iter().map(|(epoch, loss)| (across.place(*epoch as f64), up.place(*loss))).collect();
            svg.path(&points, &format!("stroke=\"{colour}\" stroke-width=\"1.8\"{dashes}"));
            // Points are told where there are few.
            if part.len() <= 12 {
                for ((epoch, loss), point) in part.iter().zip(&points) {
                    let title = format!("{}, {}, {name}, epoch {epoch}: {loss:.5}", self.stage, self.title);
                    svg.dot(*point, (colour, "none"), &title);
                }
            }
        }
    }
}

fn description(stage: &Stage) -> String {
    let common = stage.common_terms();
    let terms = if common.is_empty() { stage.terms() } else { common };
    let (training, validation) = stage.sums(&terms);
    let course = |losses: &Losses| match (losses.first(), losses.last()) {
        (Some((from, first)), Some((to, last))) => {
            format!("from {first:.4} in epoch {from} to {last:.4} in epoch {to}")
        }
        _ => "not judged".to_owned(),
    };
    format!("The sum of {}: training {}; validation {}.", terms.join(", "), course(&training), course(&validation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Epoch;

    fn epochs(n: u64, terms: &[&str]) -> Vec<Epoch> {
        let of = |epoch| terms.iter().map(|name| ((*name).to_owned(), 100.0 / (epoch + 1) as f64)).collect();
        (0..n).map(|epoch| Epoch { epoch, terms: of(epoch) }).collect()
    }

    #[test]
    fn every_term_has_a_panel_after_the_sum_of_the_common_ones() {
        let stage = Stage {
            name: "latent".into(),
            training: epochs(60, &["rna", "atac", "prior"]),
            validation: epochs(60, &["rna", "atac"]),
            kept_epoch: Some(40),
            reason: None,
        };
        let titles: Vec<String> = panels(&stage).iter().map(|panel| panel.title.clone()).collect();
        assert_eq!(titles, ["sum of 2 terms", "rna", "atac", "prior"]);
        let svg = stage_picture(&stage);
        // training in four panels, validation in three, a kept epoch in each, and the legend
        assert_eq!(svg.matches("<polyline").count(), 4 + 3 + 4 + 3);
        assert!(svg.contains("logarithmic axis") && svg.contains("<desc>The sum of rna, atac: training from 200.0000"));
        let empty = stage_picture(&Stage { name: "x".into(), ..Stage::default() });
        assert!(!empty.contains("NaN") && empty.contains("</svg>"));
    }
}
