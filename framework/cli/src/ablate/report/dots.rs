//! The picture of a metric: every seed of every variant as a dot, and beside it the paired differences to the base.

use super::super::comparison::{ComparedMetric, MetricRow};
use super::standing::Standing;
use crate::drawing::axis::Axis;
use crate::drawing::lettering::shortened;
use crate::drawing::numbers::{Figures, is_drawable};
use crate::drawing::svg::{INK, LETTERS, Svg};

pub(super) const WIDTH: f64 = 1000.0;
const TOP: f64 = 46.0;
const ROW: f64 = 24.0;
/// Room below the rows for the numbers of the axis.
const FOOT: f64 = 30.0;
const NAMES_END: f64 = 236.0;
const VALUES: (f64, f64) = (252.0, 564.0);
/// The values where there is nothing to compare.
const ALONE: (f64, f64) = (252.0, 980.0);
/// How far seeds lie apart from the middle of their row.
const SPREAD: f64 = 7.0;
const BLUE: &str = "#0072B2";
const BAR: &str = "#A9CCE6";
const BAND: &str = "#F1EBD6";
const STRIPE: &str = "#F1F1F1";

/// A metric with what its picture needs to know of it.
pub(super) struct Picture<'a> {
    pub(super) metric: &'a ComparedMetric,
    pub(super) base: Option<&'a MetricRow>,
    pub(super) figures: Figures,
    seeds: Vec<u64>,
}

/// Dots, mean and standard deviation of each variant; where something was compared also paired differences with their
/// mean and 95 % interval, and the margin as a band.
pub fn metric_picture(metric: &ComparedMetric, base: Option<&str>, figures: Figures) -> String {
    let mut seeds: Vec<u64> = metric.rows.iter().flat_map(|row| row.values.iter().map(|value| value.0)).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let base = metric.rows.iter().find(|row| base == Some(&row.variant));
    let picture = Picture { metric, base, figures, seeds };
    let is_compared = metric.rows.iter().any(|row| row.difference.is_some());
    let mut svg = Svg::new((WIDTH, picture.bottom() + FOOT));
    picture.names(&mut svg, if is_compared { WIDTH } else { ALONE.1 });
    picture.values(&mut svg, if is_compared { VALUES } else { ALONE });
    if is_compared {
        picture.differences(&mut svg);
    }
    svg.finish(&format!("{} of each variant and seed", metric.name))
}

