//! The comparison as a tidy table: one line for each run and metric.

use super::super::comparison::{ComparedMetric, ComparedRun, Comparison, RunState};
use super::standing::row_of;

/// `variant,seed,metric,value,state`: a line for each run and metric, quoted as RFC 4180 says. The value is empty where
/// the run is not done or the metric cannot be had; all its digits are given otherwise.
pub fn table_csv(comparison: &Comparison) -> String {
    let mut csv = "variant,seed,metric,value,state\n".to_owned();
    for variant in &comparison.variants {
        for run in &variant.runs {
            for metric in &comparison.metrics {
                let value = value_of(metric, &variant.name, run).map_or(String::new(), |value| format!("{value:?}"));
                let (name, seed, state) = (quoted(&variant.name), run.seed, run.state.name());
                csv += &format!("{name},{seed},{},{value},{state}\n", quoted(&metric.name));
            }
        }
    }
    csv
}

fn value_of(metric: &ComparedMetric, variant: &str, run: &ComparedRun) -> Option<f64> {
    let row = row_of(metric, variant).filter(|_| run.state == RunState::Done)?;
    row.values.iter().find(|(seed, _)| *seed == run.seed).map(|(_, value)| *value)
}

fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::example;
    use super::*;

    #[test]
    fn each_run_and_metric_has_a_line() {
        let mut comparison = example();
        comparison.variants[0].runs[4].state = RunState::Failed;
        let csv = table_csv(&comparison);
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines.len(), 1 + 5 * 5 * 2);
        assert_eq!(lines[0], "variant,seed,metric,value,state");
        assert_eq!(lines[1], "cite_apollo,0,rna_to_protein.pearson,0.812,done");
        assert_eq!(lines[9], "cite_apollo,4,rna_to_protein.pearson,,failed");
        assert_eq!(lines[22], "\"<script>&\"\"x\",0,wall_secs,111.0,done");
        assert_eq!(lines[41], "one_step,0,rna_to_protein.pearson,,done");
        assert_eq!(lines[45], "one_step,2,rna_to_protein.pearson,,pending");
    }

    #[test]
    fn quotes_are_those_of_the_rfc() {
        assert_eq!(["a b", "a,b", "a\"b", "a\nb"].map(quoted), ["a b", "\"a,b\"", "\"a\"\"b\"", "\"a\nb\""]);
    }
}
