//! A picture of the links around a gene, as SVG that needs nothing else.

use super::places::{Place, Places, Strand};
use super::table::Link;
use crate::drawing::{escaped, round_step};
use std::fmt::Write as _;

const WIDTH: f64 = 920.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 92.0;
const RIGHT: f64 = 900.0;
const TOP: f64 = 84.0;
const BOTTOM: f64 = 330.0;
/// Height of the gene's body.
const GENE: f64 = 352.0;
/// Where numbers of positions stand.
const POSITIONS: f64 = 396.0;
/// Rates below this are drawn filled.
pub const SIGNIFICANT: f64 = 0.05;
/// Colours of Okabe & Ito, told apart by all.
const FALLS: &str = "#0072B2";
const RISES: &str = "#D55E00";
const INK: &str = "#222222";
const PALE: &str = "#D9D9D9";

/// What a picture shows.
#[derive(Debug, Clone)]
pub struct Locus<'a> {
    /// Name of the silenced gene.
    pub gene: &'a str,
    /// Where it lies.
    pub place: &'a Place,
    /// Base pairs to either side.
    pub window: i64,
    /// Its links to features around it.
    pub links: &'a [Link],
    /// Places of the features.
    pub places: &'a Places,
    /// What a feature is called, such as `atac`.
    pub modality: &'a str,
}

/// Stems by position, as high as the change of each feature in percent of its share when the gene is silenced; filled
/// where the false discovery rate is at most [`SIGNIFICANT`].
pub fn locus_picture(locus: &Locus<'_>) -> String {
    let scale = Scale::of(locus);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"DejaVu Sans, Helvetica, Arial, sans-serif\" font-size=\"13\" fill=\"{INK}\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
    );
    titles(&mut svg, locus);
    changes_axis(&mut svg, &scale, locus.modality);
    positions_axis(&mut svg, &scale, locus);
    gene_body(&mut svg, &scale, locus);
    // Filled ones last, so that nothing hides them.
    let mut links: Vec<&Link> = locus.links.iter().filter(|link| link.relative_effect().is_finite()).collect();
    links.sort_by_key(|link| link.q_value <= SIGNIFICANT);
    links.into_iter().for_each(|link| stem(&mut svg, &scale, link, locus.places));
    svg.push_str("</svg>\n");
    svg
}

/// From positions and changes to places on the picture.
struct Scale {
    first: f64,
    last: f64,
    lowest: f64,
    highest: f64,
    step: f64,
}

impl Scale {
    fn of(locus: &Locus<'_>) -> Scale {
        let reach = locus.window as f64;
        let (first, last) = ((locus.place.start as f64 - reach).max(0.0), locus.place.end as f64 + reach);
        let changes = || locus.links.iter().map(percent).filter(|change| change.is_finite());
        let (low, high) =
            changes().fold((0.0, 0.0), |(low, high), value| (f64::min(low, value), f64::max(high, value)));
        let (low, high) = if high > low { (low, high) } else { (-1.0, 1.0) };
        let step = round_step((high - low) / 5.0);
        let (lowest, highest) = ((low / step).floor() * step, (high / step).ceil() * step);
        Scale { first, last, lowest, highest, step }
    }

    fn x(&self, position: f64) -> f64 {
        LEFT + (position - self.first) / (self.last - self.first) * (RIGHT - LEFT)
    }

    fn y(&self, change: f64) -> f64 {
        BOTTOM - (change - self.lowest) / (self.highest - self.lowest) * (BOTTOM - TOP)
    }
}

fn percent(link: &Link) -> f64 {
    100.0 * link.relative_effect()
}

fn titles(svg: &mut String, locus: &Locus<'_>) {
    let n_cells = locus.links.first().map_or(0, |link| link.n_cells);
    let n_significant = locus.links.iter().filter(|link| link.q_value <= SIGNIFICANT).count();
    let gene = escaped(locus.gene);
    let _ = writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"28\" font-size=\"17\" font-weight=\"bold\">{gene} silenced in silico</text>\n\
         <text x=\"{LEFT}\" y=\"48\">mean over {n_cells} cells that express it; {} {} features, {n_significant} at a false \
         discovery rate of {SIGNIFICANT}</text>",
        locus.links.len(),
        escaped(locus.modality)
    );
    let mut x = LEFT;
    for (colour, fill, text) in
        [(FALLS, FALLS, "falls with the gene"), (RISES, RISES, "rises"), (INK, "white", "open: not significant")]
    {
        let _ = writeln!(
            svg,
            "<circle cx=\"{:.1}\" cy=\"64\" r=\"4\" fill=\"{fill}\" stroke=\"{colour}\" stroke-width=\"1.5\"/>\
             <text x=\"{:.1}\" y=\"68.5\">{text}</text>",
            x + 4.0,
            x + 14.0
        );
        x += 40.0 + 7.4 * text.len() as f64;
    }
}

fn changes_axis(svg: &mut String, scale: &Scale, modality: &str) {
    let n_steps = ((scale.highest - scale.lowest) / scale.step).round() as i64;
    let digits = (-scale.step.log10().floor()).max(0.0) as usize;
    for place in 0..=n_steps {
        let change = scale.lowest + place as f64 * scale.step;
        let is_zero = change.abs() < scale.step / 2.0;
        let (y, colour) = (scale.y(change), if is_zero { INK } else { PALE });
        let change = if is_zero { 0.0 } else { change };
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"{colour}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            y + 4.5,
            format!("{change:.digits$}").replace('-', "\u{2212}")
        );
    }
    let middle = (TOP + BOTTOM) / 2.0;
    let _ = writeln!(
        svg,
        "<text transform=\"translate(22 {middle:.1}) rotate(-90)\" text-anchor=\"middle\">change of {} share (%)</text>",
        escaped(modality)
    );
}

