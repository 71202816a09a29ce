//! `cithara interpret`.

use super::{MotifArguments, positive};
use analysis::{Alignment, CentreRule, DirectionCount, FeatureClassifier, FeatureScale, Reference};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `cithara interpret`.
#[derive(Debug, Args)]
#[command(
    after_help = "Along each principal component of a space, cells of its two ends and of its middle are compared feature by \
feature, in the training and in the test cells of repeated random splits (Zhang et al. 2026, Methods). Where the paper and its \
authors' code part, the paper is followed; the other way has a flag.\n\nExample: cithara interpret runs/pbmc10k_cite \
--gene-sets hallmark.gmt"
)]
pub struct InterpretArguments {
    /// The run directory.
    pub run: PathBuf,
    /// Only this latent space. May be given again.
    #[arg(long = "space", value_name = "NAME")]
    pub spaces: Vec<String>,
    /// Explain every space by this modality's features, instead of by those of the modality whose encoder tells it. May be
    /// given again.
    #[arg(long, value_name = "MODALITY")]
    pub features: Vec<String>,
    /// Explain every space by the columns of this array of obsm, too. May be given again.
    #[arg(long, value_name = "KEY")]
    pub obsm: Vec<String>,
    /// Also ask each space for this column of obs (labels or numbers), or for a feature as `MODALITY/FEATURE`. May be given
    /// again.
    #[arg(long, value_name = "NAME")]
    pub tell: Vec<String>,
    /// Also classify this column of obs by each table of features (of at most 200), with all features and without each. May be
    /// given again.
    #[arg(long, value_name = "COLUMN")]
    pub classify: Vec<String>,
    /// What classifies.
    #[arg(long, value_enum, default_value_t = Classifier::Logistic, requires = "classify")]
    pub classifier: Classifier,
    /// Also test this number (a column of obs, or `MODALITY/FEATURE`) between the two groups that each space falls into. May
    /// be given again.
    #[arg(long, value_name = "NAME")]
    pub two_groups: Vec<String>,
    /// Difference of means that the two groups must exceed (the paper's caption: 0.1, its methods: 0.01).
    #[arg(long, value_name = "DIFFERENCE", default_value_t = 0.1, requires = "two_groups")]
    pub effect: f64,
    /// Explain by one feature of each group of features whose correlations are above this (published for images: 0.7).
    #[arg(long, value_name = "CORRELATION")]
    pub group_features: Option<f64>,
    /// Folder for tables, pictures and numbers; default `interpretation` in the run directory.
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Replace what an earlier interpretation wrote there.
    #[arg(long)]
    pub force: bool,
    /// Random splits into 80 % training and 20 % test cells.
    #[arg(long, value_name = "N", default_value_t = 36, value_parser = positive)]
    pub repeats: usize,
    /// Instead of cells at random, hold out a fifth of the classes of this column, such as a donor, in each split.
    #[arg(long, value_name = "COLUMN")]
    pub hold_out: Option<String>,
    /// Fold change that a feature must exceed to be listed.
    #[arg(long, value_name = "TIMES", default_value_t = 1.4)]
    pub fold_change: f64,
    /// Splits that must agree before a feature is listed; default five of six.
    #[arg(long, value_name = "N", value_parser = positive)]
    pub min_repeats: Option<usize>,
    /// Principal components of each space that are interpreted; default all.
    #[arg(long, value_name = "N", value_parser = positive)]
    pub components: Option<usize>,
    /// Correlation in held-out cells from which encoders count as agreeing on a direction of a space that they share; by default
    /// each tells more than a third of the variance of the other.
    #[arg(long, value_name = "CORRELATION", default_value_t = 0.6)]
    pub min_correlation: f64,
    /// What differs between paper and code.
    #[command(flatten)]
    pub choices: InterpretChoices,
    /// Sets of features, such as pathways, in the GMT format. May be given again.
    #[arg(long, value_name = "FILE")]
    pub gene_sets: Vec<PathBuf>,
    /// Where genes lie (.bed or .gtf, also .gz): sets of genes are then read as sets of the peaks near them.
    #[arg(long, value_name = "FILE", requires = "gene_sets")]
    pub genes: Option<PathBuf>,
    /// Base pairs from a gene within which a peak is near it.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = positive)]
    pub max_distance: usize,
    /// Motifs in the sequences of peaks.
    #[command(flatten)]
    pub motifs: MotifArguments,
    /// Do not add anything to the run's annotated file.
    #[arg(long)]
    pub no_annotation: bool,
}

