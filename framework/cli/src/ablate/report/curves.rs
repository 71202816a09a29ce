//! Learning curves of a stage: the losses of all runs over each other.

use super::super::comparison::{ComparedVariant, Comparison, Curve};
use crate::drawing::axis::Axis;
use crate::drawing::curve::{Losses, thinned, unbroken};
use crate::drawing::lettering::{shortened, width};
use crate::drawing::numbers::is_drawable;
use crate::drawing::svg::{INK, LETTERS, Point, Svg};

const WIDTH: f64 = 1000.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 316.0;
/// The panels of training and validation, or of training alone.
const TWO: [(f64, f64); 2] = [(80.0, 480.0), (580.0, 980.0)];
const ALONE: (f64, f64) = (80.0, 980.0);
const LEGEND: f64 = BOTTOM + 62.0;
/// Height of a line of the legend.
const LINE: f64 = 20.0;
/// Longest name in the legend, in pixels.
const NAME: f64 = 226.0;
/// Length of the line beside a name.
const SWATCH: f64 = 30.0;
/// Colours of Okabe & Ito that are read on white; the base is drawn in ink.
const COLOURS: [&str; 6] = ["#E69F00", "#56B4E9", "#009E73", "#D55E00", "#0072B2", "#CC79A7"];
const DASHES: [&str; 7] = ["", "6 3", "2 2", "10 3 2 3", "12 4", "6 2 2 2 2 2", "1 3"];

/// The curves of a variant.
struct Strand<'a> {
    name: &'a str,
    colour: &'static str,
    dashes: &'static str,
    thickness: f64,
    curves: Vec<&'a Curve>,
}

/// Names of all stages, in the order in which they are met.
pub fn stages(comparison: &Comparison) -> Vec<&str> {
    let runs = comparison.variants.iter().flat_map(|variant| &variant.runs);
    let mut stages: Vec<&str> = Vec::new();
    for curve in runs.flat_map(|run| &run.curves) {
        let has_points = !curve.training.is_empty() || !curve.validation.is_empty();
        if has_points && !stages.contains(&curve.stage.as_str()) {
            stages.push(&curve.stage);
        }
    }
    stages
}

/// All runs in a stage: training losses, and beside them validation losses where there are any.
pub fn stage_picture(comparison: &Comparison, stage: &str) -> String {
    let variants = comparison.variants.iter().enumerate();
    let strands = variants.map(|(place, variant)| Strand::of(place, variant, stage));
    let strands: Vec<Strand<'_>> = strands.filter(|strand| !strand.curves.is_empty()).collect();
    let is_validated = strands.iter().flat_map(|strand| &strand.curves).any(|curve| !curve.validation.is_empty());
    let places = legend_places(&strands);
    let mut svg = Svg::new((WIDTH, places.last().map_or(LEGEND, |(_, y)| y + 14.0)));
    let [left, right] = TWO;
    if is_validated {
        panel(&mut svg, ("training loss", left), &strands, |curve| &curve.training);
        panel(&mut svg, ("validation loss", right), &strands, |curve| &curve.validation);
    } else {
        panel(&mut svg, ("training loss", ALONE), &strands, |curve| &curve.training);
    }
    strands.iter().zip(places).for_each(|(strand, place)| strand.legend(&mut svg, place));
    svg.finish(&format!("losses in stage {stage}"))
}

