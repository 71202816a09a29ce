//! An axis: from numbers to places on a picture, with ticks at round numbers.

use super::lettering::width;
use super::numbers::{Figures, is_drawable, power_of, superscript, with_minus};
use super::round_step;
use super::svg::{INK, LETTERS, PALE, Point, Svg};

/// Above this ratio of the largest to the smallest, positive numbers are drawn by their logarithm.
const WIDE: f64 = 20.0;
/// Share of an axis left free at either end.
const FREE: f64 = 0.05;
/// Most ticks.
const TICKS: usize = 8;
/// Pixels between labels.
const GAP: f64 = 10.0;
/// How far a label may reach beyond the ends of its axis, in pixels.
const OVERHANG: f64 = 14.0;

/// From numbers to pixels.
#[derive(Debug, Clone)]
pub struct Axis {
    low: f64,
    high: f64,
    pixels: (f64, f64),
    is_logarithmic: bool,
    power: i32,
}

/// A marked number of an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Where it is, in pixels.
    pub place: f64,
    /// What is written there.
    pub label: String,
}

impl Axis {
    /// An axis that holds all these numbers, written in units of a power of ten where that suits them.
    pub fn linear(values: &[f64], pixels: (f64, f64), power: i32) -> Axis {
        let (low, high) = ends(values).unwrap_or((0.0, 1.0));
        let size = low.abs().max(high.abs());
        let (low, high) = match high - low {
            _ if size < 1e-290 => (-1.0, 1.0),
            range if range > 1e-12 * size => (low - FREE * range, high + FREE * range),
            _ => (low - FREE * size, high + FREE * size),
        };
        let suits = (1e-5..1e5).contains(&(size / 10f64.powi(power)));
        Axis { low, high, pixels, is_logarithmic: false, power: if suits { power } else { power_of(size) } }
    }

    /// An axis for losses: logarithmic where all are positive and range widely.
    pub fn of_losses(values: &[f64], pixels: (f64, f64)) -> Axis {
        match ends(values) {
            Some((low, high)) if low > 1e-290 && high / low > WIDE => {
                let (low, high) = (low.log10(), high.log10());
                let free = FREE * (high - low);
                Axis { low: low - free, high: high + free, pixels, is_logarithmic: true, power: 0 }
            }
            Some((low, high)) => Axis::linear(values, pixels, power_of(low.abs().max(high.abs()))),
            None => Axis::linear(values, pixels, 0),
        }
    }

    /// Where a number is, in pixels; numbers beyond the ends are at the ends.
    pub fn place(&self, value: f64) -> f64 {
        let value = if self.is_logarithmic { value.log10() } else { value };
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        self.pixels.0 + share * (self.pixels.1 - self.pixels.0)
    }

    /// Whether the axis ends before a number.
    pub fn is_beyond(&self, value: f64) -> bool {
        !(self.low..=self.high).contains(&value)
    }

    /// Whether it is logarithmic.
    pub fn is_logarithmic(&self) -> bool {
        self.is_logarithmic
    }

    /// `×10⁹` where numbers are written in such units.
    pub fn multiplier(&self) -> String {
        Figures { power: self.power, n_decimals: 0 }.multiplier()
    }

    /// Ticks of a lying axis: as many as fit beside each other.
    pub fn ticks_across(&self) -> Vec<Tick> {
        let fit = |ticks: &[Tick]| {
            let ends: Vec<Point> = ticks.iter().map(|tick| self.span(tick)).collect();
            ends.windows(2).all(|pair| pair[0].1 + GAP <= pair[1].0)
        };
        self.fitting(fit)
    }

    /// Ticks of a standing axis.
    pub fn ticks_up(&self) -> Vec<Tick> {
        self.fitting(|ticks| ticks.windows(2).all(|pair| (pair[0].place - pair[1].place).abs() >= LETTERS + GAP))
    }

    fn fitting(&self, fit: impl Fn(&[Tick]) -> bool) -> Vec<Tick> {
        let ticks = |n: usize| if self.is_logarithmic { self.powers(n) } else { self.round(n) };
        (1..=10).rev().map(ticks).find(|ticks| ticks.len() <= TICKS && fit(ticks)).unwrap_or_default()
    }

    /// Left and right end of a label, moved in from the edge of the picture.
    fn span(&self, tick: &Tick) -> Point {
        let half = width(&tick.label, LETTERS) / 2.0;
        let (left, right) = (self.pixels.0 - OVERHANG + half, self.pixels.1 + OVERHANG - half);
        let middle = if left < right { tick.place.clamp(left, right) } else { tick.place };
        (middle - half, middle + half)
    }

    /// Multiples of a round step, about so many.
    fn round(&self, n_ticks: usize) -> Vec<Tick> {
        let step = round_step((self.high - self.low) / n_ticks as f64);
        let digits = self.power as f64 - step.log10();
        let figures = Figures { power: self.power, n_decimals: (digits - 1e-9).ceil().max(0.0) as usize };
        let (first, last) = ((self.low / step).ceil() as i64, (self.high / step).floor() as i64);
        let tick = |times: i64| times as f64 * step;
        let tick = |times: i64| Tick { place: self.place(tick(times)), label: with_minus(&figures.write(tick(times))) };
        (first..=last).map(tick).collect()
    }