/// Choices of the procedure; defaults are the paper's.
#[derive(Debug, Args)]
pub struct InterpretChoices {
    /// Which other components a cell must be near the middle of.
    #[arg(long, value_enum, default_value_t = Centre::FirstTen)]
    pub centre: Centre,
    /// Share of the training cells that count as near the middle, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 15.0)]
    pub centre_percentile: f64,
    /// What each group is compared with.
    #[arg(long, value_enum, default_value_t = Compared::OtherGroups)]
    pub reference: Compared,
    /// How components of different splits are matched.
    #[arg(long, value_enum, default_value_t = Matching::Matched)]
    pub alignment: Matching,
    /// What is done to features before fold changes are taken; default nothing, for images `range`.
    #[arg(long, value_enum)]
    pub scale: Option<Scale>,
    /// How splits are counted for a feature's curve.
    #[arg(long, value_enum, default_value_t = Count::Any)]
    pub count: Count,
}

/// `--centre`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Centre {
    /// Those among the first ten (paper).
    FirstTen,
    /// All (code).
    All,
}

impl From<Centre> for CentreRule {
    fn from(centre: Centre) -> CentreRule {
        match centre {
            Centre::FirstTen => CentreRule::FirstTen,
            Centre::All => CentreRule::All,
        }
    }
}

/// `--reference`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Compared {
    /// The other two groups (paper).
    OtherGroups,
    /// All other cells (code).
    Rest,
}

impl From<Compared> for Reference {
    fn from(compared: Compared) -> Reference {
        match compared {
            Compared::OtherGroups => Reference::OtherGroups,
            Compared::Rest => Reference::Rest,
        }
    }
}

/// `--alignment`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Matching {
    /// By the correlation of loadings with those of all cells, sign and order.
    Matched,
    /// By their place; only signs are turned.
    Sign,
    /// As they come (code).
    AsFound,
}

impl From<Matching> for Alignment {
    fn from(matching: Matching) -> Alignment {
        match matching {
            Matching::Matched => Alignment::Matched,
            Matching::Sign => Alignment::Sign,
            Matching::AsFound => Alignment::AsFound,
        }
    }
}

/// `--scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scale {
    /// Nothing (paper).
    AsIs,
    /// Divided by the standard deviation over all cells (code, genes and peaks).
    UnitVariance,
    /// Brought to 0 … 1, training and test cells by themselves (code, images).
    Range,
}

impl From<Scale> for FeatureScale {
    fn from(scale: Scale) -> FeatureScale {
        match scale {
            Scale::AsIs => FeatureScale::AsIs,
            Scale::UnitVariance => FeatureScale::UnitVariance,
            Scale::Range => FeatureScale::Range,
        }
    }
}

/// `--count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Count {
    /// Splits in which a feature differs in any direction (paper).
    Any,
    /// Splits of the three directions added up (code).
    Summed,
}

impl From<Count> for DirectionCount {
    fn from(count: Count) -> DirectionCount {
        match count {
            Count::Any => DirectionCount::Any,
            Count::Summed => DirectionCount::Summed,
        }
    }
}

/// `--classifier`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Classifier {
    /// Logistic regression.
    Logistic,
    /// A network with one hidden layer of 8 units (published); slow.
    Network,
}

impl Classifier {
    /// The classifier, of a seed.
    pub fn of(self, seed: u64) -> FeatureClassifier {
        match self {
            Classifier::Logistic => FeatureClassifier::Logistic(1.0),
            Classifier::Network => FeatureClassifier::published(seed),
        }
    }
}
