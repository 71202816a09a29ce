//! What holds of any text: no panic, and errors at lines of the text.

use super::{TINY, read_tiny};
use proptest::prelude::*;

#[test]
fn the_example_reads_and_its_resolved_form_is_the_same_experiment() {
    let experiment = read_tiny(TINY, &[]).unwrap_or_else(|errors| panic!("{errors}"));
    let resolved = experiment.to_toml().unwrap();
    let text = toml::to_string(&resolved).unwrap();
    let again = read_tiny(&text, &[]).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    assert_eq!(again.to_toml().unwrap(), resolved);
    assert_eq!(format!("{again:?}"), format!("{experiment:?}"));
}

#[test]
fn the_resolved_form_has_every_default_filled_in() {
    let mut resolved = read_tiny(TINY, &["model.settings=published"]).unwrap().to_toml().unwrap();
    resolved.retain(|key, _| key == "modality" || key == "latent");
    let lines: Vec<String> = toml::to_string(&resolved).unwrap().lines().map(str::to_owned).collect();
    let compact = lines.join("; ").replace("; ; [", "\n[");
    insta::assert_snapshot!(compact, @r#"
    [modality.rna]; kind = "rna"; layer = "counts"; min_cells = 300; weight = 1.0
    [[modality.rna.steps]]; kind = "log_min_max"; pseudo_count = 0.5
    [[modality.rna.steps]]; kind = "highly_variable"; n = 200
    [modality.rna.encoder]; kind = "mlp"; hidden = [64, 32]; dropout = 0.01
    [modality.rna.decoder]; kind = "mlp"; hidden = [128]; dropout = 0.01
    [modality.rna.loss]; kind = "mse"
    [modality.protein]; kind = "tags"; drop = []; weight = 2.0
    [[modality.protein.steps]]; kind = "highly_variable"; n = 10
    [modality.protein.encoder]; kind = "mlp"; hidden = [128]; dropout = 0.01
    [modality.protein.decoder]; kind = "mlp"; hidden = [16]; dropout = 0.01
    [modality.protein.loss]; kind = "mse"
    [latent.shared]; dim = 8; modalities = ["rna", "protein"]; noise = 0.5
    [latent.shared.prior]; kind = "l2"; weight = 0.1
    [latent.rna]; dim = 4; modalities = ["rna"]; noise = 1.0
    [latent.rna.prior]; kind = "l2"; weight = 0.001
    [latent.protein]; dim = 4; modalities = ["protein"]; noise = 1.0
    [latent.protein.prior]; kind = "l2"; weight = 0.001
    "#);
}

#[test]
fn a_condition_is_of_all_modalities_unless_it_names_some() {
    let text = format!(
        "{TINY}\n[condition.dye]\ncolumn = \"dye\"\n[condition.plate]\ncolumn = \"p\"\nmodalities = [\"rna\"]\n"
    );
    let resolved = read_tiny(&text, &["condition.plate.encoder_table=decoders"]).unwrap().to_toml().unwrap();
    let compact = toml::to_string(&resolved["condition"]).unwrap().replace("\n\n", "\n");
    insta::assert_snapshot!(compact, @r#"
    [dye]
    column = "dye"
    n_dims = 64
    modalities = ["rna", "protein"]
    encoder_table = "separate"
    [plate]
    column = "p"
    n_dims = 64
    modalities = ["rna"]
    encoder_table = "decoders"
    "#);
    let written = toml::to_string(&resolved).unwrap();
    assert_eq!(read_tiny(&written, &[]).unwrap().to_toml().unwrap(), resolved);
}

#[test]
fn presets_give_way_to_what_the_spec_says() {
    let published = read_tiny(TINY, &["model.settings=published", "model.kind=autoencoder"]).unwrap();
    assert_eq!((published.fit.latent.n_epochs, published.fit.latent.minibatch), (10, 512));
    assert_eq!(published.fit.one_step.match_weight, 100.0);
    assert_eq!((published.latents["shared"].noise, published.latents["rna"].noise), (0.5, 0.0));
    let alone = "spec_version = 1\n[modality.rna]\npath = \"a.h5ad\"\nloss.kind = \"bce\"";
    let alone = read_tiny(alone, &["model.shared=5", "model.specific=3"]).unwrap();
    assert_eq!(alone.latents.iter().map(|(name, one)| (name.as_str(), one.dim)).collect::<Vec<_>>(), [("rna", 8)]);
    assert_eq!(alone.name, "tiny");
    let folder = std::env::current_dir().unwrap().join("specs");
    assert_eq!(alone.modalities["rna"].path.as_deref(), Some(folder.join("a.h5ad").as_path()));
    let loss = alone.to_toml().unwrap()["modality"]["rna"]["loss"].to_string();
    assert_eq!(loss, "{ kind = \"bce\", pos_weight = 3.0 }");
}

#[test]
fn widths_at_the_edges_are_refused_before_they_are_added() {
    let alone = "spec_version = 1\n[modality.rna]\npath = \"a.h5ad\"\n[model]\n";
    for width in [i64::MAX, i64::MIN] {
        let text = format!("{alone}shared = {width}\nspecific = {width}\n");
        let told = read_tiny(&text, &[]).map(|_| ()).unwrap_err().to_string();
        assert!(told.contains(&format!("`model.shared` is {width}, but a width must be from 0 to 65536")), "{told}");
    }
}

/// A text with some of its characters removed, doubled or replaced.
fn mutated(text: &str, edits: &[(usize, u8, char)]) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for (place, action, letter) in edits {
        let at = place % letters.len().max(1);
        match action {
            0 if at < letters.len() => drop(letters.remove(at)),
            1 if at < letters.len() => letters[at] = *letter,
            2 => letters.truncate(at),
            _ => letters.insert(at, *letter),
        }
    }
    letters.into_iter().collect()
}

fn letters() -> impl Strategy<Value = char> {
    prop_oneof![
        any::<char>(),
        prop::sample::select("[]{}=\"'.,#\n\r\t _-0123456789einfaz\\é".chars().collect::<Vec<_>>())
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics_the_reader(edits in prop::collection::vec((any::<usize>(), 0u8..6, letters()), 1..12)) {
        let text = mutated(TINY, &edits);
        if let Err(errors) = read_tiny(&text, &[]) {
            prop_assert!(!errors.is_empty());
            let n_lines = text.matches('\n').count() + 1;
            for one in errors.sorted() {
                prop_assert!(errors.position(&one.place).is_none_or(|at| at.line <= n_lines));
            }
            prop_assert!(errors.render(true).contains("error:"));
        }
    }

    #[test]
    fn no_override_panics_the_reader(key in "[a-z\\.\"= \\[\\]]{0,12}", value in "\\PC{0,12}") {
        for text in [format!("{key}={value}"), format!("modality.rna.{key}={value}"), format!("latent.shared={value}")] {
            let _ = read_tiny(TINY, &[&text]);
        }
    }
}
