//! A picture of the scores of one modality's images: a row for each kind, a dot for each split, a line at the mean.

use super::findings::{InputFindings, InputKind, ModalityFindings, Phenotyped};
use super::summary::mean_words;
use crate::drawing::axis::Axis;
use crate::drawing::lettering::shortened;
use crate::drawing::palette::{css, of_class};
use crate::drawing::svg::{INK, LETTERS, Svg};

const WIDTH: f64 = 820.0;
/// Where names end, and where the axis lies.
const NAMES_END: f64 = 210.0;
const PANEL: (f64, f64) = (226.0, 660.0);
const TOP: f64 = 44.0;
const ROW: f64 = 34.0;
const BELOW: f64 = 44.0;
/// How far dots of a row lie above and below its middle.
const SPREAD: f64 = 9.0;
const STRIPE: &str = "#F5F5F5";
const GREY: &str = "#777777";

/// The first score, with a line through all rows where a guess at random is.
pub fn scores_picture(found: &Phenotyped, one: &ModalityFindings) -> String {
    let bottom = TOP + ROW * one.inputs.len() as f64;
    let mut svg = Svg::new((WIDTH, bottom + BELOW));
    let score = found.scores.first().map_or(String::new(), |name| name.replace('_', " "));
    let mut reached: Vec<f64> = one.inputs.iter().flat_map(|input| input.values(0)).collect();
    reached.extend([0.0, guessed(one)]);
    let axis = Axis::linear(&reached, PANEL, 0);
    let title = format!("`{}` told from images of {}", found.label, one.modality);
    svg.text((8.0, 18.0), "font-weight=\"bold\"", &shortened(&title, LETTERS, WIDTH / 1.12 - 16.0));
    svg.text((PANEL.1 + 16.0, TOP - 8.0), "font-size=\"11\"", "mean ± sd");
    for (place, _) in one.inputs.iter().enumerate().step_by(2) {
        let y = TOP + ROW * place as f64;
        svg.area((8.0, y), (WIDTH - 8.0, y + ROW), STRIPE);
    }
    axis.draw_across(&mut svg, (TOP, bottom));
    let guess = axis.place(guessed(one));
    svg.line((guess, TOP - 4.0), (guess, bottom), (GREY, 1.2));
    for (place, input) in one.inputs.iter().enumerate() {
        row(&mut svg, &axis, (TOP + ROW * (place as f64 + 0.5), input));
    }
    let label = format!("{score} of held-out cells; a dot is a split");
    svg.text(((PANEL.0 + PANEL.1) / 2.0, bottom + 36.0), "text-anchor=\"middle\" font-size=\"11\"", &label);
    let words: Vec<String> =
        one.inputs.iter().map(|input| format!("{}: {}", input.input, mean_words(input, 0))).collect();
    svg.describe(&format!("{score}, mean and standard deviation over splits. {}", words.join("; ")));
    svg.finish(&title)
}

/// What a guess at random scores: one class of all, or no correlation.
fn guessed(one: &ModalityFindings) -> f64 {
    if one.classes.is_empty() { 0.0 } else { 1.0 / one.classes.len() as f64 }
}

fn row(svg: &mut Svg, axis: &Axis, (y, input): (f64, &InputFindings)) {
    let shown = shortened(&input.input, LETTERS, NAMES_END - 12.0);
    svg.short_text((NAMES_END, y + 4.0), "text-anchor=\"end\"", (&shown, &input.input));
    let fill = match input.kind {
        InputKind::Permuted | InputKind::Unseen => GREY.to_owned(),
        InputKind::Real => css(of_class(0)),
        InputKind::Reconstructed => css(of_class(2)),
        InputKind::SharedOnly => css(of_class(1)),
        InputKind::Predicted => css(of_class(5)),
    };
    let n = input.splits.len();
    for (split, scores) in input.splits.iter().enumerate() {
        let Some(value) = scores.scores.first().copied().flatten() else { continue };
        let height = if n > 1 { SPREAD * (2.0 * split as f64 / (n - 1) as f64 - 1.0) } else { 0.0 };
        let title = format!("{}, split {}: {value:.3}", input.input, split + 1);
        svg.dot((axis.place(value), y + height), (&fill, "white"), &title);
    }
    // the mean of a single split is its dot
    if let Some((mean, _)) = input.mean(0).filter(|_| n > 1) {
        svg.line((axis.place(mean), y - 12.0), (axis.place(mean), y + 12.0), (INK, 2.5));
    }
    svg.text((PANEL.1 + 16.0, y + 4.0), "", &mean_words(input, 0));
}

#[cfg(test)]
mod tests {
    use super::super::tables::testing::found;
    use super::*;

    #[test]
    fn every_split_is_a_dot_within_the_picture() {
        let found = found();
        let svg = scores_picture(&found, &found.modalities[0]);
        assert_eq!(svg.matches("<circle").count(), 8);
        assert!(svg.contains("<title>real, split 2: 0.800</title>") && svg.contains("0.750 ± 0.071"));
        assert!(svg.contains("balanced accuracy of held-out cells") && !svg.contains("NaN"));
        let places = svg.split(" cx=\"").skip(1).map(|text| text.split('"').next().unwrap().parse::<f64>().unwrap());
        assert!(places.into_iter().all(|x| (PANEL.0..=PANEL.1).contains(&x)));
        // what is told more often lies further right, and nothing has no dot
        let mut none = found.clone();
        none.modalities[0].inputs[0].splits[0].scores[0] = None;
        assert_eq!(scores_picture(&none, &none.modalities[0]).matches("<circle").count(), 7);
    }
}
