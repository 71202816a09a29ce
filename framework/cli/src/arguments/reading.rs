//! How new data for a trained model are read.

use super::Orientation;
use clap::Args;
use framework::data::{NewData, table_of_new};
use framework::spec::{Experiment, FeaturesIn, TableSpec};
use std::path::{Path, PathBuf};

/// How new data are read.
#[derive(Debug, Args)]
pub struct ReadingArguments {
    /// Where a .csv or .tsv has its features; default as the run's spec says.
    #[arg(long, value_enum)]
    pub features: Option<Orientation>,
    /// More columns of obs: a .csv or .tsv (also .gz) with a cell in each row, its name first.
    #[arg(long, value_name = "TABLE")]
    pub obs: Option<PathBuf>,
    /// Largest share of a modality's features that may be missing, in [0, 1]; default as the run's spec says (`data.max_missing`).
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub max_missing: Option<f64>,
}

impl ReadingArguments {
    /// How separated text of this modality is understood: as the run's spec says but for what is said here.
    pub fn table(&self, experiment: &Experiment, modality: Option<&str>) -> Option<TableSpec> {
        let said = table_of_new(experiment, modality);
        let Some(features) = self.features else { return said };
        let said = said.unwrap_or_default();
        Some(match features {
            Orientation::Rows => {
                TableSpec { features_in: Some(FeaturesIn::Rows), obs_columns: Default::default(), ..said }
            }
            Orientation::Columns => TableSpec { features_in: Some(FeaturesIn::Columns), ..said },
        })
    }

    /// New data of this file.
    pub fn new_data<'a>(
        &'a self,
        path: &'a Path,
        table: Option<&'a TableSpec>,
        modality: Option<&'a str>,
    ) -> NewData<'a> {
        NewData { path, modality, table, obs: self.obs.as_deref(), max_missing: self.max_missing }
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("expected a share from 0 to 1".to_owned()),
    }
}
