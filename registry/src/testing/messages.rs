//! What readers say of bad specs, word for word.

use super::read_tiny;
use insta::assert_snapshot;

/// The messages of a spec that starts with its version and a file.
fn said(rest: &str) -> String {
    said_with(rest, &[])
}

fn said_with(rest: &str, overrides: &[&str]) -> String {
    let text = format!("spec_version = 1\ndata.path = \"x.h5mu\"\n{rest}");
    read_tiny(&text, overrides).map(|_| ()).unwrap_err().to_string()
}

fn said_of(text: &str) -> String {
    read_tiny(text, &[]).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn an_unknown_key_in_a_table() {
    assert_snapshot!(said("[modality.rna]\n[latent.shared]\nn_latents = 5"), @r###"
    error: `[latent.shared]` needs the key `dim`
      --> specs/tiny.toml:4:9
       |
     4 | [latent.shared]
       |         ^^^^^^
    help: dim: Numbers per cell.

    error: unknown key `n_latents` in `[latent.shared]`
      --> specs/tiny.toml:5:1
       |
     5 | n_latents = 5
       | ^^^^^^^^^
    help: keys: dim, modalities, noise, covariate, prior
    "###);
}

#[test]
fn an_unknown_key_in_an_inline_table() {
    assert_snapshot!(said("[modality.rna]\nencoder = { hiden = [8] }"), @r###"
    error: unknown key `hiden` in `[modality.rna.encoder]`
      --> specs/tiny.toml:4:13
       |
     4 | encoder = { hiden = [8] }
       |             ^^^^^
    help: did you mean `hidden`? keys: kind, hidden, dropout
    "###);
}

#[test]
fn an_unknown_table() {
    assert_snapshot!(said("[modality.rna]\n[fti.latent]\nn_epochs = 3"), @r###"
    error: unknown key `fti` in the spec
      --> specs/tiny.toml:4:2
       |
     4 | [fti.latent]
       |  ^^^
    help: did you mean `fit`? keys: spec_version, name, seed, plugins, data, modality, model, latent, condition, trunk, fit, evaluate
    "###);
}

#[test]
fn an_unknown_key_of_the_assay_lists_the_keys_of_the_host_too() {
    assert_snapshot!(said("[modality.rna]\nmincells = 3"), @r###"
    error: unknown key `mincells` in `[modality.rna]`
      --> specs/tiny.toml:4:1
       |
     4 | mincells = 3
       | ^^^^^^^^
    help: did you mean `min_cells`? keys: kind, path, key, table, measured, weight, steps, encoder, decoder, loss, layer, min_cells
    "###);
}

#[test]
fn all_errors_at_once_by_position() {
    assert_snapshot!(said("seed = \"one\"\n[modality.rna]\nloss = \"msee\"\nencoder = { hidden = [8, 0], dropout = 2 }\n[fit]\ndevice = \"gpu\"\nlatent = { n_epochs = -1, order = \"fixd\" }"), @r###"
    error: `seed` is the string `one`, but must be a whole number
      --> specs/tiny.toml:3:8
       |
     3 | seed = "one"
       |        ^^^^^

    error: no loss is called `msee`
      --> specs/tiny.toml:5:8
       |
     5 | loss = "msee"
       |        ^^^^^^
    help: did you mean `mse`? losses: bce, mse

    error: `modality.rna.encoder.hidden[1]` is 0, but must be at least 1
      --> specs/tiny.toml:6:26
       |
     6 | encoder = { hidden = [8, 0], dropout = 2 }
       |                          ^

    error: `modality.rna.encoder.dropout` is 2, but must be in [0, 1)
      --> specs/tiny.toml:6:40
       |
     6 | encoder = { hidden = [8, 0], dropout = 2 }
       |                                        ^

    error: `fit.device` is `gpu`, but must be `cpu`, `cuda` or `cuda:N`
      --> specs/tiny.toml:8:10
       |
     8 | device = "gpu"
       |          ^^^^^

    error: `fit.latent.n_epochs` is -1, but must be at least 0
      --> specs/tiny.toml:9:23
       |
     9 | latent = { n_epochs = -1, order = "fixd" }
       |                       ^^

    error: `fit.latent.order` is `fixd`, but must be `reshuffled`, `fixed`, `sequential` or `block_shuffled`
      --> specs/tiny.toml:9:35
       |
     9 | latent = { n_epochs = -1, order = "fixd" }
       |                                   ^^^^^^
    help: did you mean `fixed`?
    "###);
}

#[test]
fn an_unknown_modality() {
    assert_snapshot!(said("[modality.rnaa]"), @r###"
    error: `[modality.rnaa]` needs a `kind`: no modality is called `rnaa`
      --> specs/tiny.toml:3:11
       |
     3 | [modality.rnaa]
       |           ^^^^
    help: did you mean `rna`? modalities: rna, tags
    "###);
}

#[test]
fn an_unknown_kind() {
    assert_snapshot!(said("[modality.x]\nkind = \"proteins\""), @r###"
    error: no modality is called `proteins`
      --> specs/tiny.toml:4:8
       |
     4 | kind = "proteins"
       |        ^^^^^^^^^^
    help: modalities: rna, tags
    "###);
}

#[test]
fn a_latent_space_of_an_unknown_modality() {
    assert_snapshot!(said("[modality.rna]\n[modality.tags]\n[latent.both]\ndim = 4\nmodalities = [\"rna\", \"tag\", \"rna\"]"), @r###"
    error: `latent.both` names the modality `tag`, which the spec does not have
      --> specs/tiny.toml:7:22
       |
     7 | modalities = ["rna", "tag", "rna"]
       |                      ^^^^^
    help: did you mean `tags`? modalities: rna, tags

    error: `latent.both` names the modality `rna` twice
      --> specs/tiny.toml:7:29
       |
     7 | modalities = ["rna", "tag", "rna"]
       |                             ^^^^^
    "###);
}

#[test]
fn conditions_of_wrong_keys_and_modalities() {
    let wrong = "[condition.dye]\ncolum = \"dye\"\nn_dims = 0\n[condition.plate]\ncolumn = \"plate\"\nmodalities = [\"rn\"]\nencoder_table = \"decoder\"";
    assert_snapshot!(said(&format!("[modality.rna]\n{wrong}")), @r###"
    error: unknown key `colum` in `[condition.dye]`
      --> specs/tiny.toml:5:1
       |
     5 | colum = "dye"
       | ^^^^^
    help: did you mean `column`? keys: column, n_dims, modalities, encoder_table

    error: `condition.dye.n_dims` is 0, but must be from 1 to 65536
      --> specs/tiny.toml:6:10
       |
     6 | n_dims = 0
       |          ^

    error: `condition.plate` names the modality `rn`, which the spec does not have
      --> specs/tiny.toml:9:15
       |
     9 | modalities = ["rn"]
       |               ^^^^
    help: did you mean `rna`? modalities: rna

    error: `condition.plate.encoder_table` is `decoder`, but must be `separate` or `decoders`
      --> specs/tiny.toml:10:17
        |
     10 | encoder_table = "decoder"
        |                 ^^^^^^^^^
    help: did you mean `decoders`?
    "###);
}

#[test]
fn images_that_are_not_shown_name_conditions_and_modalities() {
    let condition = "[modality.rna]\n[condition.dye]\ncolumn = \"dye\"\n";
    let images = "[evaluate.images.unshown.rna]\nkey = \"x\"\ncolumn = \"y\"\ncondition = \"dey\"\n\
                  [evaluate.images.unshown.rn]\nkey = \"x\"\ncolumn = \"y\"\ncondition = \"dye\"\n";
    let said = said(&format!("{condition}{images}"));
    for part in [
        "error: `evaluate.images.unshown.rna.condition` is `dey`, which the spec does not have",
        "condition = \"dey\"",
        "help: did you mean `dye`? conditions: dye",
        "error: `evaluate.images.unshown.rn`: no modality `rn` is told the condition `dye`",
        "help: did you mean `rna`? modalities: rna",
    ] {
        assert!(said.contains(part), "`{part}` is not in: {said}");
    }
}

#[test]
fn a_condition_in_a_model_without_encoders() {
    let said = said("model.kind = \"dgd\"\n[modality.rna]\n[condition.dye]\ncolumn = \"dye\"");
    let (_, about) = said.split_once("error: `[condition.dye]`").unwrap();
    assert_snapshot!(about, @r###"
    : a `dgd` model is told no conditions
      --> specs/tiny.toml:5:12
       |
     5 | [condition.dye]
       |            ^^^
    help: list the column in `covariates` of `[model]`: it gets a latent space
    "###);
}

#[test]
fn a_latent_space_that_lacks_keys() {
    assert_snapshot!(said("[modality.rna]\n[latent.other]\nnoise = 0.1"), @r###"
    error: `[latent.other]` needs the key `dim`
      --> specs/tiny.toml:4:9
       |
     4 | [latent.other]
       |         ^^^^^
    help: dim: Numbers per cell.

    error: `[latent.other]` needs the key `modalities`
      --> specs/tiny.toml:4:9
       |
     4 | [latent.other]
       |         ^^^^^
    help: modalities: The modalities whose decoders read it.
    "###);
}

#[test]
fn a_modality_s_space_is_its_own() {
    assert_snapshot!(said("[modality.rna]\n[modality.tags]\n[latent.tags]\nmodalities = [\"rna\", \"tags\"]"), @r###"
    error: `[latent.tags]` is the space of the modality `tags` alone, but others are listed
      --> specs/tiny.toml:6:14
       |
     6 | modalities = ["rna", "tags"]
       |              ^^^^^^^^^^^^^^^
    help: write `modalities = ["tags"]`, or call a space that several read by another name
    "###);
}

#[test]
fn shared_is_no_modality() {
    assert_snapshot!(said("[modality.shared]\nkind = \"rna\""), @r###"
    error: a modality cannot be called `shared`: that is the latent space of all modalities
      --> specs/tiny.toml:3:11
       |
     3 | [modality.shared]
       |           ^^^^^^
    help: give the modality another name, and its assay as `kind`
    "###);
}

#[test]
fn a_modality_without_a_space() {
    assert_snapshot!(said("model = { shared = 0, specific = 0 }\n[modality.rna]"), @r###"
    error: the modality `rna` reads no latent space
      --> specs/tiny.toml:4:11
       |
     4 | [modality.rna]
       |           ^^^
    help: set `shared` or `specific` in `[model]`, or list it in the `modalities` of a `[latent.*]`
    "###);
}

#[test]
fn names_become_parts_of_files() {
    assert_snapshot!(said("[modality.\"a.b\"]\nkind = \"rna\""), @r###"
    error: `a.b` is not a name
      --> specs/tiny.toml:3:11
       |
     3 | [modality."a.b"]
       |           ^^^^^
    help: use letters, digits, `_` and `-`
    "###);
}

#[test]
fn no_modality() {
    assert_snapshot!(said(""), @r###"
    error: the spec has no modality
      --> specs/tiny.toml
    help: add `[modality.NAME]` for each assay; modalities: rna, tags
    "###);
}

#[test]
fn another_version() {
    assert_snapshot!(said_of("spec_version = 2\n[modality.rna]\nx = 1"), @r###"
    error: `spec_version` is 2, but this program reads version 1
      --> specs/tiny.toml:1:16
       |
     1 | spec_version = 2
       |                ^
    help: write `spec_version = 1` and see `cithara schema`, or use another release
    "###);
}

#[test]
fn no_version_and_no_file() {
    assert_snapshot!(said_of("[modality.rna]"), @r###"
    error: the spec does not say its version
      --> specs/tiny.toml
    help: begin the spec with `spec_version = 1`

    error: the modality `rna` has no file
      --> specs/tiny.toml:1:11
       |
     1 | [modality.rna]
       |           ^^^
    help: set `path` in `[data]`, or in `[modality.rna]` where each modality has its own file
    "###);
}

#[test]
fn not_toml() {
    assert_snapshot!(said("[modality.rna\nlayer = \"a\nweight = = 2"), @r###"
    error: not TOML: unclosed table, expected `]`
      --> specs/tiny.toml:3:14
       |
     3 | [modality.rna
       |              ^

    error: not TOML: extra `=`, expected nothing
      --> specs/tiny.toml:5:10
       |
     5 | weight = = 2
       |          ^
    "###);
}

#[test]
fn written_twice() {
    assert_snapshot!(said("[modality.rna]\nweight = 1\nlayer = \"a\"\nweight = 2"), @r###"
    error: the key `weight` is in this table already
      --> specs/tiny.toml:6:1
       |
     6 | weight = 2
       | ^^^^^^
    "###);
}

#[test]
fn wrong_types() {
    assert_snapshot!(said("model = 3\n[modality.rna]\nsteps = \"log_min_max\"\nencoder = 5\n[data.split]\ntest = \"0.2\""), @r###"
    error: `model` is 3, but must be a table
      --> specs/tiny.toml:3:9
       |
     3 | model = 3
       |         ^

    error: `modality.rna.steps` is the string `log_min_max`, but must be a list
      --> specs/tiny.toml:5:9
       |
     5 | steps = "log_min_max"
       |         ^^^^^^^^^^^^^
    help: write `steps = ["NAME", { kind = "NAME", … }]`; `[]` for none

    error: `modality.rna.encoder` is 5, but must be a name (encoder) or a table
      --> specs/tiny.toml:6:11
       |
     6 | encoder = 5
       |           ^

    error: `data.split.test` is the string `0.2`, but must be a number
      --> specs/tiny.toml:8:8
       |
     8 | test = "0.2"
       |        ^^^^^
    "###);
}

#[test]
fn a_step_that_lacks_a_key() {
    assert_snapshot!(said("[modality.rna]\nsteps = [\"highly_variable\", {}, 3]"), @r###"
    error: `[modality.rna.steps[0]]` needs the key `n`
      --> specs/tiny.toml:4:10
       |
     4 | steps = ["highly_variable", {}, 3]
       |          ^^^^^^^^^^^^^^^^^
    help: n: Number of features kept.

    error: `[modality.rna.steps[1]]` needs a `kind`
      --> specs/tiny.toml:4:29
       |
     4 | steps = ["highly_variable", {}, 3]
       |                             ^^
    help: one of: highly_variable, log_min_max

    error: `modality.rna.steps[2]` is 3, but must be a name (step) or a table
      --> specs/tiny.toml:4:33
       |
     4 | steps = ["highly_variable", {}, 3]
       |                                 ^
    "###);
}

#[test]
fn ranges_of_sections() {
    assert_snapshot!(said("[modality.rna]\nweight = nan\n[data.split]\ntest = 0.6\nvalidation = 0.5\n[model]\nshared = -1"), @r###"
    error: `modality.rna.weight` is NaN, but must be at least 0
      --> specs/tiny.toml:4:10
       |
     4 | weight = nan
       |          ^^^

    error: `data.split.test` and `split.validation` leave no cells to train on
      --> specs/tiny.toml:6:8
       |
     6 | test = 0.6
       |        ^^^

    error: `model.shared` is -1, but a width must be from 0 to 65536
      --> specs/tiny.toml:9:10
       |
     9 | shared = -1
       |          ^^
    "###);
}

#[test]
fn overrides_are_named() {
    assert_snapshot!(said_with("[modality.rna]", &["fit.latent.n_epoch=3", "modality.rna.loss=mes", "fit.n_threads=two", "seed"]), @r###"
    error: unknown key `n_epoch` in `[fit.latent]`
      --> --set fit.latent.n_epoch=3
    help: did you mean `n_epochs`? keys: n_epochs, minibatch, learning_rate_latent, learning_rate_decoder, weight_decay, initial_sd, order, latent_optimizer, validate_every_epochs, n_validation_passes, patience

    error: no loss is called `mes`
      --> --set modality.rna.loss=mes
    help: did you mean `mse`? losses: bce, mse

    error: `fit.n_threads` is the string `two`, but must be a whole number
      --> --set fit.n_threads=two

    error: `seed` sets no value
      --> --set seed
    help: write it as `table.key=value`, as in `fit.latent.n_epochs=10`
    "###);
}
