//! Modality `methylation`: where the two layers are, what is expected of them, and what is used where a spec is silent.

use crate::measurements::Measurements;
use crate::reads::Reads;
use framework::anndata::Layer;
use framework::anyhow::{Result, ensure};
use framework::component::{Problem, Spec, require};
use framework::data::{open_annotated, unique_names};
use framework::schemars::JsonSchema;
use framework::serde::{Deserialize, Serialize};
use framework::{Defaults, Modality, ModalitySpec, Source, Step, component, typetag};

/// Names under which MuData files keep the assay.
const USUAL_KEYS: &[&str] = &["methylation", "meth", "met", "mc", "mCG", "CG"];

/// Methylated and all reads per region of an .h5ad file or of one modality of an .h5mu file, each a layer.
///
/// Encoders see (m − μ t) / (t + w) of each region, with m methylated of t reads, μ the region's share of methylated reads
/// in the training cells and w `prior_reads`: the shrunken share less its mean, 0 where nothing was covered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "framework::serde", deny_unknown_fields, default)]
#[schemars(crate = "framework::schemars")]
pub struct MethylationSpec {
    /// Where the counts of methylated reads are: the name of a layer, or `X`.
    pub methylated: String,
    /// Where the counts of all reads are, methylated or not: the name of a layer, or `X`.
    pub total: String,
    /// Filtering drops regions that are covered in fewer cells; 0 keeps all.
    pub min_cells_per_feature: usize,
    /// Filtering drops cells that cover fewer regions; 0 keeps all.
    pub min_features_per_cell: usize,
    /// Reads w that the mean of a region weighs as many as, above 0: the more, the less a share of few reads says.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub prior_reads: f64,
}

impl Default for MethylationSpec {
    fn default() -> Self {
        MethylationSpec {
            methylated: "methylated".into(),
            total: "total".into(),
            min_cells_per_feature: 10,
            min_features_per_cell: 10,
            prior_reads: 1.0,
        }
    }
}

impl Spec for MethylationSpec {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let holds = self.prior_reads > 0.0 && self.prior_reads.is_finite();
        require(&mut problems, holds, "prior_reads", format!("is {}, but must be above 0", self.prior_reads));
        let differ = Layer::parse(&self.methylated) != Layer::parse(&self.total);
        require(&mut problems, differ, "total", format!("is `{}`, as `methylated` is", self.total));
        problems
    }
}

#[typetag::serialize(name = "methylation")]
impl ModalitySpec for MethylationSpec {
    fn open(&self, source: &Source<'_>, steps: Vec<Box<dyn Step>>) -> Result<Box<dyn Modality>> {
        ensure!(
            steps.is_empty(),
            "methylation takes no steps, for it prepares the shares of methylated reads itself\nhelp: leave `steps` out"
        );
        let file = open_annotated(source, USUAL_KEYS)?;
        let matrix = |layer: &str| file.matrix(&Layer::parse(layer));
        let features = unique_names(file.features().to_vec());
        let reads = Reads::pair(&matrix(&self.methylated)?, matrix(&self.total)?, [file.cells(), &features])?;
        ensure!(
            reads.total.n_stored() > 0,
            "`{}` of `{}` is 0 throughout: no cell covers any region",
            self.total,
            source.path.display()
        );
        Ok(Box::new(Measurements::new(self.clone(), file.cells().to_vec(), features, reads)))
    }

    fn defaults(&self) -> Defaults {
        Defaults {
            steps: Vec::new(),
            encoder: ("mlp", "hidden = [256, 256]"),
            decoder: ("mlp", "hidden = [256, 256, 256]"),
            loss: ("beta_binomial", ""),
        }
    }
}

component! {
    role: Modality,
    name: "methylation",
    spec: MethylationSpec,
    summary: "methylated among all reads per region",
    source: "Kremer et al. 2024, Nature Methods 21 (shrunken residuals); Luo et al. 2017, Science 357 (the assay)",
    example: "methylated = \"mc\"\ntotal = \"cov\"",
}
