//! Simulated nuclei in two panels: proteins that were never stained are predicted, and what only a protein shows is in its own
//! space.

use anndata::File;
use cli::simulate::{PROTEINS, SIDE, SimulatedNuclei, simulate_nuclei};
use framework::data::Subset;
use framework::run::RunDirectory;
use std::path::Path;
use tch::{Device, Kind, Tensor};
use tests_support::{example, run_to};

const N_CELLS: usize = 1024;
const N_PIXELS: usize = SIDE * SIDE;

/// A trained run of the example, on fewer cells.
struct Panels {
    folder: tempfile::TempDir,
    simulated: SimulatedNuclei,
    subsets: Vec<Subset>,
}

impl Panels {
    fn new() -> Panels {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        run_to(0, path, &["simulate", "images", "panels", "--cells", &N_CELLS.to_string()]);
        let again = run_to(2, path, &["simulate", "images", "panels"]);
        assert!(again.contains("`panels/cells.h5mu` exists already"), "{again}");
        std::fs::write(path.join("spec.toml"), std::fs::read_to_string(example("simulated_panels.toml")).unwrap())
            .unwrap();
        run_to(0, path, &["-q", "run", "spec.toml", "--out", "run", "--no-controls"]);
        let cells = RunDirectory::open(&path.join("run")).unwrap().read_cells().unwrap();
        let expected: Vec<String> = (0..N_CELLS).map(|cell| cell.to_string()).collect();
        assert!(cells.names.iter().zip(&expected).all(|(name, number)| name.ends_with(number)), "{:?}", cells.names[1]);
        Panels { folder, simulated: simulate_nuclei(N_CELLS, 1), subsets: cells.subsets }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Cells of a subset of which something is true.
    fn cells(&self, subset: Subset, holds: impl Fn(usize) -> bool) -> Vec<usize> {
        (0..N_CELLS).filter(|&cell| self.subsets[cell] == subset && holds(cell)).collect()
    }

    /// A stain of a cell, from 0 to 1: 0 DNA, 1 the protein, 2 the other one of its panel.
    fn stain(&self, cell: usize, stain: usize) -> impl Iterator<Item = f32> {
        self.simulated.pixels[(3 * cell + stain) * N_PIXELS..][..N_PIXELS].iter().map(|pixel| f32::from(*pixel) / 255.0)
    }

    /// A number of the evaluation: section and protein, method, metric.
    fn judged(&self, (section, protein): (&str, &str), method: &str, metric: &str) -> f64 {
        let table = std::fs::read_to_string(self.path().join("run/evaluation.tsv")).unwrap();
        let start = format!("{section}\tdna\tprotein\tprotein={protein}\t{method}\t");
        let line = table.lines().find(|line| line.starts_with(&start) && line.contains(&format!("\t{metric}\t")));
        let line = line.unwrap_or_else(|| panic!("no {metric} of {start}: {table}"));
        line.split('\t').nth(7).unwrap().parse().unwrap()
    }

    /// All cells' images of a protein, predicted from their DNA.
    fn predicted(&self, protein: &str) -> Vec<f32> {
        let condition = format!("protein={protein}");
        let words = ["-q", "predict", "run", "panels/cells.h5mu", "--from", "dna", "--to", "protein", "--force"];
        run_to(0, self.path(), &[&words[..], &["--out", "predicted.h5mu", "--condition", &condition]].concat());
        let file = File::open(self.path().join("predicted.h5mu")).unwrap();
        file.modality("dna").unwrap().obsm(&format!("predicted_protein_{protein}")).unwrap().values
    }

    /// Correlation of a number of each cell with what a linear map of rows, one for each protein, tells of it in test cells.
    fn told(&self, modality: &str, space: &str, number: impl Fn(usize) -> f64) -> f64 {
        let file = File::open(self.path().join("run/annotated.h5mu")).unwrap();
        let rows = file.modality(modality).unwrap().obsm(&format!("X_apollo_{space}")).unwrap();
        let n = rows.n_columns + 1;
        let of = |cells: &[usize]| {
            let mut read = vec![0f64; cells.len() * n * PROTEINS.len()];
            for (row, &cell) in read.chunks_mut(n * PROTEINS.len()).zip(cells) {
                let own = &mut row[n * self.simulated.nuclei[cell].protein..][..n];
                own.iter_mut().zip(rows.row(cell).iter().chain(&[1.0])).for_each(|(to, from)| *to = f64::from(*from));
            }
            let numbers: Vec<f64> = cells.iter().map(|&cell| number(cell)).collect();
            (Tensor::from_slice(&read).view([cells.len() as i64, -1]), Tensor::from_slice(&numbers))
        };
        let (training, known) = of(&self.cells(Subset::Training, |_| true));
        let (test, wanted) = of(&self.cells(Subset::Test, |_| true));
        let penalty = Tensor::eye(training.size()[1], (Kind::Double, Device::Cpu));
        let weights =
            Tensor::linalg_solve(&(training.tr().matmul(&training) + penalty), &training.tr().mv(&known), true);
        Tensor::stack(&[test.mv(&weights), wanted], 0).corrcoef().double_value(&[0, 1])
    }
}

fn rmse(pairs: impl Iterator<Item = (f32, f32)>) -> f64 {
    let (sum, n) = pairs.fold((0.0, 0.0), |(sum, n), (a, b)| (sum + f64::from(a - b).powi(2), n + 1.0));
    f64::sqrt(sum / n)
}

#[test]
fn unstained_proteins_are_predicted_and_foci_are_in_the_space_of_the_protein() {
    let panels = Panels::new();
    run_to(0, panels.path(), &["-q", "evaluate", "run"]);
    for (protein, (name, _)) in PROTEINS.iter().enumerate() {
        let nuclei = &panels.simulated.nuclei;
        let stained = panels.cells(Subset::Training, |cell| nuclei[cell].protein == protein);
        let mut mean = vec![0f32; N_PIXELS];
        for &cell in &stained {
            mean.iter_mut().zip(panels.stain(cell, 1)).for_each(|(sum, pixel)| *sum += pixel / stained.len() as f32);
        }
        // cells whose panel has the protein, but which were stained for the other one
        let unstained = panels.cells(Subset::Test, |cell| nuclei[cell].other == protein);
        let predicted = panels.predicted(name);
        let of = |cell: usize| predicted[cell * N_PIXELS..][..N_PIXELS].iter().copied().zip(panels.stain(cell, 2));
        let model = rmse(unstained.iter().flat_map(|&cell| of(cell)));
        let control = rmse(unstained.iter().flat_map(|&cell| mean.iter().copied().zip(panels.stain(cell, 2))));
        assert!(model < 0.9 * control, "{name}: {model} is not well below {control}, the mean image");
        // the evaluation says the same, and that the model also beats other controls
        let judged = |method: &str, metric: &str| panels.judged(("image_prediction_unshown", name), method, metric);
        let near = |mse: f64, rmse: f64| (mse.sqrt() - rmse).abs() < 1e-5;
        assert!(near(judged("model", "mse"), model) && near(judged("mean_image", "mse"), control), "{name}");
        for other in ["mean_image", "random_cell", "nearest_cell"] {
            assert!(judged("model", "mse") < judged(other, "mse"), "{name}: {other}");
        }
        assert!(judged("model", "ssim") > judged("random_cell", "ssim"), "{name}");
        // of the cells that were stained for it, too
        let shown = |method: &str| panels.judged(("image_prediction", name), method, "mse");
        assert!(shown("model") < 0.81 * shown("mean_image"), "{name}");
    }
    let foci = |cell: usize| f64::from(panels.simulated.nuclei[cell].n_foci);
    let area = |cell: usize| panels.simulated.nuclei[cell].area();
    let (own, shared, dna) = (
        panels.told("protein", "protein", foci),
        panels.told("protein", "shared", foci),
        panels.told("dna", "shared", foci),
    );
    assert!(own > 0.5 && own > shared + 0.25 && dna.abs() < 0.3, "foci: {own}, {shared}, {dna}");
    let (shared, dna) = (panels.told("protein", "shared", area), panels.told("dna", "shared", area));
    assert!(shared > 0.9 && dna > 0.9, "area: {shared}, {dna}");
}
