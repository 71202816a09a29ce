//! The reads of one file as the framework asks for them: filtered, prepared and handed out.

use crate::modality::MethylationSpec;
use crate::reads::Reads;
use framework::anyhow::{Context, Result, bail, ensure};
use framework::data::{Rows, align_features, cells_of_enough_features, features_of_enough_cells};
use framework::serde::{Deserialize, Serialize};
use framework::serde_json;
use framework::{Alignment, FeatureShape, Gathered, Modality, Statistics, TargetValues};

/// What one feature is called in messages.
const FEATURE: &str = "region";

/// What is learnt from training cells.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(crate = "framework::serde")]
struct Learnt {
    /// The regions, in order.
    features: Vec<String>,
    /// Share of methylated reads of each.
    means: Vec<f64>,
}

/// Cells, regions, reads and what encoders see of them.
pub struct Measurements {
    spec: MethylationSpec,
    cells: Vec<String>,
    features: Vec<String>,
    reads: Reads,
    learnt: Option<Learnt>,
    /// What encoders see of each entry; empty until prepared.
    input: Vec<f32>,
}

impl Measurements {
    /// The reads of a file, not yet prepared.
    pub fn new(spec: MethylationSpec, cells: Vec<String>, features: Vec<String>, reads: Reads) -> Measurements {
        Measurements { spec, cells, features, reads, learnt: None, input: Vec::new() }
    }

    /// (m − μ t) / (t + w) of every entry.
    fn prepare_input(&mut self) {
        let Some(Learnt { means, .. }) = &self.learnt else { return };
        let Reads { total, methylated } = &self.reads;
        let of_entry = |(place, m): (usize, &f32)| {
            let (m, t, mean) = (f64::from(*m), f64::from(total.values[place]), means[total.indices[place] as usize]);
            ((m - mean * t) / (t + self.spec.prior_reads)) as f32
        };
        self.input = methylated.iter().enumerate().map(of_entry).collect();
    }
}

/// Share of methylated reads of each region, those of few reads drawn to the share of all regions.
fn means(reads: &Reads, training: &[usize], prior_reads: f64) -> Result<Vec<f64>> {
    let per_region = reads.per_region(training);
    let [methylated, total] = per_region.iter().fold([0.0; 2], |[m, t], [more_m, more_t]| [m + more_m, t + more_t]);
    ensure!(total > 0.0, "none of the {} training cells covers any {FEATURE}", training.len());
    let of_all = methylated / total;
    Ok(per_region.iter().map(|[m, t]| (m + of_all * prior_reads) / (t + prior_reads)).collect())
}

impl Modality for Measurements {
    fn cells(&self) -> &[String] {
        &self.cells
    }

    fn features(&self) -> &[String] {
        &self.features
    }

    fn shape(&self) -> FeatureShape {
        FeatureShape::Vector(self.features.len() as i64)
    }

    fn filter_round(&mut self, kept: &[bool]) -> Result<Vec<bool>> {
        let columns = match self.spec.min_cells_per_feature {
            0 => (0..self.features.len()).collect(),
            least => features_of_enough_cells(&self.reads.total, kept, least, FEATURE)?,
        };
        self.reads.choose(|matrix| matrix.select_columns(&columns))?;
        self.features = columns.iter().map(|column| self.features[*column].clone()).collect();
        cells_of_enough_features(&self.reads.total, kept, self.spec.min_features_per_cell, FEATURE)
    }

    fn keep_cells(&mut self, rows: &[usize]) -> Result<()> {
        self.reads.choose(|matrix| matrix.select_rows(rows))?;
        self.cells = rows.iter().map(|row| self.cells[*row].clone()).collect();
        self.prepare_input();
        Ok(())
    }

    fn prepare(&mut self, training: &[usize]) -> Result<()> {
        let means = means(&self.reads, training, self.spec.prior_reads)?;
        self.learnt = Some(Learnt { features: self.features.clone(), means });
        self.prepare_input();
        Ok(())
    }

    fn state(&self) -> serde_json::Value {
        serde_json::to_value(&self.learnt).unwrap_or_default()
    }

    fn restore(&mut self, state: &serde_json::Value) -> Result<Alignment> {
        let learnt = Learnt::deserialize(state).context("the saved state is not that of methylation")?;
        ensure!(learnt.features.len() == learnt.means.len(), "the saved state has not one mean per {FEATURE}");
        let mut alignment = Alignment::default();
        self.reads.choose(|matrix| {
            let (aligned, how) = align_features(matrix, &self.features, &learnt.features, FEATURE)?;
            alignment = how;
            Ok(aligned)
        })?;
        self.features.clone_from(&learnt.features);
        self.learnt = Some(learnt);
        self.prepare_input();
        Ok(alignment)
    }

    fn statistics(&self, rows: &[usize]) -> Result<Statistics> {
        let n_entries = rows.len() as f64 * self.features.len() as f64;
        let mut totals = Statistics { n_entries, ..Statistics::default() };
        for entry in rows.iter().flat_map(|row| self.reads.entries(*row)) {
            let methylated = f64::from(self.reads.methylated[entry]);
            totals.n_nonzero += f64::from(u8::from(methylated > 0.0));
            totals.raw_sum += methylated;
            totals.processed_sum += f64::from(self.input.get(entry).copied().unwrap_or_default());
        }
        Ok(totals)
    }

    fn check_target(&self, values: TargetValues) -> Result<()> {
        match values {
            TargetValues::Trials | TargetValues::Processed => Ok(()),
            TargetValues::Counts | TargetValues::Presence | TargetValues::UnitInterval => bail!(
                "methylation hands out methylated among all reads, not counts or shares alone; choose a loss of successes \
                 among trials, as `beta_binomial` is, or one of values of any size"
            ),
        }
    }

    fn gather(&self, rows: &[usize], values: TargetValues) -> Result<Gathered> {
        ensure!(self.learnt.is_some(), "the reads have not been prepared");
        self.check_target(values)?;
        let rows = Rows::new(&self.reads.total, rows)?;
        let input = rows.features(&self.input)?;
        if values == TargetValues::Processed {
            let target = input.shallow_clone();
            return Ok(Gathered::new(input, target));
        }
        let trials = Some(rows.features(&self.reads.total.values)?);
        Ok(Gathered { input, target: rows.features(&self.reads.methylated)?, trials })
    }

    fn n_bytes(&self) -> u64 {
        let names =
            self.cells.iter().chain(&self.features).map(|name| size_of::<String>() + name.capacity()).sum::<usize>();
        let reads = self.reads.total.indptr.len() * 8 + self.reads.total.n_stored() * 12;
        (names + reads + self.input.len() * 4) as u64
    }
}
