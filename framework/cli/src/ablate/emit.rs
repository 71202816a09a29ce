//! A study for another engine: an array job, a Snakefile, or a command per line. All paths are relative to the study's folder,
//! and `cithara` is looked for where `CITHARA` says, else on the `PATH`.

use super::schedule::{ALWAYS, OF_VARIANTS};
use super::study::PREPARED;
use super::study::{Cell, Folder};
use anyhow::Result;
use framework::run::write_atomically;
use registry::BASE;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Name of the file with a command per line.
const COMMANDS: &str = "commands.txt";

/// What a run may use.
#[derive(Debug, Clone, Copy)]
pub struct Resources {
    /// Threads.
    pub n_threads: usize,
    /// Predicted peak memory.
    pub memory_bytes: Option<u64>,
}

/// Writes one command per line.
///
/// # Errors
/// When the file cannot be written.
pub fn commands(folder: &Folder, cells: &[Cell], resources: Resources) -> Result<PathBuf> {
    let mut text = String::new();
    for cell in cells {
        let _ = writeln!(text, "{}", command(folder, *cell, resources.n_threads));
    }
    write(folder, COMMANDS, &text)
}

/// Writes an array job, and the commands that its tasks run.
///
/// # Errors
/// When a file cannot be written.
pub fn slurm(folder: &Folder, cells: &[Cell], resources: Resources) -> Result<PathBuf> {
    commands(folder, cells, resources)?;
    let name = &folder.study.name;
    let last = cells.len().saturating_sub(1);
    let memory = resources.memory_bytes.map(|bytes| format!("#SBATCH --mem={}M\n", megabytes(bytes)));
    let text = format!(
        "#!/bin/bash\n\
         # Submit it in this folder: sbatch array.sbatch; then: cithara ablate collect .\n\
         #SBATCH --job-name={name}\n\
         #SBATCH --array=0-{last}\n\
         #SBATCH --cpus-per-task={n_threads}\n\
         {memory}\
         #SBATCH --output=logs/slurm-%A_%a.out\n\
         cd \"${{SLURM_SUBMIT_DIR:-.}}\" || exit 1\n\
         command=$(sed -n \"$((SLURM_ARRAY_TASK_ID + 1))p\" {COMMANDS})\n\
         eval \"$command\"\n",
        n_threads = resources.n_threads,
        memory = memory.unwrap_or_default(),
    );
    write(folder, "array.sbatch", &text)
}

/// Writes a Snakefile that runs every cell and gathers them.
///
/// # Errors
/// When the file cannot be written.
pub fn snakemake(folder: &Folder, cells: &[Cell], resources: Resources) -> Result<PathBuf> {
    let list: Vec<String> = (cells.iter())
        .map(|cell| format!("    (\"{}\", {}),\n", folder.study.variants[cell.variant].name, cell.seed))
        .collect();
    let memory = resources.memory_bytes.map(|bytes| format!("    resources: mem_mb={}\n", megabytes(bytes)));
    let text = format!(
        "# Run it in this folder: snakemake --cores 2 --keep-going; gathered at the end, or by: cithara ablate collect .\n\
         import os\n\n\
         CITHARA = os.environ.get(\"CITHARA\", \"cithara\")\n\
         CELLS = [\n{list}]\n\n\
         rule all:\n    input: \"ablation.json\"\n\n\
         rule collect:\n    \
             input: [f\"cells/{{variant}}/seed-{{seed}}/evaluation.tsv\" for variant, seed in CELLS]\n    \
             output: \"ablation.json\", \"ablation.csv\", \"report.html\"\n    \
             shell: \"{{CITHARA}} --quiet ablate collect .\"\n\n\
         rule run:\n    \
             input: \"specs/{{variant}}.toml\"\n    \
             output: \"cells/{{variant}}/seed-{{seed}}/evaluation.tsv\"\n    \
             log: \"logs/{{variant}}.seed-{{seed}}.log\"\n    \
             wildcard_constraints: seed=\"[0-9]+\", variant=\"[^/]+\"\n    \
             params: controls=lambda wildcards: \"\" if wildcards.variant == \"{BASE}\" else \"{OF_VARIANTS}\"\n    \
             threads: {n_threads}\n\
         {memory}    \
             shell:\n        \
                 \"rm -f logs/{{wildcards.variant}}.seed-{{wildcards.seed}}.failed; \"\n        \
                 \"OMP_NUM_THREADS={{threads}} RAYON_NUM_THREADS={{threads}} {{CITHARA}} run {{input}} --set seed={{wildcards.seed}} \"\n        \
                 \"--out cells/{{wildcards.variant}}/seed-{{wildcards.seed}} --force {ALWAYS} --prepared {PREPARED} {{params.controls}} > /dev/null 2> {{log}} || \"\n        \
                 \"{{{{ code=$?; echo \\\"exit status: $code\\\" > logs/{{wildcards.variant}}.seed-{{wildcards.seed}}.failed; exit $code; }}}}\"\n",
        list = list.concat(),
        n_threads = resources.n_threads,
        memory = memory.unwrap_or_default(),
    );
    write(folder, "Snakefile", &text)
}

/// The command of a cell; its exit code stays in a file where it fails.
fn command(folder: &Folder, cell: Cell, n_threads: usize) -> String {
    let spec = folder.spec(cell.variant).display().to_string();
    let (run, seed) = (folder.run(cell).display().to_string(), cell.seed);
    let log = |ending: &str| folder.log(cell, ending).display().to_string();
    let (log, failed) = (log("log"), log("failed"));
    let controls = if cell.variant > 0 { OF_VARIANTS } else { "" };
    format!(
        "rm -f {failed}; OMP_NUM_THREADS={n_threads} RAYON_NUM_THREADS={n_threads} \"${{CITHARA:-cithara}}\" run {spec} --set seed={seed} \
         --out {run} --force {ALWAYS} --prepared {PREPARED} {controls} > /dev/null 2> {log} || {{ code=$?; echo \"exit status: $code\" > {failed}; (exit $code); }}"
    )
}

/// What is asked for a run, in megabytes: half as much again as predicted, for engines that end what takes more.
fn megabytes(bytes: u64) -> u64 {
    (bytes + bytes / 2).div_ceil(1_000_000)
}

fn write(folder: &Folder, name: &str, text: &str) -> Result<PathBuf> {
    let path = folder.path().join(name);
    write_atomically(&path, text.as_bytes())?;
    Ok(path)
}
