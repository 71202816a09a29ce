//! The command line, as clap reads it.

mod ablate;
mod cluster;
mod inpaint;
mod interpret;
mod motifs;
mod phenotype;
mod reading;
mod report;
mod run;

pub use ablate::{AblateArguments, AblateCommand, CollectArguments, CompareArguments, Engine};
pub use cluster::ClusterArguments;
pub use inpaint::InpaintArguments;
pub use interpret::{InterpretArguments, InterpretChoices};
pub use motifs::{MotifArguments, MotifBackground};
pub use phenotype::{JudgedArgument, PhenotypeArguments};
pub use reading::ReadingArguments;
pub use report::ReportArguments;
pub use run::{ReproArguments, ResumeArguments, RunArguments, ThenArguments};

use clap::{Args, Parser, Subcommand, ValueEnum};
use framework::spec::UnseenClasses;
use std::path::PathBuf;

/// Learn from cells measured by several assays at once.
#[derive(Debug, Parser)]
#[command(name = "cithara", version, about, propagate_version = true)]
#[command(after_help = "Start with: cithara demo\nA spec of your own: cithara check my.toml, then cithara run my.toml")]
pub struct Arguments {
    /// Say nothing but results and errors.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Load a compiled plugin, as `cithara plugins build` makes it. Loading is running code. May be given again.
    #[arg(long = "plugin", global = true, value_name = "FILE")]
    pub plugins: Vec<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the embedded example: simulate cells, learn a model, evaluate it.
    Demo(DemoArguments),
    /// Read a spec and say everything that is wrong with it.
    Check(CheckArguments),
    /// Say what a run would take: shapes, parameters, memory, time.
    Plan(PlanArguments),
    /// Learn the model of a spec, embed and predict all cells, evaluate.
    Run(RunArguments),
    /// Go on with a run that was stopped.
    Resume(ResumeArguments),
    /// Repeat the first epochs of a run, and tell whether every number comes out the same.
    Repro(ReproArguments),
    /// Write the latent rows of cells into a copy of their file.
    Embed(EmbedArguments),
    /// Predict one modality from another and write it into a copy of the file.
    Predict(PredictArguments),
    /// Judge a run beside controls.
    Evaluate(EvaluateArguments),
    /// Explain latent spaces by features and sets of genes, and tell what each knows of the others.
    Interpret(Box<InterpretArguments>),
    /// Tell a phenotype from images: real, reconstructed, of the shared spaces alone, predicted.
    Phenotype(Box<PhenotypeArguments>),
    /// Paint proteins after other cells (paired-cell inpainting), a baseline beside the model's predicted images.
    Inpaint(InpaintArguments),
    /// Group the cells of latent spaces, beside labels and controls.
    Cluster(ClusterArguments),
    /// Make a page of a run: what was learned from what, how well, with pictures and controls.
    Report(ReportArguments),
    /// Run variants of a spec with several seeds, and tell which differ.
    Ablate(Box<AblateArguments>),
    /// Tell which runs differ, over their seeds.
    Compare(CompareArguments),
    /// Silence genes in silico and tell what becomes of peaks (or any modality's features of any other's).
    Gene2peak(Gene2peakArguments),
    /// Make a run of a model that another program learned.
    #[command(subcommand)]
    Import(ImportCommand),
    /// Make a .h5mu or .h5ad of count tables in other formats.
    Convert(ConvertArguments),
    /// Cut images of single cells out of fields of view, and measure their nuclei.
    Cut(CutArguments),
    /// Make simulated cells: those of the APOLLO paper, or of three modalities.
    Simulate(SimulateArguments),
    /// List or describe components.
    #[command(subcommand)]
    Plugins(PluginsCommand),
    /// Print the JSON Schema of a spec, or of an ablation, for editors.
    Schema(SchemaArguments),
    /// Say what was found on this machine, and what to do about what was not.
    Doctor(DoctorArguments),
}

/// A spec and its overrides.
#[derive(Debug, Args)]
pub struct SpecArguments {
    /// The spec (TOML).
    pub spec: PathBuf,
    /// Replace a value of the spec: `--set fit.latent.n_epochs=10`; recorded in the run. May be given again.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Take a key or a whole table out of the spec: `--unset modality.atac`; recorded in the run. May be given again.
    #[arg(long, value_name = "KEY")]
    pub unset: Vec<String>,
}

impl SpecArguments {
    /// What replaces parts of the spec, as the reader of specs takes it.
    pub fn overrides(&self) -> Vec<String> {
        self.unset.iter().map(|key| format!("!{key}")).chain(self.set.iter().cloned()).collect()
    }
}

/// `cithara demo`.
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Folder for the cells and the run.
    #[arg(long, default_value = "runs/demo")]
    pub out: PathBuf,
}

