//! The right half of the picture of a metric: paired differences to the base, and the verdict.

use super::super::comparison::MetricRow;
use super::dots::{Picture, WIDTH};
use super::standing::{Standing, paired};
use crate::drawing::axis::Axis;
use crate::drawing::lettering::shortened;
use crate::drawing::numbers::{is_drawable, with_minus};
use crate::drawing::svg::{LETTERS, Svg};

pub(super) const DIFFERENCES: (f64, f64) = (604.0, 880.0);
const VERDICTS: f64 = 898.0;
/// An interval that reaches further than so many times the differences and the margin is cut off, with an arrow.
const REACH: f64 = 3.0;

impl Picture<'_> {
    /// Draws paired differences of each seed, their mean and interval, and the verdict in a word.
    pub(super) fn differences(&self, svg: &mut Svg) {
        let axis = Axis::linear(&self.reach(), DIFFERENCES, self.figures.power);
        let title = format!("difference to {}", self.base.map_or("the base", |base| &base.variant));
        self.heading(svg, &title, (&axis, DIFFERENCES));
        self.ground(svg, &axis, Some(0.0));
        for (y, row) in self.rows() {
            let standing = Standing::of(row, self.base.map(|base| base.variant.as_str()));
            let word = format!("{} {}", standing.sign(), standing.word());
            let word = shortened(word.trim(), LETTERS, WIDTH - 8.0 - VERDICTS);
            svg.text((VERDICTS, y + 4.0), &format!("fill=\"{}\"", dark(standing.colour())), &word);
            if let Standing::Compared(difference) = standing {
                let interval = difference.interval.filter(|(low, high)| is_drawable(*low) && is_drawable(*high));
                if let Some(interval) = interval {
                    whiskers(svg, &axis, (y, interval, standing.colour()));
                }
                self.difference_row(svg, &axis, (y, row, standing));
            }
        }
    }

    fn difference_row(&self, svg: &mut Svg, axis: &Axis, (y, row, standing): (f64, &MetricRow, Standing<'_>)) {
        let Standing::Compared(difference) = standing else { return };
        for (seed, value) in self.base.map(|base| paired(row, base)).unwrap_or_default() {
            if is_drawable(value) {
                let title = format!("{}, seed {seed}: {}", row.variant, with_minus(&format!("{value:.6e}")));
                svg.dot((axis.place(value), self.height(y, seed)), ("white", standing.colour()), &title);
            }
        }
        if is_drawable(difference.mean) && difference.n_pairs > 1 {
            let x = axis.place(difference.mean);
            svg.line((x, y - 8.0), (x, y + 8.0), (standing.colour(), 3.0));
        }
    }

    /// What the axis of differences must hold.
    fn reach(&self) -> Vec<f64> {
        let margin = self.metric.margin.filter(|margin| is_drawable(*margin)).unwrap_or(0.0).abs();
        let mut reached = vec![-margin, margin];
        let compared = || self.metric.rows.iter().filter_map(|row| row.difference.as_ref().map(|found| (row, found)));
        for (row, difference) in compared() {
            reached.push(difference.mean);
            reached.extend(self.base.iter().flat_map(|base| paired(row, base)).map(|(_, value)| value));
        }
        let most =
            reached.iter().filter(|value| is_drawable(**value)).fold(0.0, |most, value| f64::max(most, value.abs()));
        let intervals = compared().filter_map(|(_, difference)| difference.interval);
        reached.extend(intervals.flat_map(|(low, high)| [low, high]).map(|end| end.clamp(-REACH * most, REACH * most)));
        reached
    }
}

/// The line of an interval with an end at either side: an arrow where the axis ends before.
fn whiskers(svg: &mut Svg, axis: &Axis, (y, (low, high), colour): (f64, (f64, f64), &str)) {
    let (left, right) = (axis.place(low), axis.place(high));
    svg.line((left, y), (right, y), (colour, 2.0));
    for (end, x, outwards) in [(low, left, -1.0), (high, right, 1.0)] {
        if axis.is_beyond(end) {
            let tip = x + 6.0 * outwards;
            svg.shape(&[(tip, y), (x, y - 5.0), (x, y + 5.0)], colour);
        } else {
            svg.line((x, y - 4.0), (x, y + 4.0), (colour, 2.0));
        }
    }
}

/// A darker shade for letters, so that they are read on a light ground.
fn dark(colour: &str) -> &str {
    match colour {
        "#009E73" => "#00684C",
        "#D55E00" => "#9C4500",
        "#0072B2" => "#005A8C",
        _ => "#444444",
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::comparison::Verdict;
    use super::super::testing::{example, row};
    use super::*;

    #[test]
    fn verdicts_have_room() {
        for verdict in [Verdict::Better, Verdict::Worse, Verdict::Equivalent, Verdict::Undecided] {
            let mut found = example().metrics[0].rows[1].difference.clone().unwrap();
            found.verdict = verdict;
            let row = MetricRow { difference: Some(found), ..row("other", &[1.0]) };
            let word = Standing::of(&row, None).word();
            assert_eq!(shortened(word, LETTERS, WIDTH - 24.0 - VERDICTS), word);
        }
    }
}
