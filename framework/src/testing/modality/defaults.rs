//! What a modality uses where its table is silent.

use crate::component::{Role, declared};
use crate::modality::{Defaults, ModalitySpec};
use crate::testing::mismatch::{Checked, Mismatch, expect};

/// Defaults that are declared in this program read without problems; those of other crates are not looked for, as the
/// tests of one crate need not link them.
pub(super) fn check(spec: &dyn ModalitySpec) -> Checked {
    for defaults in [spec.defaults(), spec.published_defaults()] {
        let Defaults { steps, encoder, decoder, loss } = defaults;
        let steps = steps.into_iter().map(|step| (Role::Step, step));
        for (role, (kind, table)) in
            steps.chain([(Role::Encoder, encoder), (Role::Decoder, decoder), (Role::Loss, loss)])
        {
            check_one(role, kind, table)?;
        }
    }
    Ok(())
}

fn check_one(role: Role, kind: &str, table: &str) -> Checked {
    let what = format!("a valid table of the {role} `{kind}`");
    let parsed: toml::Table = table.parse().map_err(|error| Mismatch::new(&what, format!("`{table}`: {error}")))?;
    let Some(info) = declared().find(|info| info.role == role && info.name == kind) else { return Ok(()) };
    match (info.parse)(parsed) {
        Ok(spec) => expect(spec.validate().is_empty(), what, format!("{:?}", spec.validate())),
        Err(problem) => Err(Mismatch::new(what, format!("`{table}`: {problem:?}"))),
    }
}
