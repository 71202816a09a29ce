//! The modality that new data lack: no cells, no features.

use crate::{Alignment, FeatureShape, Gathered, Modality, Statistics, TargetValues};
use anyhow::{Result, bail};

/// Measurements that are not there; no cell has any.
pub(super) struct Absent;

impl Modality for Absent {
    fn cells(&self) -> &[String] {
        &[]
    }

    fn features(&self) -> &[String] {
        &[]
    }

    fn shape(&self) -> FeatureShape {
        FeatureShape::Vector(0)
    }

    fn keep_cells(&mut self, _rows: &[usize]) -> Result<()> {
        Ok(())
    }

    fn prepare(&mut self, _training: &[usize]) -> Result<()> {
        Ok(())
    }

    fn state(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    fn restore(&mut self, _state: &serde_json::Value) -> Result<Alignment> {
        Ok(Alignment::default())
    }

    fn statistics(&self, _rows: &[usize]) -> Result<Statistics> {
        Ok(Statistics::default())
    }

    fn check_target(&self, _values: TargetValues) -> Result<()> {
        Ok(())
    }

    fn gather(&self, _rows: &[usize], _values: TargetValues) -> Result<Gathered> {
        bail!("the modality is not in the data")
    }

    fn n_bytes(&self) -> u64 {
        0
    }
}
