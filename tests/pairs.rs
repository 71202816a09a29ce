//! Cells of panels cut from fields: pairs of a cell and a protein, or one protein of each, learned from by a conditional model.

use anndata::File;
use framework::TargetValues;
use framework::data::{Subset, open_images};
use framework::run::RunDirectory;
use framework::{Features, Modality};
use framework::{Holding, Source};
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::path::Path;
use tests_support::{blocks, repository, run_to};

const SIDE: usize = 64;
/// Fields; the first twenty are of the panel {gh2ax, lamin}, the others of {cd3}.
const N_FIELDS: usize = 24;
const N_OF_TWO: usize = 20;

const CUT: &str = "[fields]\ntable = \"fields.csv\"\nname = \"{field}\"\n[fields.channels.dna]\ncolumn = \"dna\"\n\
    [fields.channels.gh2ax]\ncolumn = \"gh2ax\"\nmay_be_missing = true\n\
    [fields.channels.lamin]\ncolumn = \"lamin\"\nmay_be_missing = true\n\
    [fields.channels.cd3]\ncolumn = \"cd3\"\nmay_be_missing = true\n\
    [fields.mask]\npattern = \"mask.npy\"\n[crops]\nside = 16\n[proteins]\nchannels = [\"gh2ax\", \"lamin\", \"cd3\"]\n";

const SPEC: &str = "spec_version = 1\nname = \"pairs\"\nseed = 1\n[data]\npath = \"each/cells.h5mu\"\n\
    [modality.dna]\nkind = \"chromatin_image\"\n[modality.protein]\nkind = \"protein_image\"\n\
    [condition.protein]\ncolumn = \"protein\"\nn_dims = 4\n[model]\nshared = 4\nspecific = 2\n\
    [fit]\nn_threads = 1\nlatent = { n_epochs = 2, minibatch = 16 }\nencoders = { n_epochs = 2, minibatch = 16 }\n";

fn npy(values: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({SIDE}, {SIDE}), }}");
    header.push_str(&" ".repeat(63 - (10 + header.len()) % 64));
    header.push('\n');
    [b"\x93NUMPY\x01\x00".as_slice(), &(header.len() as u16).to_le_bytes(), header.as_bytes(), values].concat()
}

/// Two discs, numbered 1 and 2.
fn label(place: usize) -> u8 {
    let near = |(row, column): (i32, i32)| {
        let (y, x) = ((place / SIDE) as i32 - row, (place % SIDE) as i32 - column);
        y * y + x * x < 36
    };
    [(20, 20), (40, 44)].into_iter().position(near).map_or(0, |disc| disc as u8 + 1)
}

/// Fields of two panels, each image with brightnesses of its own.
fn fields(folder: &Path) {
    let mut table = "field,donor,dna,gh2ax,lamin,cd3\n".to_owned();
    let labels: Vec<u8> = (0..SIDE * SIDE).map(label).collect();
    std::fs::write(folder.join("mask.npy"), npy(&labels)).unwrap();
    for field in 0..N_FIELDS {
        let stains: &[&str] = if field < N_OF_TWO { &["dna", "gh2ax", "lamin"] } else { &["dna", "cd3"] };
        let mut files: HashMap<&str, String> = HashMap::new();
        for (place, stain) in stains.iter().enumerate() {
            let bright =
                |at: usize| labels[at] * (80 + 9 * place as u8) + ((at * (field + 3) * (place + 2)) % 50) as u8;
            let pixels: Vec<u8> = (0..SIDE * SIDE).map(bright).collect();
            let name = format!("{stain}-{field}.npy");
            std::fs::write(folder.join(&name), npy(&pixels)).unwrap();
            files.insert(stain, name);
        }
        let file = |stain: &str| files.get(stain).cloned().unwrap_or_default();
        let (dna, gh2ax, lamin, cd3) = (file("dna"), file("gh2ax"), file("lamin"), file("cd3"));
        writeln!(table, "F{field:02},D{},{dna},{gh2ax},{lamin},{cd3}", field % 4).unwrap();
    }
    std::fs::write(folder.join("fields.csv"), table).unwrap();
}

fn column(file: &File, modality: &str, name: &str) -> Vec<String> {
    let labels = file.modality(modality).unwrap().obs().labels(name).unwrap_or_else(|| panic!("no column `{name}`"));
    labels.into_iter().map(|label| label.expect("a value")).collect()
}