fn positions_axis(svg: &mut String, scale: &Scale, locus: &Locus<'_>) {
    let step = round_step((scale.last - scale.first) / 7.0);
    let _ = writeln!(svg, "<line x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"376\" y2=\"376\" stroke=\"{INK}\"/>");
    let (unit, per_unit) = if scale.last >= 1e6 { ("Mb", 1e6) } else { ("kb", 1e3) };
    let digits = (-(step / per_unit).log10().floor()).max(0.0) as usize;
    let mut position = (scale.first / step).ceil() * step;
    while position <= scale.last {
        let x = scale.x(position);
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"376\" y2=\"381\" stroke=\"{INK}\"/>\
             <text x=\"{x:.1}\" y=\"{POSITIONS}\" text-anchor=\"middle\">{:.digits$}</text>",
            position / per_unit
        );
        position += step;
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"422\" text-anchor=\"middle\">position on {} ({unit})</text>",
        (LEFT + RIGHT) / 2.0,
        escaped(&locus.place.chromosome)
    );
}

/// A bar from the gene's start to its end, with a head where it is read to, and its name beside.
fn gene_body(svg: &mut String, scale: &Scale, locus: &Locus<'_>) {
    let (start, end) = (scale.x(locus.place.start as f64), scale.x(locus.place.end as f64));
    let (start, end) = if end - start < 3.0 { (start, start + 3.0) } else { (start, end) };
    let _ = writeln!(
        svg,
        "<rect x=\"{start:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"8\" fill=\"{INK}\"/>",
        GENE - 4.0,
        end - start
    );
    let (tip, head) = match locus.place.strand {
        Some(Strand::Forward) => (end, Some(10.0)),
        Some(Strand::Reverse) => (start, Some(-10.0)),
        None => (end, None),
    };
    if let Some(head) = head {
        let _ = writeln!(
            svg,
            "<path d=\"M{tip:.1} {:.1} L{:.1} {GENE:.1} L{tip:.1} {:.1} Z\" fill=\"{INK}\"/>",
            GENE - 8.0,
            tip + head,
            GENE + 8.0
        );
    }
    let gene = escaped(locus.gene);
    let _ = match end + 16.0 + 9.0 * locus.gene.len() as f64 <= RIGHT {
        true => {
            writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" font-style=\"italic\">{gene}</text>", end + 16.0, GENE + 4.5)
        }
        false => writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" font-style=\"italic\">{gene}</text>",
            start - 16.0,
            GENE + 4.5
        ),
    };
}

fn stem(svg: &mut String, scale: &Scale, link: &Link, places: &Places) {
    let Some(place) = places.get(link.feature) else { return };
    let change = percent(link);
    let x = scale.x((place.start + place.end) as f64 / 2.0).clamp(LEFT, RIGHT);
    let (zero, y) = (scale.y(0.0), scale.y(change));
    let colour = if change < 0.0 { FALLS } else { RISES };
    let is_significant = link.q_value <= SIGNIFICANT;
    let (fill, width) = if is_significant { (colour, 2.0) } else { ("white", 1.2) };
    let _ = writeln!(
        svg,
        "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{zero:.1}\" y2=\"{y:.1}\" stroke=\"{colour}\" stroke-width=\"{width}\"/>\
         <circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{fill}\" stroke=\"{colour}\" stroke-width=\"1.5\">\
         <title>{}:{}-{} {change:.3} % (q = {:.2e})</title></circle>",
        escaped(&place.chromosome),
        place.start,
        place.end,
        link.q_value
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(feature: usize, effect: f64, q_value: f64) -> Link {
        Link {
            gene: 0,
            feature,
            distance: None,
            effect,
            share: 1e-4,
            n_cells: 7,
            n_expressing: 7,
            p_value: q_value,
            q_value,
        }
    }

    #[test]
    fn filled_are_the_significant_and_colours_tell_the_sign() {
        let names = ["chr1:100-200", "chr1:300-400", "chr1:700-800"].map(str::to_owned);
        let places = Places::of(&names, None);
        let place = Place { strand: Some(Strand::Reverse), ..super::super::place_of_name("chr1:350-600").unwrap() };
        let links = [link(0, -1e-6, 0.01), link(1, 2e-6, 0.5), link(2, 1e-6, f64::NAN)];
        let (gene, modality) = ("A<B", "atac");
        let svg = locus_picture(&Locus { gene, place: &place, window: 300, links: &links, places: &places, modality });
        let circles = |text: &str| svg.matches(text).count();
        assert_eq!(circles(&format!("r=\"4\" fill=\"{FALLS}\" stroke=\"{FALLS}\" stroke-width=\"1.5\">")), 1);
        assert_eq!(circles(&format!("r=\"4\" fill=\"white\" stroke=\"{RISES}\" stroke-width=\"1.5\">")), 2);
        assert!(svg.contains("A&lt;B silenced") && !svg.contains("A<B") && !svg.contains("NaN\" "), "{svg}");
        assert!(svg.contains("7 cells") && svg.contains("3 atac features, 1 at"));
    }

    #[test]
    fn nothing_to_draw_is_still_a_picture() {
        let place = super::super::place_of_name("chr1:0-1").unwrap();
        let places = Places::default();
        let svg = locus_picture(&Locus {
            gene: "A",
            place: &place,
            window: 0,
            links: &[],
            places: &places,
            modality: "atac",
        });
        assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN") && !svg.contains("inf"));
    }
}
