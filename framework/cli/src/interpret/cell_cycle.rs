//! How far along the cell cycle cells are: scores of genes of the S phase and of G2 and M.

use super::features::FeatureTable;
use super::knowledge::NumberColumn;
use analysis::{GeneScoreSpec, Matrix, control_genes, gene_score};
use anyhow::Result;
use framework::TargetValues;
use framework::data::Dataset;
use framework::infer::Trained;
use framework::spec::Experiment;
use std::collections::HashMap;
use tch::Kind;

/// Fewer genes of either phase make no score.
pub const MIN_GENES: usize = 10;

/// Genes of the S phase (Tirosh et al. 2016, Science 352:189), and what some are called now.
const S: &str = "MCM5 PCNA TYMS FEN1 MCM2 MCM4 RRM1 UNG GINS2 MCM6 CDCA7 DTL PRIM1 UHRF1 MLF1IP/CENPU HELLS RFC2 RPA2 NASP \
    RAD51AP1 GMNN WDR76 SLBP CCNE2 UBR7 POLD3 MSH2 ATAD2 RAD51 RRM2 CDC45 CDC6 EXO1 TIPIN DSCC1 BLM CASP8AP2 USP1 CLSPN POLA1 \
    CHAF1B BRIP1 E2F8";
/// Genes of G2 and M, of the same source.
const G2M: &str = "HMGB2 CDK1 NUSAP1 UBE2C BIRC5 TPX2 TOP2A NDC80 CKS2 NUF2 CKS1B MKI67 TMPO CENPF TACC3 FAM64A/PIMREG SMC4 \
    CCNB2 CKAP2L CKAP2 AURKB BUB1 KIF11 ANP32E TUBB4B GTSE1 KIF20B HJURP CDCA3 HN1/JPT1 CDC20 TTK CDC25C KIF2C RANGAP1 NCAPD2 \
    DLGAP5 CDCA2 CDCA8 ECT2 KIF23 HMMR AURKA PSRC1 ANLN LBR CKAP5 CENPE CTCF NEK2 G2E3 GAS2L3 CBX5 CENPA";

/// The genes of both phases among the features of a modality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhaseGenes {
    s: Vec<usize>,
    g2m: Vec<usize>,
}

impl PhaseGenes {
    /// Looks for the genes by their names in capitals: human symbols are found among those of mouse, too.
    pub fn among(names: &[String]) -> PhaseGenes {
        let mut places: HashMap<String, usize> = HashMap::new();
        for (place, name) in names.iter().enumerate() {
            places.entry(name.to_uppercase()).or_insert(place);
        }
        let find = |list: &str| -> Vec<usize> {
            let of_gene = |gene: &str| gene.split('/').find_map(|name| places.get(name).copied());
            list.split_whitespace().filter_map(of_gene).collect()
        };
        PhaseGenes { s: find(S), g2m: find(G2M) }
    }

    /// Whether there are enough of both phases.
    pub fn are_enough(&self) -> bool {
        self.s.len().min(self.g2m.len()) >= MIN_GENES
    }

    /// Words for why there is no score.
    pub fn too_few(&self, modality: &str) -> String {
        format!(
            "no cell-cycle scores of {modality}: {} of {} genes of the S phase and {} of {} of G2 and M are among its features; at \
             least {MIN_GENES} of each are needed",
            self.s.len(),
            S.split_whitespace().count(),
            self.g2m.len(),
            G2M.split_whitespace().count()
        )
    }

    /// `cell_cycle/S` and `cell_cycle/G2M` of the cells that the rows of a matrix are of, beside nothing for other cells: the mean
    /// of the phase's genes less that of controls of like expression, as `score_genes_cell_cycle` of scanpy.
    ///
    /// # Errors
    /// When no control gene can be drawn.
    fn scores(&self, matrix: &Matrix<'_>, (cells, n_cells): (&[usize], usize), seed: u64) -> Result<Vec<NumberColumn>> {
        let rows: Vec<usize> = (0..cells.len()).collect();
        let means = Vec::<f64>::try_from(matrix.column_means(&rows)?.0.to_kind(Kind::Double).contiguous().view(-1))?;
        let n_controls = self.s.len().min(self.g2m.len());
        let spec = GeneScoreSpec { n_controls, seed, ..GeneScoreSpec::default() };
        let score = |(phase, genes): (&str, &[usize])| -> Result<NumberColumn> {
            let scores = gene_score(matrix, genes, &control_genes(&means, genes, spec)?)?;
            let mut of_cell = vec![None; n_cells];
            cells.iter().zip(scores).for_each(|(&cell, score)| of_cell[cell] = Some(score));
            Ok((format!("cell_cycle/{phase}"), of_cell))
        };
        [("S", self.s.as_slice()), ("G2M", self.g2m.as_slice())].into_iter().map(score).collect()
    }
}

