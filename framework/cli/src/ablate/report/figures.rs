//! With which figures a metric is written: those of its values, and finer ones of its differences.

use super::super::comparison::{ComparedMetric, Difference, MetricRow};
use crate::drawing::numbers::Figures;

/// How the numbers of a metric are written, in the same unit everywhere.
#[derive(Debug, Clone, Copy)]
pub struct MetricFigures {
    /// Of values, means and their standard deviations.
    pub values: Figures,
    differences: Figures,
}

impl MetricFigures {
    /// The figures that show standard deviations and intervals of a metric with two digits.
    pub fn of(metric: &ComparedMetric) -> MetricFigures {
        let values = metric.rows.iter().flat_map(|row| row.values.iter().map(|(_, value)| *value));
        let values = Figures::of(values, metric.rows.iter().filter_map(|row| row.sd));
        let differences = || metric.rows.iter().filter_map(|row| row.difference.as_ref());
        let halves = differences().filter_map(|found| found.interval).map(|(low, high)| (high - low) / 2.0);
        let means = differences().map(|found| found.mean);
        let has_interval = differences().any(|found| found.interval.is_some());
        let differences = if has_interval { values.for_steps(halves) } else { values.for_steps(means) };
        MetricFigures { values, differences }
    }

    /// `0.8123 ± 0.0034`, or what is known of it.
    pub fn mean(&self, row: &MetricRow) -> String {
        match (row.mean, row.sd) {
            (None, _) => String::new(),
            (Some(mean), None) => self.values.write(mean),
            (Some(mean), Some(sd)) => format!("{} ± {}", self.values.write(mean), self.values.write(sd)),
        }
    }

    /// A difference with its sign.
    pub fn difference(&self, difference: &Difference) -> String {
        signed(self.differences.write(difference.mean))
    }

    /// `[-0.0060, -0.0004]`, or nothing.
    pub fn interval(&self, interval: Option<(f64, f64)>) -> String {
        let written = |(low, high)| format!("[{}, {}]", self.differences.write(low), self.differences.write(high));
        interval.map(written).unwrap_or_default()
    }
}

fn signed(text: String) -> String {
    let is_above_zero = !text.starts_with('-') && text.bytes().any(|digit| (b'1'..=b'9').contains(&digit));
    if is_above_zero { format!("+{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::super::testing::example;
    use super::*;

    #[test]
    fn digits_follow_the_deviation_and_the_interval() {
        let metric = &example().metrics[0];
        let figures = MetricFigures::of(metric);
        assert_eq!(figures.mean(&metric.rows[0]), "0.8120 ± 0.0035");
        let difference = metric.rows[1].difference.as_ref().unwrap();
        assert_eq!(figures.difference(difference), "-0.0310");
        assert_eq!(figures.interval(difference.interval), "[-0.0329, -0.0291]");
        assert_eq!(figures.interval(None), "");
        assert_eq!((signed("0.00".into()), signed("0.01".into())), ("0.00".into(), "+0.01".into()));
    }
}