impl Picture<'_> {
    fn bottom(&self) -> f64 {
        TOP + ROW * self.metric.rows.len().max(1) as f64
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = (f64, &MetricRow)> {
        self.metric.rows.iter().enumerate().map(|(place, row)| (TOP + ROW * (place as f64 + 0.5), row))
    }

    fn is_base(&self, row: &MetricRow) -> bool {
        self.base.is_some_and(|base| base.variant == row.variant)
    }

    /// Height of a seed in its row: the same in all rows.
    pub(super) fn height(&self, row: f64, seed: u64) -> f64 {
        let place = self.seeds.binary_search(&seed).unwrap_or(0) as f64;
        match self.seeds.len() {
            0 | 1 => row,
            n => row + SPREAD * (2.0 * place / (n - 1) as f64 - 1.0),
        }
    }

    fn names(&self, svg: &mut Svg, right: f64) {
        for (place, (y, row)) in self.rows().enumerate() {
            if place % 2 == 0 {
                svg.area((8.0, y - ROW / 2.0), (right - 4.0, y + ROW / 2.0), STRIPE);
            }
            let weight = if self.is_base(row) { "font-weight=\"bold\"" } else { "" };
            // Bold letters are wider.
            let room = (NAMES_END - 12.0) / if weight.is_empty() { 1.0 } else { 1.12 };
            let shown = shortened(&row.variant, LETTERS, room);
            svg.short_text((NAMES_END, y + 4.0), &format!("text-anchor=\"end\" {weight}"), (&shown, &row.variant));
        }
    }

    /// The title of a panel, its unit, and where better values lie.
    pub(super) fn heading(&self, svg: &mut Svg, title: &str, axis: (&Axis, (f64, f64))) {
        let (axis, (left, right)) = axis;
        let title = shortened(title, LETTERS, (right - left) / 1.12);
        svg.text((left, 16.0), "font-weight=\"bold\"", &title);
        svg.text((left, 36.0), "", &axis.multiplier());
        let better = if self.metric.higher_is_better { "better →" } else { "← better" };
        svg.text((right, 36.0), "text-anchor=\"end\"", better);
    }

    fn values(&self, svg: &mut Svg, panel: (f64, f64)) {
        let margin = self.metric.margin.unwrap_or(0.0).abs();
        let middle = self.base.and_then(|base| base.mean).filter(|mean| is_drawable(*mean));
        let mut reached: Vec<f64> =
            self.metric.rows.iter().flat_map(|row| row.values.iter().map(|(_, x)| *x)).collect();
        reached.extend(self.metric.rows.iter().filter_map(deviation).flat_map(|(low, high)| [low, high]));
        reached.extend(middle.into_iter().flat_map(|mean| [mean - margin, mean + margin]));
        let axis = Axis::linear(&reached, panel, self.figures.power);
        self.heading(svg, &self.metric.name, (&axis, panel));
        self.ground(svg, &axis, middle);
        for (y, row) in self.rows() {
            match row.values.iter().any(|(_, value)| is_drawable(*value)) {
                true => self.value_row(svg, &axis, (y, row)),
                false => self.empty_row(svg, panel.0, (y, row)),
            }
        }
    }

    /// The band of the margin, the ticks and the line that all is compared with.
    pub(super) fn ground(&self, svg: &mut Svg, axis: &Axis, middle: Option<f64>) {
        let bottom = self.bottom();
        if let (Some(middle), Some(margin)) = (middle, self.metric.margin.filter(|margin| is_drawable(*margin))) {
            let (left, right) = (axis.place(middle - margin.abs()), axis.place(middle + margin.abs()));
            svg.area((left, TOP), (right, bottom), BAND);
        }
        axis.draw_across(svg, (TOP, bottom));
        if let Some(middle) = middle {
            svg.line((axis.place(middle), TOP - 4.0), (axis.place(middle), bottom), (INK, 1.2));
        }
    }

    fn empty_row(&self, svg: &mut Svg, left: f64, (y, row): (f64, &MetricRow)) {
        let word = Standing::of(row, None).word();
        svg.text((left + 4.0, y + 4.0), "font-style=\"italic\" fill=\"#555555\"", word);
    }

    fn value_row(&self, svg: &mut Svg, axis: &Axis, (y, row): (f64, &MetricRow)) {
        if let Some((low, high)) = deviation(row) {
            svg.area((axis.place(low), y - 4.0), (axis.place(high), y + 4.0), BAR);
        }
        let colour = if self.is_base(row) { "#444444" } else { BLUE };
        for (seed, value) in row.values.iter().filter(|(_, value)| is_drawable(*value)) {
            let title = format!("{}, seed {seed}: {value}", row.variant);
            svg.dot((axis.place(*value), self.height(y, *seed)), (colour, "white"), &title);
        }
        // The mean of a single seed is its dot.
        if let Some(mean) = row.mean.filter(|mean| is_drawable(*mean) && row.values.len() > 1) {
            svg.line((axis.place(mean), y - 9.0), (axis.place(mean), y + 9.0), (INK, 2.5));
        }
    }
}

/// One standard deviation to either side of the mean.
fn deviation(row: &MetricRow) -> Option<(f64, f64)> {
    let (mean, sd) = (row.mean?, row.sd?);
    let (low, high) = (mean - sd, mean + sd);
    (is_drawable(low) && is_drawable(high)).then_some((low, high))
}

#[cfg(test)]
mod tests {
    use super::super::super::comparison::Comparison;
    use super::super::differences::DIFFERENCES;
    use super::super::figures::MetricFigures;
    use super::super::testing::{circles, example, metric};
    use super::*;
    use crate::drawing::svg::Point;

