use super::*;

const BASE_SPEC: &str = "spec_version = 1\n[data]\npath = \"x.h5mu\"\nlabel = \"cell_type\"\n[modality.rna]\n[modality.tags]\n[model]\nshared = 50\n";

fn read_text(text: &str) -> Result<Ablation, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("base.toml"), BASE_SPEC).unwrap();
    let path = folder.path().join("study.toml");
    std::fs::write(&path, text).unwrap();
    let metric = |name: &str, _: &Experiment| (name == "nonsense").then(|| Problem::new("", "is not known"));
    let catalogue = Catalogue::linked().unwrap();
    let found = read_ablation(&WrittenAblation { path: &path, overrides: &[], metric: &metric }, &catalogue);
    let strip = |text: String| text.replace(&format!("{}/", folder.path().display()), "");
    found.map_err(|wrong| strip(wrong.to_string()))
}

fn names(ablation: &Ablation) -> Vec<&str> {
    ablation.variants.iter().map(|variant| variant.name.as_str()).collect()
}

#[test]
fn variants_and_axes_become_experiments() {
    let ablation = read_text(
        "[ablation]\nbase = \"base.toml\"\nseeds = [3, 1]\nmetric = [\"a\"]\nmargin = { a = 0.01 }\n\
         [ablation.variant.no_specific]\nset = { \"model.specific\" = 0, \"model.shared\" = 90 }\n\
         [ablation.variant.nested.set]\nmodality.rna.loss.kind = \"mse\"\n\
         [ablation.variant.alone]\nunset = [\"modality.tags\"]\n\
         [ablation.axis]\n\"model.shared\" = [10, 50, 100]\nfit.latent.minibatch = [64]\n",
    )
    .unwrap();
    assert_eq!(names(&ablation), ["base", "no_specific", "nested", "alone", "shared=10", "shared=100", "minibatch=64"]);
    assert_eq!((ablation.name.as_str(), &ablation.seeds[..]), ("study", &[3, 1][..]));
    let of = |name: &str| &ablation.variants.iter().find(|variant| variant.name == name).unwrap().experiment;
    assert_eq!((of("no_specific").model.specific, of("no_specific").model.shared), (0, 90));
    assert_eq!(of("alone").modalities.len(), 1);
    assert_eq!(of("shared=10").latents["shared"].dim, 10);
    assert_eq!(of("minibatch=64").fit.latent.minibatch, 64);
}

#[test]
fn axes_cross_if_asked() {
    let text = "[ablation]\nbase = \"base.toml\"\naxes = \"crossed\"\n[ablation.axis]\n\"model.shared\" = [10, 50]\n\
                \"model.specific\" = [20, 5]\n";
    let ablation = read_text(text).unwrap();
    assert_eq!(names(&ablation), ["base", "shared=10,specific=20", "shared=10,specific=5", "shared=50,specific=5"]);
    let many =
        "[ablation]\nbase = \"base.toml\"\naxes = \"crossed\"\n[ablation.axis]\na = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n";
    let keys = ["b", "c", "d", "e"].map(|key| format!("{key} = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n")).concat();
    assert!(read_text(&format!("{many}{keys}")).unwrap_err().contains("more than 10000 variants"));
}