/// Pixels of the rows of a modality of a file of cells.
fn pixels(path: &Path, modality: &str) -> (Vec<String>, Vec<Vec<f32>>) {
    let source = Source { name: modality, path, key: None, table: None, holding: Holding::default() };
    let opened = open_images(&source, &[]).unwrap();
    let rows: Vec<usize> = (0..opened.cells().len()).collect();
    let Features::Dense(images) = opened.gather(&rows, TargetValues::UnitInterval).unwrap().input else {
        panic!("images are dense")
    };
    let values = Vec::<f32>::try_from(images.flatten(0, -1)).unwrap();
    (opened.cells().to_vec(), values.chunks(256).map(<[f32]>::to_vec).collect())
}

#[test]
fn each_cell_and_protein_is_an_observation_and_no_crop_is_stored_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fields(path);
    std::fs::write(path.join("plate.toml"), CUT).unwrap();
    let text = run_to(0, path, &["cut", "plate.toml", "--out", "each"]);
    assert!(text.contains("88 observations of 48 cells: dna (88), protein (88)"), "{text}");
    assert!(text.contains("`group_by = \"cell\"`"), "{text}");
    let file = File::open(path.join("each/cells.h5mu")).unwrap();
    assert_eq!(file.modalities().unwrap(), ["dna", "protein"]);
    assert_eq!(file.cells()[..3], ["F00:1-gh2ax", "F00:1-lamin", "F00:2-gh2ax"]);
    assert_eq!(column(&file, "protein", "cell")[..3], ["F00:1", "F00:1", "F00:2"]);
    assert_eq!(column(&file, "protein", "donor")[3 * 4 - 1], "D2");
    let features = file.modality("protein").unwrap().features().len();
    assert!(features > 10 && file.modality("dna").unwrap().features().len() > features, "shapes stand with the DNA");

    // the same with every channel by itself: pixels are the same, and so is the store of crops
    let apart = CUT.split("[proteins]").next().unwrap();
    std::fs::write(path.join("apart.toml"), apart).unwrap();
    run_to(0, path, &["-q", "cut", "apart.toml", "--out", "apart"]);
    let length = |name: &str| std::fs::metadata(path.join(name).join("crops.cells")).unwrap().len();
    assert_eq!(length("each"), length("apart"));
    let (names, paired) = pixels(&path.join("each/cells.h5mu"), "protein");
    let own: HashMap<&str, HashMap<String, Vec<f32>>> = ["gh2ax", "lamin", "cd3", "dna"]
        .into_iter()
        .map(|channel| {
            let (cells, images) = pixels(&path.join("apart/cells.h5mu"), channel);
            (channel, cells.into_iter().zip(images).collect())
        })
        .collect();
    for (name, image) in names.iter().zip(&paired) {
        let (cell, protein) = name.split_once('-').unwrap();
        assert_eq!(&own[protein][cell], image, "{name}");
    }
    let (names, chromatin) = pixels(&path.join("each/cells.h5mu"), "dna");
    assert!(names.iter().zip(&chromatin).all(|(name, image)| &own["dna"][name.split_once('-').unwrap().0] == image));
}

#[test]
fn no_split_divides_a_cell() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fields(path);
    std::fs::write(path.join("plate.toml"), CUT).unwrap();
    run_to(0, path, &["-q", "cut", "plate.toml", "--out", "each"]);
    std::fs::write(path.join("spec.toml"), SPEC).unwrap();
    let text = run_to(2, path, &["-q", "run", "spec.toml", "--out", "divided"]);
    assert!(
        text.contains("the split divides a cell: `F") && text.contains("help: set `group_by = \"cell\"`"),
        "{text}"
    );
    for by in ["cell", "field"] {
        let spec = SPEC.replace("[modality.dna]", &format!("[data.split]\ngroup_by = \"{by}\"\n[modality.dna]"));
        std::fs::write(path.join("spec.toml"), spec).unwrap();
        run_to(0, path, &["-q", "run", "spec.toml", "--out", by, "--no-controls"]);
        let cells = RunDirectory::open(&path.join(by)).unwrap().read_cells().unwrap();
        let mut subsets: HashMap<&str, Subset> = HashMap::new();
        for (name, subset) in cells.names.iter().zip(&cells.subsets) {
            let cell = name.split_once('-').unwrap().0;
            assert_eq!(subsets.entry(cell).or_insert(*subset), subset, "{name}");
        }
        let kinds: HashSet<Subset> = subsets.into_values().collect();
        assert_eq!(kinds.len(), 3, "training, validation and test");
    }
}