/// `cithara check`.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// The spec.
    #[command(flatten)]
    pub spec: SpecArguments,
    /// Print the spec with every default filled in.
    #[arg(long)]
    pub resolved: bool,
}

/// `cithara plan`.
#[derive(Debug, Args)]
pub struct PlanArguments {
    /// The spec.
    #[command(flatten)]
    pub spec: SpecArguments,
    /// End with an error where more memory than this is forecast, such as `16GB`.
    #[arg(long, value_name = "SIZE", value_parser = ablate::bytes)]
    pub max_memory: Option<u64>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `cithara cut`.
#[derive(Debug, Args)]
pub struct CutArguments {
    /// Which images there are, where nuclei are and how crops are cut (TOML).
    pub spec: PathBuf,
    /// The folder for `cells.h5mu`, `crops.cells` and `sheet.png`.
    #[arg(long)]
    pub out: PathBuf,
    /// Replace the cells that the folder holds; crops are made again only if spec or images have changed.
    #[arg(long)]
    pub force: bool,
}

/// Where results are written.
#[derive(Debug, Args)]
pub struct DestinationArguments {
    /// The annotated copy; default beside the data, with `_cithara` in its name.
    #[arg(long, conflicts_with = "in_place")]
    pub out: Option<PathBuf>,
    /// Replace the file itself by the annotated copy.
    #[arg(long)]
    pub in_place: bool,
    /// Overwrite the copy if it exists.
    #[arg(long)]
    pub force: bool,
}

/// What is done with new cells of a class that the model has not seen.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum UnseenClassesArgument {
    /// They are refused.
    Error,
    /// Their classes are not looked at.
    Naive,
    /// Each such class gets a component, learned with its cells' labels, which the run keeps.
    NewComponent,
}

impl From<UnseenClassesArgument> for UnseenClasses {
    fn from(argument: UnseenClassesArgument) -> UnseenClasses {
        match argument {
            UnseenClassesArgument::Error => UnseenClasses::Error,
            UnseenClassesArgument::Naive => UnseenClasses::Naive,
            UnseenClassesArgument::NewComponent => UnseenClasses::NewComponent,
        }
    }
}

/// `cithara embed`.
#[derive(Debug, Args)]
pub struct EmbedArguments {
    /// The run directory.
    pub run: PathBuf,
    /// Cells: a .h5mu, a 10x `.h5`, or a .h5ad, MatrixMarket folder, .csv or .tsv of one modality.
    pub data: PathBuf,
    /// The modality that a file of one holds.
    #[arg(long)]
    pub modality: Option<String>,
    /// What is done with cells of a class (of a covariate) that the model has not seen; default as the run's spec says.
    #[arg(long, value_name = "CHOICE")]
    pub unseen_classes: Option<UnseenClassesArgument>,
    /// How the data are read.
    #[command(flatten)]
    pub reading: ReadingArguments,
    /// Where the result goes.
    #[command(flatten)]
    pub destination: DestinationArguments,
}

/// `cithara predict`.
#[derive(Debug, Args)]
pub struct PredictArguments {
    /// The run directory.
    pub run: PathBuf,
    /// Cells: a .h5mu, a 10x `.h5`, or a .h5ad, MatrixMarket folder, .csv or .tsv of the source modality.
    pub data: PathBuf,
    /// The modality that was measured.
    #[arg(long)]
    pub from: String,
    /// The modality to be predicted.
    #[arg(long)]
    pub to: String,
    /// Decode all cells as this category of a condition, whatever their own is: `--condition protein=CD4`. May be given again.
    #[arg(long = "condition", value_name = "NAME=CATEGORY")]
    pub conditions: Vec<String>,
    /// What is done with cells of a class (of a covariate) that the model has not seen; default as the run's spec says.
    #[arg(long, value_name = "CHOICE")]
    pub unseen_classes: Option<UnseenClassesArgument>,
    /// How the data are read.
    #[command(flatten)]
    pub reading: ReadingArguments,
    /// Where the result goes.
    #[command(flatten)]
    pub destination: DestinationArguments,
}

/// `cithara evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArguments {
    /// The run directory.
    pub run: PathBuf,
    /// Judge the model alone.
    #[arg(long)]
    pub no_controls: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Which cells of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CellSubset {
    /// All of them.
    All,
    /// Those that were learned from.
    Train,
    /// Those that were held back for tests.
    Test,
}

/// Which genes are silenced.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct GeneArguments {
    /// A gene, or any feature of `--from`. May be given again.
    #[arg(long, value_name = "NAME")]
    pub gene: Vec<String>,
    /// A file with a gene per line.
    #[arg(long, value_name = "FILE")]
    pub genes: Option<PathBuf>,
    /// Every gene that any of the cells expresses.
    #[arg(long)]
    pub all: bool,
}