#[test]
fn all_that_is_wrong_is_told_where_it_is_written() {
    let said = read_text(
        "[ablation]\nbase = \"base.toml\"\nmetric = [\"nonsense\", \"b\"]\nmargin = { c = 0.1 }\n\
         [ablation.variant.typo]\nset = { \"model.shraed\" = 5 }\n\
         [ablation.variant.wrong]\nset = { \"model.shared\" = \"wide\", \"fit.latent.n_epochs\" = 3 }\n\
         [ablation.variant.same]\nset = { \"model.shared\" = 50 }\n\
         [ablation.variant.gone]\nunset = [\"modality.protein\"]\n\
         [ablation.variant.none]\nunset = [\"modality.rna\", \"modality.tags\"]\n",
    )
    .unwrap_err();
    insta::assert_snapshot!(said, @r#"
    error: the metric `nonsense` is not known
      --> study.toml:3:11
       |
     3 | metric = ["nonsense", "b"]
       |           ^^^^^^^^^^

    error: the margin of `c` is of no metric
      --> study.toml:4:12
       |
     4 | margin = { c = 0.1 }
       |            ^
    help: did you mean `b`? metrics: nonsense, b

    error: in the variant `typo`: unknown key `shraed` in `[model]`
      --> study.toml:6:9
       |
     6 | set = { "model.shraed" = 5 }
       |         ^^^^^^^^^^^^^^
    help: did you mean `shared`? keys: kind, settings, shared, specific, shared_decoders, covariates

    error: in the variant `wrong`: `model.shared` is the string `wide`, but must be a whole number
      --> study.toml:8:9
       |
     8 | set = { "model.shared" = "wide", "fit.latent.n_epochs" = 3 }
       |         ^^^^^^^^^^^^^^

    error: the variant `same` is the same as `base`
      --> study.toml:9:19
       |
     9 | [ablation.variant.same]
       |                   ^^^^
    help: what they resolve to is equal: leave one out, or make them differ

    error: in the variant `gone`: `modality.protein` is not written in the spec, so it cannot be taken out
      --> study.toml:12:10
        |
     12 | unset = ["modality.protein"]
        |          ^^^^^^^^^^^^^^^^^^
    help: keys: rna, tags

    error: in the variant `none`: the spec has no modality (base.toml:5:2)
      --> study.toml:13:19
        |
     13 | [ablation.variant.none]
        |                   ^^^^
    help: add `[modality.NAME]` for each assay; modalities: rna, tags
    "#);
}

#[test]
fn a_file_that_is_no_ablation_is_told() {
    for (text, said) in [
        ("", "the file holds no `[ablation]`"),
        (BASE_SPEC, "the file is a spec, not an ablation of one"),
        ("[abaltion]\nbase = \"base.toml\"", "did you mean `ablation`?"),
        ("[ablation]\nseeds = [1]", "`base`"),
        ("[ablation]\nbase = \"bsae.toml\"", "did you mean"),
        ("[ablation]\nbase = \"base.toml\"\nseeds = []", "is empty"),
        ("[ablation]\nbase = \"base.toml\"\nseeds = [1, 1]", "names a seed twice"),
        ("[ablation]\nbase = \"base.toml\"\nmargin = { a = 0 }", "not above 0"),
        ("[ablation]\nbase = \"base.toml\"\n[ablation.variant.\"a/b\"]\nset = { seed = 1 }", "cannot be called `a/b`"),
        ("[ablation]\nbase = \"base.toml\"\n[ablation.variant.base]\nset = { seed = 1 }", "the base spec as it is"),
        ("[ablation]\nbase = \"base.toml\"\n[ablation.variant.a]", "changes nothing"),
        (
            "[ablation]\nbase = \"base.toml\"\nmetric = [\"a\"]\nlower_is_better = [\"b\"]",
            "`b` is no metric of the ablation",
        ),
        ("[ablation]\nbase = \"base.toml\"\n[ablation.axis]\nseed = 3", "is no list of values"),
        ("[ablation]\nbase = \"base.toml\"\n[ablation.variant.a]\nsett = { seed = 1 }", "did you mean `set`?"),
    ] {
        let message = read_text(text).unwrap_err();
        assert!(message.contains(said), "{text}: {message}");
    }
}

#[test]
fn the_ablations_of_the_papers_follow_the_spec() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cite.toml");
    std::fs::write(&path, BASE_SPEC).unwrap();
    let catalogue = Catalogue::linked().unwrap();
    let apollo = paper_ablation(Paper::Apollo, &path, &[], &catalogue).unwrap();
    assert_eq!(
        names(&apollo),
        ["base", "no_shared_decoders", "no_specific", "one_step", "mse", "shared=25", "shared=100"]
    );
    assert_eq!((apollo.variants[2].experiment.model.shared, apollo.seeds.len()), (90, 5));
    let other = paper_ablation(Paper::Dgd, &path, &[], &catalogue).unwrap_err().to_string();
    assert!(other.contains("kind = \"dgd\""), "{other}");
}
