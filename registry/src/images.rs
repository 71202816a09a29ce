//! What only the whole spec tells of images: whether they may be turned, and whether `[evaluate.images.unshown.*]` names what
//! is there.

use crate::document::Node;
use crate::sections::{Reader, Site};
use crate::suggest::advice;
use framework::data::Augmentation;
use framework::spec::{ConditionSpec, EvaluateImages, ModalityEntry, ModelKind};
use indexmap::IndexMap;

/// Tells the images that cannot be turned: a row of a model that learns rows first stands for one image as it is, and images of
/// a cell that are not turned alike show nothing in the same place.
pub(crate) fn check_augmentation(
    reader: &mut Reader,
    root: &Node,
    kind: ModelKind,
    modalities: &IndexMap<String, ModalityEntry>,
) {
    let of = |entry: &ModalityEntry| entry.spec.augmentation();
    let resting = modalities.iter().find(|(_, entry)| of(entry) == Some(Augmentation::None));
    for (name, _) in modalities.iter().filter(|(_, entry)| of(entry) == Some(Augmentation::Turns)) {
        let Some(node) = root.get("modality").and_then(|all| all.get(name)) else { continue };
        let path = format!("modality.{name}");
        let site = Site { node, path: &path };
        if kind != ModelKind::Autoencoder {
            let message = format!("`{path}.augment` is `turns`, but a row of this model stands for one image as it is");
            let help = "turned images can be learned from by `kind = \"autoencoder\"` only; leave `augment` out";
            reader.push(site, "augment", message, Some(help.to_owned()));
        } else if let Some((other, _)) = resting {
            let message =
                format!("`{path}.augment` is `turns`, but images of `{other}` of the same cells are not turned");
            reader.push(site, "augment", message, Some("write the same `augment` for all images".to_owned()));
        }
    }
}

/// Tells the modalities that are not told the condition, or are none of the spec.
pub(crate) fn check_unshown(
    reader: &mut Reader,
    root: &Node,
    images: &EvaluateImages,
    conditions: &IndexMap<String, ConditionSpec>,
) {
    let node = root.get("evaluate").and_then(|node| node.get("images")).and_then(|node| node.get("unshown"));
    let Some(node) = node else { return };
    let site = Site { node, path: "evaluate.images.unshown" };
    for (modality, unshown) in &images.unshown {
        let key = format!("{modality}.condition");
        let name = &unshown.condition;
        let Some(condition) = conditions.get(name) else {
            let known: Vec<&str> = conditions.keys().map(String::as_str).collect();
            let message = format!("`{}.{key}` is `{name}`, which the spec does not have", site.path);
            reader.push(site, &key, message, Some(advice(name, "conditions", &known)));
            continue;
        };
        if !condition.modalities.iter().any(|told| told == modality) {
            let message =
                format!("`{}.{modality}`: no modality `{modality}` is told the condition `{name}`", site.path);
            let known: Vec<&str> = condition.modalities.iter().map(String::as_str).collect();
            reader.push(site, modality, message, Some(advice(modality, "modalities", &known)));
        }
    }
}
