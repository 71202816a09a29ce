//! `cithara ablate …` and `cithara compare`.

use super::positive;
use clap::{Args, Subcommand, ValueEnum};
use registry::Paper;
use std::path::PathBuf;

/// `cithara ablate`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(
    after_help = "Every variant is run with every seed, each in a process of its own; stopped at any moment, the same command goes on.\n\
A spec of variants:\n\n  [ablation]\n  base = \"cite.toml\"\n  metric = [\"rna_to_protein.pearson\", \"probe.shared.cell_type\"]\n  \
margin = { \"rna_to_protein.pearson\" = 0.01 }\n  [ablation.variant.no_shared_decoders]\n  set = { \"model.shared_decoders\" = false }\n  \
[ablation.axis]\n  \"model.shared\" = [10, 50, 100]"
)]
pub struct AblateArguments {
    /// What to do instead of running.
    #[command(subcommand)]
    pub command: Option<AblateCommand>,
    /// The ablation (TOML); with `--paper`, a spec.
    #[arg(required = true)]
    pub file: Option<PathBuf>,
    /// Run the ablations of a paper with a spec as their base.
    #[arg(long, value_enum)]
    pub paper: Option<PaperArgument>,
    /// Replace a value of the base spec in every variant: `--set data.path=cells.h5mu`. May be given again.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Seeds, in place of those of the file: `--seeds 0,1,2`.
    #[arg(long, value_delimiter = ',', value_name = "SEED,…")]
    pub seeds: Vec<u64>,
    /// Metrics, in place of those of the file. May be given again.
    #[arg(long, value_name = "NAME")]
    pub metric: Vec<String>,
    /// The difference up to which variants count as equivalent: `--margin rna_to_protein.pearson=0.01`. May be given again.
    #[arg(long, value_name = "METRIC=NUMBER", value_parser = margin)]
    pub margin: Vec<(String, f64)>,
    /// The folder; default `runs/NAME`.
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Runs at once; threads are shared among them.
    #[arg(long, default_value_t = 1, value_parser = positive)]
    pub jobs: usize,
    /// Threads of all runs together; default those of the machine.
    #[arg(long, value_parser = positive)]
    pub threads: Option<usize>,
    /// Memory of all runs together, such as `16GB`; runs wait for their predicted share of it.
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub max_memory: Option<u64>,
    /// Only runs of this variant, or with `VARIANT/SEED` that one. May be given again.
    #[arg(long, value_name = "VARIANT[/SEED]")]
    pub only: Vec<String>,
    /// Run what failed before again.
    #[arg(long)]
    pub retry_failed: bool,
    /// Run again what was run with another spec.
    #[arg(long)]
    pub force: bool,
    /// Print the grid, and run nothing.
    #[arg(long, conflicts_with = "emit")]
    pub dry_run: bool,
    /// Write the runs for another engine instead of running them.
    #[arg(long, value_enum)]
    pub emit: Option<Engine>,
    /// Print the comparison as JSON.
    #[arg(long)]
    pub json: bool,
}

/// What else `cithara ablate` does.
#[derive(Debug, Subcommand)]
pub enum AblateCommand {
    /// Gather what has been run, wherever it was run, into one comparison.
    Collect(CollectArguments),
}

/// `cithara ablate collect`.
#[derive(Debug, Args)]
pub struct CollectArguments {
    /// The folder of the ablation.
    pub folder: PathBuf,
    /// Print the comparison as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Whose ablations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PaperArgument {
    /// Zhang et al. 2026: no shared decoders, no specific spaces, one-step training, squared error, shared widths.
    Apollo,
    /// Schuster et al. 2024: one component, no covariates, one modality, shares of the training cells.
    Dgd,
}

impl From<PaperArgument> for Paper {
    fn from(argument: PaperArgument) -> Paper {
        match argument {
            PaperArgument::Apollo => Paper::Apollo,
            PaperArgument::Dgd => Paper::Dgd,
        }
    }
}

/// An engine that runs many commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// An array job.
    Slurm,
    /// A Snakefile.
    Snakemake,
    /// One command per line, for any scheduler.
    Commands,
}

/// `cithara compare`.
#[derive(Debug, Args)]
#[command(
    after_help = "Runs whose specs differ in nothing but the seed are one variant; the variant of the first run is what the others are compared with."
)]
pub struct CompareArguments {
    /// Run directories, those of the base first.
    #[arg(required = true, num_args = 2..)]
    pub runs: Vec<PathBuf>,
    /// What is compared; predictions and probes of the first run where none is given. May be given again.
    #[arg(long, value_name = "NAME")]
    pub metric: Vec<String>,
    /// The difference up to which variants count as equivalent: `--margin rna_to_protein.pearson=0.01`. May be given again.
    #[arg(long, value_name = "METRIC=NUMBER", value_parser = margin)]
    pub margin: Vec<(String, f64)>,
    /// A metric that is better the lower it is, beside those that are errors or costs. May be given again.
    #[arg(long, value_name = "NAME")]
    pub lower_is_better: Vec<String>,
    /// Compare although the runs have other data.
    #[arg(long)]
    pub other_data: bool,
    /// Compare although runs of one seed have other cells to be judged by.
    #[arg(long)]
    pub other_split: bool,
    /// Write `ablation.csv`, `ablation.json` and `report.html` into this folder.
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Print the comparison as JSON.
    #[arg(long)]
    pub json: bool,
}

fn margin(text: &str) -> Result<(String, f64), String> {
    let (name, number) = text.split_once('=').ok_or("write it as `METRIC=NUMBER`")?;
    let margin: f64 = number.trim().parse().map_err(|_| format!("`{number}` is not a number"))?;
    let usable = margin > 0.0 && margin.is_finite();
    if usable { Ok((name.trim().to_owned(), margin)) } else { Err("a margin must be above 0".to_owned()) }
}

/// A size such as `16GB`, `500M` or `2GiB`, in bytes.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let number: f64 = text[..end].parse().map_err(|_| "write it as `16GB`".to_owned())?;
    let unit = match text[end..].trim().to_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "t" | "tb" => 1e12,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        "gib" => 1024.0 * 1024.0 * 1024.0,
        other => return Err(format!("`{other}` is no unit; use kB, MB, GB, TB, MiB or GiB")),
    };
    let bytes = number * unit;
    if bytes >= 1.0 { Ok(bytes as u64) } else { Err("must be above 0".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!((bytes("16GB"), bytes("1.5 MiB"), bytes("7")), (Ok(16_000_000_000), Ok(1_572_864), Ok(7)));
        assert!(bytes("GB").is_err() && bytes("0").is_err() && bytes("3 parsecs").unwrap_err().contains("parsecs"));
    }

    #[test]
    fn margins_are_above_nothing() {
        assert_eq!(margin("a.b=0.01"), Ok(("a.b".to_owned(), 0.01)));
        assert!(margin("a.b").is_err() && margin("a=-1").is_err() && margin("a=x").is_err());
    }
}
