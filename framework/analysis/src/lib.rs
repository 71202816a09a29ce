//! Metrics, probes and controls: what a model is judged by.
//!
//! Everything reads matrices of cells × features, dense tensors, borrowed sparse rows or rows elsewhere ([`Matrix`]), and returns plain
//! numbers that serialise. Sparse matrices stay sparse and predictions are met a block of cells at a time, so memory
//! never grows with cells × features. Entries that were not measured ([`Matrix::Measured`]) count nowhere. All work is in 64-bit numbers and depends on nothing but its input and seed.
//!
//! | question | answer |
//! |---|---|
//! | do predicted values agree with measured ones? | [`PairedMoments`], [`r_squared`](fn@r_squared) |
//! | does a predicted image agree with the real one? | [`image_agreement`](fn@image_agreement), [`mode_threshold`] |
//! | does a score find open peaks? | [`average_precision`](fn@average_precision), [`average_precision_by_feature`], [`PooledPrecision`] |
//! | what does a space know? | [`LogisticProbe`], [`MlpProbe`], [`predictability`], [`NeighbourSearch`] and [`majority_labels`], [`linear_r2`], [`silhouette`](fn@silhouette) |
//! | which cells lie together? | [`NeighbourGraph`], [`Leiden`], [`KMeans`], [`umap`](fn@umap) and [`trustworthiness`](fn@trustworthiness) |
//! | are batches joined and labels kept apart? | [`Integration`]: [`silhouette_label`], [`silhouette_batch`], [`bras`], [`ilisi`], [`clisi`], [`kbet`], [`graph_connectivity`], [`isolated_labels`], [`pcr_comparison`] |
//! | on what do two spaces agree? | [`CanonicalCorrelation`] |
//! | do two labellings agree? | [`classification`](fn@classification), [`agreement`](fn@agreement) |
//! | what would something simple reach? | [`Controls`], [`Ridge`], [`Pca`], [`KMeans`] |
//! | is an effect larger than chance, among many? | [`NullDistribution`], [`equal_groups`], [`benjamini_hochberg`] |
//! | which features does a space know of? | [`interpret`](fn@interpret), [`group_tests`], [`over_representation`](fn@over_representation), [`preranked`](fn@preranked), [`feature_groups`](fn@feature_groups), [`feature_ablation`](fn@feature_ablation) |
//! | how much does a cell express a set of genes? | [`gene_score`](fn@gene_score), [`control_genes`] |
//! | which motifs are in sequences? | [`MotifScanner`]; in those of chosen features, of like GC content: [`over_representation_within`], [`rank_sum`](fn@rank_sum) |
//! | does a variant differ, or not, over seeds? | [`Paired`], [`signed_rank`](fn@signed_rank), [`bootstrap_interval`], [`holm`] |
//!
//! This crate knows nothing of models, files or experiments, and draws no figures.

mod agreement;
mod average_precision;
mod bootstrap;
mod canonical_correlation;
mod classification;
mod controls;
mod correlation;
mod distributions;
mod empirical;
mod enrichment;
mod feature_ablation;
mod feature_groups;
mod gene_score;
mod graph;
mod image_metrics;
mod integration;
mod interpretation;
mod k_means;
mod labels;
mod lbfgs;
mod leakage;
mod leiden;
mod logistic;
mod matrix;
mod measured;
mod mlp_probe;
mod moments;
mod motif;
mod multiple_testing;
mod neighbour_models;
mod neighbours;
mod paired;
mod pca;
mod pooled_precision;
mod r_squared;
mod random;
mod rank_correlation;
mod ridge;
mod score;
mod signed_rank;
mod silhouette;
mod sparse;
mod spectrum;
mod splits;
mod tensor;
mod trustworthiness;
mod umap;

pub use agreement::{Agreement, agreement};
pub use average_precision::{
    AveragePrecision, AveragePrecisionByFeature, average_precision, average_precision_by_feature,
};
pub use bootstrap::bootstrap_interval;
pub use canonical_correlation::CanonicalCorrelation;
pub use classification::{ClassificationReport, classification};
pub use controls::{Control, Controls, ControlsSpec, CrossPrediction};
pub use correlation::Correlations;
pub use empirical::{NullDistribution, equal_groups};
pub use enrichment::{
    Enriched, OverRepresentation, PrerankedSpec, RankSum, over_representation, over_representation_within, preranked,
    rank_sum,
};
pub use feature_ablation::{FeatureAblation, FeatureClassifier, FeatureLoss, feature_ablation};
pub use feature_groups::{CorrelationSign, FeatureGroup, FeatureGroupSpec, Singletons, feature_groups};
pub use gene_score::{GeneScoreSpec, control_genes, expression_bins, gene_score};
pub use graph::NeighbourGraph;
pub use image_metrics::{ImageAgreement, ImageForm, image_agreement, mean_absolute_difference, mode, mode_threshold};
pub use integration::{
    ClusterAgreement, Covariate, Integration, IntegrationReport, Kbet, KbetOfLabel, PcrComparison, bras, clisi,
    graph_connectivity, ilisi, isolated_labels, k_means_agreement, kbet, leiden_agreement, lisi, pcr_comparison,
    principal_component_regression, silhouette_batch, silhouette_label,
};
pub use interpretation::{
    Against, Alignment, BinSpec, CentreRule, ComponentBins, ComponentSummary, Direction, DirectionCount, Explained,
    FeatureCount, FeatureCurve, FeatureScale, GroupTests, Interpretation, InterpretationSpec, Reference, Values,
    fold_changes, group_tests, interpret,
};
pub use k_means::KMeans;
pub use labels::Labels;
pub use leakage::{Predictability, predictability};
pub use leiden::{Leiden, LeidenSpec};
pub use logistic::LogisticProbe;
pub use matrix::{Matrix, ReadRows, block_rows};
pub use mlp_probe::{MlpProbe, MlpProbeSpec};
pub use moments::{PairedMoments, PairedReport};
pub use motif::{FrequencyMatrix, MotifHit, MotifScanner, MotifSpec, Sequence, symmetric_background};
pub use multiple_testing::{benjamini_hochberg, holm};
pub use neighbour_models::{majority_labels, neighbour_means};
pub use neighbours::{Distance, NeighbourSearch, Neighbours};
pub use paired::Paired;
pub use pca::{Pca, PcaSpec, Solver};
pub use pooled_precision::PooledPrecision;
pub use r_squared::{LinearFit, RSquared, linear_r2, r_squared};
pub use rank_correlation::rank_correlation;
pub use ridge::{Penalty, Ridge};
pub use score::{MAX_PAIRED_CELLS, Score};
pub use signed_rank::signed_rank;
pub use silhouette::{MAX_SILHOUETTE_CELLS, Silhouette, silhouette, silhouette_of_cells};
pub use sparse::SparseRows;
pub use splits::CellSplit;
pub use trustworthiness::trustworthiness;
pub use umap::{UmapSpec, umap};