/// `cithara gene2peak`.
#[derive(Debug, Args)]
#[command(
    after_help = "An effect is the mean change of a feature's share when the gene is silenced, over cells that express it: \
below 0 where the feature falls with the gene, a positive association.\n\
P-values count how often genes of like expression have as large an effect, relative to its share, on features of like means \
on other chromosomes or more than 1 Mb away; q-values are false discovery rates over the table (Benjamini & Hochberg)."
)]
pub struct Gene2peakArguments {
    /// The run directory; its loss must be of counts, such as `negative_binomial`.
    pub run: PathBuf,
    /// Which genes.
    #[command(flatten)]
    pub which: GeneArguments,
    /// The modality that is silenced; default `rna`, or the first.
    #[arg(long, value_name = "MODALITY")]
    pub from: Option<String>,
    /// The modality whose change is told; default the other one of two.
    #[arg(long, value_name = "MODALITY")]
    pub to: Option<String>,
    /// Only cells whose column of obs has this value: `--cells cell_type=Monocytes`.
    #[arg(long, value_name = "COLUMN=VALUE")]
    pub cells: Option<String>,
    /// Only these cells of the run.
    #[arg(long, value_enum, default_value = "all")]
    pub subset: CellSubset,
    /// Steps of each cell's row.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub steps: u64,
    /// Most cells that a gene is silenced in; where more express it, so many are drawn.
    #[arg(long, default_value_t = 1000, value_parser = positive)]
    pub max_cells: usize,
    /// Base pairs to either side of a gene within which features are told; 0 for all. Needs places: peaks named
    /// `chr1:100-200`, `chr1-100-200` or `chr1_100_200`, and an annotation of genes.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(i64).range(0..=1_000_000_000))]
    pub window: i64,
    /// Where genes lie: .bed (chrom, start, end, name, strand) or .gtf, perhaps with .gz.
    #[arg(long, value_name = "FILE")]
    pub annotation: Option<PathBuf>,
    /// Genes of like expression that a gene is compared with.
    #[arg(long, default_value_t = 25, value_parser = positive)]
    pub n_matched: usize,
    /// Features of like means that are drawn for each of them.
    #[arg(long, default_value_t = 200, value_parser = positive)]
    pub n_draws: usize,
    /// Seed of what is drawn; default that of the run.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Folder for the table, the .h5ad and the pictures; default `gene2peak` in the run directory.
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Overwrite what the folder holds.
    #[arg(long)]
    pub force: bool,
}

fn positive(text: &str) -> Result<usize, String> {
    let number: usize = text.parse().map_err(|_| "must be a whole number".to_owned())?;
    if number > 0 { Ok(number) } else { Err("must be at least 1".to_owned()) }
}

/// `cithara import …`.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// A multiDGD model; no code of its checkpoint is run.
    Multidgd(ImportMultidgdArguments),
}

/// `cithara import multidgd`.
#[derive(Debug, Args)]
pub struct ImportMultidgdArguments {
    /// The checkpoint (.pt).
    pub model: PathBuf,
    /// Its hyperparameters (.json).
    #[arg(long, value_name = "FILE")]
    pub hyperparameters: PathBuf,
    /// The cells that it was learned from: a .h5mu, or a .h5ad of its only modality.
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// The run directory to be made.
    #[arg(long)]
    pub out: PathBuf,
    /// Also write the spec that the model amounts to.
    #[arg(long, value_name = "FILE")]
    pub spec: Option<PathBuf>,
    /// Replace a run of the same directory, and the spec.
    #[arg(long)]
    pub force: bool,
}

