//! What multiDGD calls the parameters of a model.

use super::spec::BASAL;
use anyhow::{Context, Result};

/// What names depend on.
#[derive(Debug)]
pub(super) struct Names<'a> {
    /// Our names of the modalities, in the order of the checkpoint.
    pub(super) modalities: Vec<&'a str>,
    /// Hidden layers of a modality's own.
    pub(super) n_hidden: usize,
}

impl Names<'_> {
    /// What the checkpoint calls a parameter of ours.
    ///
    /// # Errors
    /// When the published model has no such parameter.
    pub(super) fn published(&self, ours: &str) -> Result<String> {
        let parts: Vec<&str> = ours.split('.').collect();
        let modality = |name: &str| self.modalities.iter().position(|other| *other == name);
        let found = match parts.as_slice() {
            ["prior", BASAL, rest] => Some(format!("gmm.{rest}")),
            ["prior", _, rest] => Some(format!("correction_gmm.{rest}")),
            ["trunk", layer, rest] => place_of(layer).map(|place| format!("decoder.main.{}.{rest}", 2 * place)),
            ["decoder", name, layer, rest] => modality(name).and_then(|modality| {
                let place = if *layer == "output" { self.n_hidden } else { place_of(layer)? };
                Some(format!("decoder.out_modules.{modality}.fc.{}.{rest}", 2 * place))
            }),
            ["loss", name, rest] => {
                modality(name).map(|modality| format!("decoder.out_modules.{modality}.distribution.{rest}"))
            }
            _ => None,
        };
        found.with_context(|| format!("a multiDGD model has no parameter like `{ours}`"))
    }
}

fn place_of(layer: &str) -> Option<usize> {
    layer.strip_prefix("hidden_")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activations_take_the_odd_places() {
        let names = Names { modalities: vec!["rna", "atac"], n_hidden: 2 };
        for (ours, theirs) in [
            ("prior.shared.neglogvar", "gmm.neglogvar"),
            ("prior.cov_site.mean", "correction_gmm.mean"),
            ("trunk.hidden_1.bias", "decoder.main.2.bias"),
            ("decoder.atac.hidden_1.weight", "decoder.out_modules.1.fc.2.weight"),
            ("decoder.rna.output.weight", "decoder.out_modules.0.fc.4.weight"),
            ("loss.rna.log_r", "decoder.out_modules.0.distribution.log_r"),
        ] {
            assert_eq!(names.published(ours).unwrap(), theirs);
        }
        assert!(names.published("encoder.rna.weight").is_err());
    }
}