impl<'a> Strand<'a> {
    /// The base is drawn thick in ink, variants in colours and, when these are used up, in dashes.
    fn of(place: usize, variant: &'a ComparedVariant, stage: &str) -> Strand<'a> {
        let curves = variant.runs.iter().flat_map(|run| &run.curves).filter(|curve| curve.stage == stage).collect();
        let name = variant.name.as_str();
        match place.checked_sub(1) {
            None => Strand { name, colour: INK, dashes: "", thickness: 1.8, curves },
            Some(place) => {
                let (colour, dashes) = (place % COLOURS.len(), place / COLOURS.len() % DASHES.len());
                Strand { name, colour: COLOURS[colour], dashes: DASHES[dashes], thickness: 1.2, curves }
            }
        }
    }

    fn style(&self, thickness: f64) -> String {
        let dashes = match self.dashes {
            "" => String::new(),
            dashes => format!(" stroke-dasharray=\"{dashes}\""),
        };
        format!("stroke=\"{}\" stroke-width=\"{thickness}\" stroke-opacity=\"0.85\"{dashes}", self.colour)
    }

    fn draw(&self, svg: &mut Svg, (across, up): (&Axis, &Axis), points: &Losses) {
        for part in unbroken(points) {
            let part = thinned(&part);
            let places: Vec<Point> =
                part.iter().map(|(epoch, loss)| (across.place(*epoch as f64), up.place(*loss))).collect();
            match (places.as_slice(), part.as_slice()) {
                ([place], [(epoch, loss)]) => {
                    let title = format!("{}, epoch {epoch}: {loss}", self.name);
                    svg.dot(*place, (self.colour, "white"), &title);
                }
                _ => svg.path(&places, &self.style(self.thickness)),
            }
        }
    }

    fn legend(&self, svg: &mut Svg, (x, y): Point) {
        svg.path(&[(x, y - 4.0), (x + SWATCH, y - 4.0)], &self.style(2.0));
        let shown = shortened(self.name, LETTERS, NAME);
        svg.short_text((x + SWATCH + 6.0, y), "", (&shown, self.name));
    }
}

/// Where the entries of the legend stand: beside each other while there is room, and then below.
fn legend_places(strands: &[Strand<'_>]) -> Vec<Point> {
    let (mut x, mut y) = (ALONE.0, LEGEND);
    let mut places = Vec::with_capacity(strands.len());
    for strand in strands {
        let needed = SWATCH + 6.0 + width(strand.name, LETTERS).min(NAME);
        if x + needed > ALONE.1 && x > ALONE.0 {
            (x, y) = (ALONE.0, y + LINE);
        }
        places.push((x, y));
        x += needed + 18.0;
    }
    places
}

fn panel(
    svg: &mut Svg,
    (title, (left, right)): (&str, (f64, f64)),
    strands: &[Strand<'_>],
    losses: impl Fn(&Curve) -> &Losses,
) {
    let points = || strands.iter().flat_map(|strand| &strand.curves).flat_map(|curve| losses(curve).iter());
    let drawn = || points().filter(|(_, loss)| is_drawable(*loss));
    let across = Axis::linear(&drawn().map(|(epoch, _)| *epoch as f64).collect::<Vec<_>>(), (left, right), 0);
    let up = Axis::of_losses(&drawn().map(|(_, loss)| *loss).collect::<Vec<_>>(), (BOTTOM, TOP));
    let scale = if up.is_logarithmic() { "logarithmic axis".to_owned() } else { up.multiplier() };
    svg.text((left, 16.0), "font-weight=\"bold\"", title);
    svg.text((left, 36.0), "", &scale);
    svg.text(
        ((left + right) / 2.0, BOTTOM + 34.0),
        "text-anchor=\"middle\"",
        format!("epoch {}", across.multiplier()).trim(),
    );
    across.draw_across(svg, (TOP, BOTTOM));
    up.draw_up(svg, (left, right));
    // The base last, so that nothing hides it.
    for strand in strands.iter().rev() {
        strand.curves.iter().for_each(|curve| strand.draw(svg, (&across, &up), losses(curve)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{circles, example};
    use super::*;

    #[test]
    fn every_run_is_drawn_and_the_legend_names_all() {
        let comparison = example();
        assert_eq!(stages(&comparison), ["latents", "encoders"]);
        let svg = stage_picture(&comparison, "latents");
        let n_runs: usize =
            comparison.variants.iter().flat_map(|of| &of.runs).filter(|run| !run.curves.is_empty()).count();
        let n_named = comparison.variants.iter().filter(|of| of.runs.iter().any(|run| !run.curves.is_empty())).count();
        // In both panels, and a line for each in the legend.
        assert_eq!(svg.matches("<polyline").count(), 2 * n_runs + n_named);
        assert!(svg.contains("validation loss") && svg.contains("logarithmic axis"));
    }

    #[test]
    fn forty_variants_look_different_and_one_epoch_is_a_dot() {
        let mut comparison = example();
        let one = comparison.variants[0].clone();
        comparison.variants =
            (0..40).map(|place| ComparedVariant { name: format!("v{place}"), ..one.clone() }).collect();
        let strands: Vec<Strand<'_>> =
            comparison.variants.iter().enumerate().map(|(place, of)| Strand::of(place, of, "latents")).collect();
        let looks: std::collections::BTreeSet<_> = strands.iter().map(|one| (one.colour, one.dashes)).collect();
        assert_eq!(looks.len(), 40);
        comparison.variants.truncate(1);
        let run = &mut comparison.variants[0].runs;
        run.truncate(1);
        run[0].curves[0].training.truncate(1);
        run[0].curves[0].validation.clear();
        assert_eq!(circles(&stage_picture(&comparison, "latents")).len(), 1);
    }
}