/// `cithara convert`.
#[derive(Debug, Args)]
#[command(after_help = "cithara convert filtered_feature_bc_matrix.h5 --out cells.h5mu\n\
cithara convert rna=rna.csv.gz protein=adt.csv.gz --features rows --out cells.h5mu\n\
cithara convert fragments.tsv.gz --peaks peaks.bed --cells barcodes.tsv.gz --out atac.h5ad")]
pub struct ConvertArguments {
    /// Tables, or `NAME=TABLE` to name their modality: a 10x `.h5`, a folder with `matrix.mtx`, `fragments.tsv`, `.csv` or `.tsv`,
    /// also `.gz`.
    #[arg(required = true)]
    pub inputs: Vec<String>,
    /// The file to be made: .h5mu, or .h5ad of one modality.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Where a `.csv` or `.tsv` has its features.
    #[arg(long, value_enum)]
    pub features: Option<Orientation>,
    /// The rows of a `.csv` or `.tsv` have no names: they are called 0, 1, ….
    #[arg(long)]
    pub no_row_names: bool,
    /// Take empty entries of a `.csv` or `.tsv` as 0.
    #[arg(long)]
    pub missing_is_zero: bool,
    /// Count fragments in these peaks, a `.bed` (also `.gz`).
    #[arg(long, value_name = "BED")]
    pub peaks: Option<PathBuf>,
    /// Count fragments in tiles of so many bases.
    #[arg(long, value_name = "BASES", conflicts_with = "peaks")]
    pub tiles: Option<u32>,
    /// The cells of fragments: a list of names (also `.gz`); all that the file names where it is not given.
    #[arg(long, value_name = "LIST")]
    pub cells: Option<PathBuf>,
    /// Count both ends of a fragment, where the transposase cut; otherwise a fragment counts once in a region.
    #[arg(long)]
    pub cuts: bool,
    /// All tables hold the same cells in the same order, whatever they call them: they get the names of the first table.
    #[arg(long)]
    pub same_cells: bool,
    /// Labels and numbers of the cells, a `.csv` or `.tsv` (also `.gz`) with a cell in each row: columns of `obs`.
    #[arg(long, value_name = "TABLE")]
    pub obs: Option<PathBuf>,
    /// The rows of `--obs` have no names: they are the cells in their order.
    #[arg(long, requires = "obs")]
    pub obs_in_order: bool,
    /// Overwrite the file if it exists.
    #[arg(long)]
    pub force: bool,
}

/// Where a table has its features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Orientation {
    /// A feature in each row, a cell in each column.
    Rows,
    /// A feature in each column, a cell in each row.
    Columns,
}

/// What is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Simulated {
    /// Causal factors behind modalities: the setting.
    Factors(u8),
    /// Three modalities, a factor for each of the seven subsets of them.
    Subsets,
    /// Nuclei in two panels.
    Images,
}

fn simulated(text: &str) -> Result<Simulated, String> {
    match (text, text.parse()) {
        ("images", _) => Ok(Simulated::Images),
        ("subsets", _) => Ok(Simulated::Subsets),
        (_, Ok(setting)) if (1..=5).contains(&setting) => Ok(Simulated::Factors(setting)),
        _ => Err("must be from 1 to 5, `subsets` or `images`".to_owned()),
    }
}

/// `cithara simulate`.
#[derive(Debug, Args)]
pub struct SimulateArguments {
    /// The setting, 1 to 5, those of the paper; or `subsets`: three modalities with a factor for each of the seven subsets of
    /// them; or `images`: nuclei in two panels, with a stain of DNA and one of the two proteins of the panel.
    #[arg(value_parser = simulated)]
    pub setting: Simulated,
    /// The file to be made (.h5mu), or, for `images`, the folder.
    pub out: PathBuf,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Cells.
    #[arg(long, default_value_t = 2048)]
    pub cells: usize,
    /// Overwrite the file if it exists.
    #[arg(long)]
    pub force: bool,
}

/// `cithara plugins …`.
#[derive(Debug, Subcommand)]
pub enum PluginsCommand {
    /// All components, by role.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// What a component does, its keys with types, defaults and ranges, an example.
    Describe {
        /// Name of the component.
        name: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write the reference pages of all components, and the JSON Schema of a spec, into a folder.
    Reference {
        /// The folder; pages of components that are no more go.
        folder: PathBuf,
    },
    /// Make a crate for a new assay: modality, decoder, loss, tests.
    New(NewPluginArguments),
    /// Compile a crate of components into a file that `--plugin` and specs can name.
    Build(BuildPluginArguments),
    /// Say what a compiled plugin is and declares, or why it would not load.
    Check {
        /// The compiled plugin.
        library: PathBuf,
    },
}

/// `cithara plugins new`.
#[derive(Debug, Args)]
pub struct NewPluginArguments {
    /// Name of the assay: lower-case letters, digits and `_`.
    pub name: String,
    /// The folder to be made; default the name.
    #[arg(long)]
    pub folder: Option<PathBuf>,
    /// The checkout that this program was compiled from, where it has moved.
    #[arg(long, value_name = "FOLDER")]
    pub cithara: Option<PathBuf>,
}

/// `cithara plugins build`.
#[derive(Debug, Args)]
pub struct BuildPluginArguments {
    /// The folder of the crate.
    pub folder: PathBuf,
    /// The checkout that this program was compiled from, where it has moved.
    #[arg(long, value_name = "FOLDER")]
    pub cithara: Option<PathBuf>,
}

/// `cithara schema`.
#[derive(Debug, Args)]
pub struct SchemaArguments {
    /// That of ablations.
    #[arg(long)]
    pub ablation: bool,
    /// Write to a file.
    #[arg(long)]
    pub out: Option<PathBuf>,
}

/// `cithara doctor`.
#[derive(Debug, Args)]
pub struct DoctorArguments {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}