#[test]
fn one_protein_of_a_cell_is_drawn_and_another_is_kept_to_judge() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fields(path);
    std::fs::write(path.join("plate.toml"), format!("{CUT}assign = \"one\"\nwithin = [\"donor\"]\nseed = 3\n"))
        .unwrap();
    let text = run_to(0, path, &["cut", "plate.toml", "--out", "one"]);
    assert!(text.contains("48 observations of 48 cells: dna (48), protein (48), other_protein (40)"), "{text}");
    assert!(!text.contains("group_by"), "{text}");
    let file = File::open(path.join("one/cells.h5mu")).unwrap();
    assert_eq!(file.cells()[..2], ["F00:1", "F00:2"]);
    let (proteins, donors) = (column(&file, "protein", "protein"), column(&file, "protein", "donor"));
    for donor in ["D0", "D1", "D2", "D3"] {
        let count = |protein: &str| (0..48).filter(|&at| donors[at] == donor && proteins[at] == protein).count();
        assert_eq!([count("gh2ax"), count("lamin"), count("cd3")], [5, 5, 2], "{donor}");
    }
    let others = column(&file, "other_protein", "other_protein");
    let shown = column(&file, "other_protein", "protein");
    assert!(others.iter().zip(&shown).all(|(other, shown)| other != shown && other != "cd3"));
    // the other protein of held-out cells is judged
    let spec = SPEC.replace("each/", "one/").replace(
        "[model]",
        "[evaluate.images.unshown.protein]\nkey = \"other_protein\"\ncondition = \"protein\"\ncolumn = \"other_protein\"\n[model]",
    );
    std::fs::write(path.join("spec.toml"), spec).unwrap();
    run_to(0, path, &["-q", "run", "spec.toml", "--out", "run"]);
    let table = std::fs::read_to_string(path.join("run/evaluation.tsv")).unwrap();
    assert!(table.contains("image_prediction_unshown\tdna\tprotein\t"), "{table}");
}

/// What the README says of proteins is understood.
#[test]
fn the_readmes_proteins_are_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fields(path);
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let block = blocks(&readme).into_iter().find(|block| block.info == "toml cut").unwrap().lines.join("\n");
    assert!(block.contains("within = [\"patient\"]"));
    let proteins = block.replace("patient", "donor").replace("\"each\"", "\"one\"");
    let apart = CUT.split("[proteins]").next().unwrap();
    std::fs::write(path.join("plate.toml"), format!("{apart}{proteins}\n")).unwrap();
    let text = run_to(0, path, &["cut", "plate.toml", "--out", "one"]);
    assert!(text.contains("48 observations of 48 cells: dna (48), protein (48), other_protein (40)"), "{text}");
}

#[test]
fn proteins_that_do_not_fit_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fields(path);
    let told = |spec: &str, words: &[&str]| {
        std::fs::write(path.join("plate.toml"), spec).unwrap();
        let text = run_to(2, path, &["cut", "plate.toml", "--out", "cut", "--force"]);
        assert!(words.iter().all(|word| text.contains(word)), "{words:?} are not all in: {text}");
    };
    told(&CUT.replace("\"cd3\"]", "\"cd4\"]"), &["names `cd4`", "channels: dna, gh2ax, lamin, cd3"]);
    told(CUT.split("channels = [").next().unwrap(), &["`proteins.channels` is left out", "name the proteins"]);
    told(&format!("{CUT}assign = \"two\"\n"), &["`proteins.assign`", "expected `each` or `one`"]);
    told(&format!("{CUT}assing = \"one\"\n"), &["unknown field `assing`"]);
    told(&format!("{CUT}assign = \"one\"\nwithin = [\"donors\"]\n"), &["`proteins.within`", "did you mean `donor`?"]);
    told(&format!("{CUT}name = \"donor\"\n"), &["has a column `donor`", "help: rename the column"]);
}