    fn picture(metric: &ComparedMetric) -> String {
        let svg = metric_picture(
            metric,
            metric.rows.first().map(|row| row.variant.as_str()),
            MetricFigures::of(metric).values,
        );
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        svg
    }

    /// All numbers of attributes with this name.
    fn numbers(svg: &str, name: &str) -> Vec<f64> {
        let attribute = format!(" {name}=\"");
        let found = svg.split(&attribute).skip(1);
        found.map(|text| text.split('"').next().unwrap().parse().unwrap()).collect()
    }

    fn is_within(svg: &str) {
        let height: f64 = svg.split("viewBox=\"0 0 1000 ").nth(1).unwrap().split('"').next().unwrap().parse().unwrap();
        for (name, most) in
            [("cx", WIDTH), ("x", WIDTH), ("x1", WIDTH), ("x2", WIDTH), ("y", height), ("y1", height), ("cy", height)]
        {
            assert!(numbers(svg, name).iter().all(|place| (0.0..=most).contains(place)), "{name}: {svg}");
        }
    }

    #[test]
    fn every_seed_is_in_its_panel_and_pairs_are_beside() {
        let comparison: Comparison = example();
        for metric in &comparison.metrics {
            let svg = picture(metric);
            is_within(&svg);
            let dots = circles(&svg);
            let (values, differences): (Vec<Point>, Vec<Point>) =
                dots.iter().partition(|dot| dot.0 < DIFFERENCES.0 - 20.0);
            assert_eq!((values.len(), differences.len()), (20, 15));
            assert!(values.iter().all(|dot| (VALUES.0..=VALUES.1).contains(&dot.0)));
            assert!(differences.iter().all(|dot| (DIFFERENCES.0..=DIFFERENCES.1).contains(&dot.0)));
        }
        let svg = picture(&comparison.metrics[0]);
        assert!(svg.contains("&lt;script&gt;&amp;&quot;x, seed 3") && !svg.contains("<script"));
        for word in ["✗ worse", "≈ equivalent", "? undecided", "not applicable", "better →"] {
            assert!(svg.contains(word), "{word}");
        }
        assert!(picture(&comparison.metrics[1]).contains("← better"));
    }

    #[test]
    fn a_seed_has_the_same_height_in_every_row() {
        let svg = picture(&example().metrics[1]);
        let heights: Vec<f64> = circles(&svg).iter().map(|dot| dot.1).collect();
        let in_row = |row: usize| (0..5).map(|seed| heights[5 * row + seed] - heights[5 * row]).collect::<Vec<_>>();
        let is_as = |row: usize| in_row(row).iter().zip(in_row(0)).all(|(a, b)| (a - b).abs() < 0.11);
        assert!((1..4).all(is_as) && in_row(0).windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn one_seed_no_seed_and_equal_values_are_drawn() {
        let about = ("peak_memory_bytes", "Peak memory", false, None);
        let one = metric(about, &[("base", vec![3.1e9]), ("other", vec![3.3e9]), ("none", vec![])]);
        let svg = picture(&one);
        is_within(&svg);
        assert_eq!(circles(&svg).len(), 3);
        assert!(svg.contains("no result") && svg.contains("×10⁹") && !svg.contains(BAR));
        let alone = picture(&metric(about, &[("base", vec![1e-6, 1e-6])]));
        is_within(&alone);
        assert!(circles(&alone).len() == 2 && !alone.contains("difference"));
        is_within(&picture(&metric(about, &[])));
        is_within(&picture(&metric(about, &[("base", vec![f64::NAN, 2.0]), ("other", vec![f64::INFINITY, 2.0])])));
    }

    #[test]
    fn long_names_are_cut_and_intervals_beyond_get_arrows() {
        let name = "an_axis_with_a_name_that_says_all_it_sets_in_the_whole_model";
        let metric = metric(("score", "", true, Some(0.01)), &[("base", vec![0.5, 0.6]), (name, vec![0.52, 0.57])]);
        let svg = picture(&metric);
        is_within(&svg);
        assert!(svg.contains(&format!("<title>{name}</title>")) && svg.contains('…'));
        assert_eq!(svg.matches("<polygon").count(), 2);
    }
}