/// The scores of each modality that counts and has enough genes of both phases, and why others that count RNA have none. Names
/// of a second one's scores start with its name.
///
/// # Errors
/// When rows cannot be read.
pub fn cell_cycle_scores(
    trained: &Trained,
    experiment: &Experiment,
    dataset: &Dataset,
) -> Result<(Vec<NumberColumn>, Vec<String>)> {
    let (mut scores, mut notes): (Vec<NumberColumn>, Vec<String>) = (Vec::new(), Vec::new());
    for (place, assay) in dataset.assays.iter().enumerate() {
        if assay.modality.check_target(TargetValues::Counts).is_err() {
            continue;
        }
        let genes = PhaseGenes::among(assay.modality.features());
        let is_rna = experiment.modalities.get(&assay.name).is_some_and(|entry| entry.spec.typetag_name() == "rna");
        if !genes.are_enough() {
            notes.extend(is_rna.then(|| genes.too_few(&assay.name)));
            continue;
        }
        let Some(table) = FeatureTable::of_modality((trained, experiment), dataset, place)? else { continue };
        let mut own = genes.scores(&table.matrix()?, (&table.cells, dataset.cells.len()), experiment.seed)?;
        if !scores.is_empty() {
            own.iter_mut().for_each(|(name, _)| *name = format!("{}: {name}", assay.name));
        }
        scores.extend(own);
    }
    Ok((scores, notes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lists_are_whole() {
        let of = |list: &str| list.split_whitespace().collect::<std::collections::BTreeSet<_>>().len();
        assert_eq!((of(S), of(G2M)), (43, 54));
    }

    #[test]
    fn genes_are_found_in_mouse_and_under_their_new_names() {
        let names = ["Actb", "Pcna", "CENPU", "Jpt1", "Mki67", "PCNA"].map(str::to_owned);
        let found = PhaseGenes::among(&names);
        assert_eq!(found, PhaseGenes { s: vec![1, 2], g2m: vec![4, 3] });
        assert!(!found.are_enough());
        let text = found.too_few("rna");
        assert!(text.contains("2 of 43 genes of the S phase and 2 of 54 of G2 and M"), "{text}");
        let names: Vec<String> = S.split(' ').chain(G2M.split(' ')).map(str::to_lowercase).collect();
        assert!(PhaseGenes::among(&names).are_enough());
    }

    #[test]
    fn phases_are_told_apart() {
        // 200 genes, all at 1 but for the second and third of three cells, where one phase's are at 3
        let phases = PhaseGenes { s: (0..12).collect(), g2m: (20..35).collect() };
        let mut values = [1f32; 3 * 200];
        (0..12).for_each(|gene| values[200 + gene] = 3.0);
        (20..35).for_each(|gene| values[400 + gene] = 3.0);
        let matrix = Matrix::dense(&tch::Tensor::from_slice(&values).view([3, 200])).unwrap();
        let found = phases.scores(&matrix, (&[0, 2, 3], 4), 0).unwrap();
        let rounded = |column: &NumberColumn| -> Vec<Option<f64>> {
            column.1.iter().map(|score| score.map(|score| score.round())).collect()
        };
        assert_eq!((found[0].0.as_str(), found[1].0.as_str()), ("cell_cycle/S", "cell_cycle/G2M"));
        // controls of the bin of either phase are genes of the other, in part
        assert_eq!(rounded(&found[0])[..2], [Some(0.0), None]);
        assert!(found[0].1[2] > Some(0.5) && found[0].1[3] < Some(0.5) && found[1].1[3] > Some(0.5));
    }
}