    /// Round numbers of a logarithmic axis: 1, 2 and 5 of each power of ten, or fewer.
    fn powers(&self, n_ticks: usize) -> Vec<Tick> {
        let (first, last) = (self.low.floor() as i32, self.high.ceil() as i32);
        let choices = [(1, &[1, 2, 5][..]), (1, &[1, 3]), (1, &[1]), (2, &[1]), (3, &[1]), (5, &[1]), (10, &[1])];
        let marks = |(step, times): (i32, &[u8])| {
            let powers = (first..=last).filter(|power| power.rem_euclid(step) == 0);
            let marks = powers.flat_map(|power| times.iter().map(move |times| (*times, power)));
            marks.filter(|(times, power)| self.holds_power(*times, *power)).collect::<Vec<_>>()
        };
        let marks = choices.into_iter().map(marks).find(|marks| marks.len() <= n_ticks).unwrap_or_default();
        let tick = |(times, power)| Tick {
            place: self.place(f64::from(times) * 10f64.powi(power)),
            label: power_label(times, power),
        };
        marks.into_iter().map(tick).collect()
    }

    fn holds_power(&self, times: u8, power: i32) -> bool {
        let place = f64::from(times).log10() + f64::from(power);
        (self.low..=self.high).contains(&place)
    }

    /// Draws the ticks of a lying axis with lines from `top` to `bottom` and labels below.
    pub fn draw_across(&self, svg: &mut Svg, (top, bottom): (f64, f64)) {
        for tick in self.ticks_across() {
            svg.line((tick.place, top), (tick.place, bottom), (PALE, 1.0));
            let (left, right) = self.span(&tick);
            svg.text(((left + right) / 2.0, bottom + 16.0), "text-anchor=\"middle\"", &tick.label);
        }
        svg.line((self.pixels.0, bottom), (self.pixels.1, bottom), (INK, 1.0));
    }

    /// Draws the ticks of a standing axis with lines from `left` to `right` and labels at the left.
    pub fn draw_up(&self, svg: &mut Svg, (left, right): (f64, f64)) {
        for tick in self.ticks_up() {
            svg.line((left, tick.place), (right, tick.place), (PALE, 1.0));
            svg.text((left - 6.0, tick.place + 4.0), "text-anchor=\"end\"", &tick.label);
        }
        svg.line((left, self.pixels.0), (left, self.pixels.1), (INK, 1.0));
    }
}

fn power_label(times: u8, power: i32) -> String {
    match (times, power) {
        (times, -3..=3) => format!("{:.*}", (-power).max(0) as usize, f64::from(times) * 10f64.powi(power)),
        (1, power) => format!("10{}", superscript(power)),
        (times, power) => format!("{times}×10{}", superscript(power)),
    }
}

/// The smallest and the largest of the numbers that can be drawn.
fn ends(values: &[f64]) -> Option<(f64, f64)> {
    let mut values = values.iter().copied().filter(|value| is_drawable(*value));
    let first = values.next()?;
    Some(values.fold((first, first), |(low, high), value| (low.min(value), high.max(value))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn ticks_are_round() {
        let axis = Axis::linear(&[0.803, 0.851], (0.0, 340.0), 0);
        assert_eq!(labels(&axis.ticks_across()), ["0.81", "0.82", "0.83", "0.84", "0.85"]);
        let bytes = Axis::linear(&[3.1e9, 4.4e9], (0.0, 340.0), 9);
        assert_eq!(labels(&bytes.ticks_across()), ["3.2", "3.4", "3.6", "3.8", "4.0", "4.2", "4.4"]);
        assert_eq!(bytes.multiplier(), "×10⁹");
        let differences = Axis::linear(&[-0.002, 0.001], (0.0, 340.0), 0);
        assert_eq!(labels(&differences.ticks_across()), ["−0.002", "−0.001", "0.000", "0.001"]);
    }

    #[test]
    fn wide_losses_are_logarithmic() {
        let axis = Axis::of_losses(&[2.0, 900.0, f64::NAN], (200.0, 0.0));
        assert!(axis.is_logarithmic());
        assert_eq!(labels(&axis.ticks_up()), ["3", "10", "30", "100", "300", "1000"]);
        assert!(!Axis::of_losses(&[-1.0, 900.0], (200.0, 0.0)).is_logarithmic());
        assert!(!Axis::of_losses(&[60.0, 900.0], (200.0, 0.0)).is_logarithmic());
        let huge = Axis::of_losses(&[1e-8, 1e8], (200.0, 0.0));
        assert_eq!(labels(&huge.ticks_up()), ["10⁻⁶", "0.001", "1", "1000", "10⁶"]);
    }

    /// No labels overlap or leave the picture, and all values have a place, whatever they are.
    #[test]
    fn any_values_have_an_axis() {
        let sets: [&[f64]; 11] = [
            &[],
            &[0.0],
            &[5.0, 5.0],
            &[-1e-6, 3e-6],
            &[1e9 + 1.0, 1e9 + 2.0],
            &[1e299, -1e299],
            &[f64::INFINITY, 2.0],
            &[1e-320, 2e-320],
            &[0.1 + 0.2, 0.3],
            &[8.1, 1e12],
            &[-99_999.0, -99_998.5],
        ];
        for values in sets {
            for power in [0, 9, -6] {
                let axis = Axis::linear(values, (100.0, 400.0), power);
                let ticks = axis.ticks_across();
                assert!(!ticks.is_empty() && ticks.len() < 12, "{values:?}: {ticks:?}");
                let spans: Vec<Point> = ticks.iter().map(|tick| axis.span(tick)).collect();
                assert!(spans.windows(2).all(|pair| pair[0].1 < pair[1].0), "{values:?}: {ticks:?}");
                assert!(spans.iter().all(|span| span.0 >= 80.0 && span.1 <= 420.0), "{values:?}: {ticks:?}");
                let mut labels = labels(&ticks);
                labels.dedup();
                assert_eq!(labels.len(), ticks.len(), "{values:?}: {ticks:?}");
                for value in values.iter().filter(|value| is_drawable(**value)) {
                    assert!((100.0..=400.0).contains(&axis.place(*value)), "{value}");
                }
            }
        }
    }
}
