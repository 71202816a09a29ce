//! What readers say of bad specs, word for word.

use super::read_tiny;

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
fn probe() {
    println!("@@@an_unknown_key_in_a_table\n{}", said("[modality.rna]\n[latent.shared]\nn_latents = 5"));
    println!("@@@an_unknown_key_in_an_inline_table\n{}", said("[modality.rna]\nencoder = { hiden = [8] }"));
    println!("@@@an_unknown_table\n{}", said("[modality.rna]\n[fti.latent]\nn_epochs = 3"));
    println!("@@@an_unknown_key_of_the_assay_lists_the_keys_of_the_host_too\n{}", said("[modality.rna]\nmincells = 3"));
    println!("@@@all_errors_at_once_by_position\n{}", said("seed = \"one\"\n[modality.rna]\nloss = \"msee\"\nencoder = { hidden = [8, 0], dropout = 2 }\n[fit]\ndevice = \"gpu\"\nlatent = { n_epochs = -1, order = \"fixd\" }"));
    println!("@@@an_unknown_modality\n{}", said("[modality.rnaa]"));
    println!("@@@an_unknown_kind\n{}", said("[modality.x]\nkind = \"proteins\""));
    println!("@@@a_latent_space_of_an_unknown_modality\n{}", said("[modality.rna]\n[modality.tags]\n[latent.both]\ndim = 4\nmodalities = [\"rna\", \"tag\", \"rna\"]"));
    println!("@@@a_latent_space_that_lacks_keys\n{}", said("[modality.rna]\n[latent.other]\nnoise = 0.1"));
    println!("@@@a_modality_s_space_is_its_own\n{}", said("[modality.rna]\n[modality.tags]\n[latent.tags]\nmodalities = [\"rna\", \"tags\"]"));
    println!("@@@shared_is_no_modality\n{}", said("[modality.shared]\nkind = \"rna\""));
    println!("@@@a_modality_without_a_space\n{}", said("model = { shared = 0, specific = 0 }\n[modality.rna]"));
    println!("@@@names_become_parts_of_files\n{}", said("[modality.\"a.b\"]\nkind = \"rna\""));
    println!("@@@no_modality\n{}", said(""));
    println!("@@@another_version\n{}", said_of("spec_version = 2\n[modality.rna]\nx = 1"));
    println!("@@@no_version_and_no_file\n{}", said_of("[modality.rna]"));
    println!("@@@not_toml\n{}", said("[modality.rna\nlayer = \"a\nweight = = 2"));
    println!("@@@written_twice\n{}", said("[modality.rna]\nweight = 1\nlayer = \"a\"\nweight = 2"));
    println!("@@@wrong_types\n{}", said("model = 3\n[modality.rna]\nsteps = \"log_min_max\"\nencoder = 5\n[data.split]\ntest = \"0.2\""));
    println!("@@@a_step_that_lacks_a_key\n{}", said("[modality.rna]\nsteps = [\"highly_variable\", {}, 3]"));
    println!("@@@ranges_of_sections\n{}", said("[modality.rna]\nweight = nan\n[data.split]\ntest = 0.6\nvalidation = 0.5\n[model]\nshared = -1"));
    println!("@@@overrides_are_named\n{}", said_with("[modality.rna]", &["fit.latent.n_epoch=3", "modality.rna.loss=mes", "fit.n_threads=two", "seed"]));
    println!("@@@end");
}
