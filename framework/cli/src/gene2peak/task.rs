//! Silencing many genes of a run, and comparing what follows with what follows of like genes.

use super::measured::{CellCounts, Expressing};
use super::null::{Matched, MatchedNull, Pool, row_of, statistic};
use super::places::{Places, signed_distance};
use super::table::Link;
use anyhow::Result;
use framework::data::Dataset;
use framework::infer::{Perturbation, Silenced, Silencing};
use framework::{Seed, TargetValues};
use tch::Tensor;

/// Numbers in the mean effects that are held at a time: 256 MiB in single precision, twice.
const NUMBERS_AT_A_TIME: usize = 1 << 26;

/// What is silenced where.
pub struct GeneTask<'a> {
    /// How: the model, the modality that is silenced, steps.
    pub silencing: Silencing<'a>,
    /// The modality whose change is wanted.
    pub target: usize,
    /// The measurements.
    pub dataset: &'a Dataset,
    /// Cells of the data set, all measured by the source: where a gene is found in too many, the first of these count.
    pub cells: &'a [usize],
    /// Rows of these cells, one tensor per space.
    pub rows: &'a [Tensor],
    /// Places of the features of source and target.
    pub places: (&'a Places, &'a Places),
    /// Most cells that a gene is silenced in.
    pub n_most_cells: usize,
    /// What effects are compared with.
    pub matched: Matched,
    /// Seed of what is drawn.
    pub seed: Seed,
}

/// Everything that genes are linked by.
pub struct Linking<'a> {
    task: &'a GeneTask<'a>,
    totals: Tensor,
    /// What effects are compared with.
    pub null: MatchedNull,
    /// Mean count of each feature of the source.
    pub means: Vec<f64>,
}

/// Told while genes are silenced: pairs of a gene and a cell that are done, and all.
pub type Progress<'a> = dyn FnMut(usize, usize) -> Result<()> + 'a;

impl<'a> Linking<'a> {
    /// Reads totals and means, and silences genes like the `wanted` ones for comparison.
    ///
    /// # Errors
    /// When rows cannot be read, or the source cannot be silenced.
    pub fn new(task: &'a GeneTask<'a>, wanted: &[usize], progress: &mut Progress<'_>) -> Result<Linking<'a>> {
        let GeneTask { dataset, cells, target, .. } = *task;
        let counts = CellCounts::read(dataset, task.silencing.source, TargetValues::Counts, cells)?;
        let of_target = dataset.assays[target].measured_cells(cells);
        let values = task.silencing.model.branches[target].loss.target();
        let accessible = CellCounts::read(dataset, target, values, &of_target)?.means;
        let pool = Pool::draw((&counts.means, &accessible), wanted, task.matched, task.seed);
        let (kind, device) = (task.rows[0].kind(), task.rows[0].device());
        let totals = Tensor::from_slice(&counts.totals).to_kind(kind).to_device(device);
        let expressing = task.expressing(&pool.genes)?;
        let effects = task.perturbation(&totals).effects(&silenced(&pool.genes, &expressing), &mut *progress)?;
        let null = MatchedNull::draw(pool, &effects, task.places, (task.matched, task.seed));
        Ok(Linking { task, totals, null, means: counts.means })
    }

    /// Silences each gene and tells its effects on the features beside it in the list; none of genes that no cell has.
    ///
    /// # Errors
    /// When rows cannot be read.
    pub fn links(&self, genes: &[(usize, Vec<usize>)], progress: &mut Progress<'_>) -> Result<Vec<Link>> {
        let mut links = Vec::new();
        let n_features = self.task.silencing.model.branches[self.task.target].n_features.max(1) as usize;
        for genes in genes.chunks((NUMBERS_AT_A_TIME / n_features).max(1)) {
            let features: Vec<usize> = genes.iter().map(|(gene, _)| *gene).collect();
            let expressing = self.task.expressing(&features)?;
            let perturbation = self.task.perturbation(&self.totals);
            let effects = perturbation.effects(&silenced(&features, &expressing), &mut *progress)?;
            for (row, (gene, near)) in genes.iter().enumerate().filter(|(row, _)| expressing[*row].n_all > 0) {
                let (changes, originals) = row_of(&effects, row);
                links.extend(near.iter().map(|&feature| Link {
                    gene: *gene,
                    feature,
                    distance: self.distance(*gene, feature),
                    effect: changes[feature],
                    share: originals[feature],
                    n_cells: expressing[row].cells.len(),
                    n_expressing: expressing[row].n_all,
                    p_value: self.null.p_value(*gene, feature, statistic(changes[feature], originals[feature])),
                    q_value: f64::NAN,
                }));
            }
        }
        let p_values: Vec<f64> = links.iter().map(|link| link.p_value).collect();
        let q_values = analysis::benjamini_hochberg(&p_values);
        links.iter_mut().zip(q_values).for_each(|(link, q_value)| link.q_value = q_value);
        Ok(links)
    }

    /// From the gene, which is whichever has a direction; from the silenced one where neither has.
    fn distance(&self, silenced: usize, feature: usize) -> Option<i64> {
        let (silenced, feature) = (self.task.places.0.get(silenced)?, self.task.places.1.get(feature)?);
        match feature.strand.is_some() && silenced.strand.is_none() {
            true => signed_distance(feature, silenced),
            false => signed_distance(silenced, feature),
        }
    }
}

impl GeneTask<'_> {
    /// The cells that have each of these features of the source.
    ///
    /// # Errors
    /// When rows cannot be read.
    pub fn expressing(&self, features: &[usize]) -> Result<Vec<Expressing>> {
        let modality = (self.silencing.source, TargetValues::Counts);
        Expressing::read(self.dataset, modality, self.cells, (features, self.n_most_cells))
    }

    fn perturbation<'a>(&'a self, totals: &'a Tensor) -> Perturbation<'a> {
        let Silencing { model, source, n_steps, rule } = self.silencing;
        let silencing = Silencing { model, source, n_steps, rule };
        Perturbation { silencing, target: self.target, rows: self.rows, totals }
    }
}

fn silenced(features: &[usize], expressing: &[Expressing]) -> Vec<Silenced> {
    let pairs = features.iter().zip(expressing);
    pairs.map(|(&feature, found)| Silenced { feature, cells: found.cells.clone() }).collect()
}
