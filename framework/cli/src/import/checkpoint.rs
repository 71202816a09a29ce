//! The tensors of a checkpoint by name.

use super::archive::Archive;
use super::pickle::{StoredKind, StoredTensor, read_state_dict};
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::path::Path;
use tch::{Kind, Tensor};

/// The tensors of a checkpoint that are not yet taken.
#[derive(Debug)]
pub struct Checkpoint {
    tensors: BTreeMap<String, Tensor>,
}

impl Checkpoint {
    /// Reads a dictionary of tensors that `torch.save` wrote; nothing of it is run.
    ///
    /// # Errors
    /// When it is another file, or damaged, or holds anything but tensors.
    pub fn read(path: &Path) -> Result<Checkpoint> {
        let read = || -> Result<Checkpoint> {
            let mut archive = Archive::open(path)?;
            let mut tensors = BTreeMap::new();
            for (name, stored) in read_state_dict(&archive.description()?)? {
                let tensor = load(&mut archive, &stored).with_context(|| format!("the tensor `{name}`"))?;
                tensors.insert(name, tensor);
            }
            Ok(Checkpoint { tensors })
        };
        read().with_context(|| format!("`{}` is not a checkpoint that can be read", path.display()))
    }

    /// The size of a tensor; `None` where there is none of that name.
    pub fn size(&self, name: &str) -> Option<Vec<i64>> {
        self.tensors.get(name).map(Tensor::size)
    }

    /// Takes a tensor out, as 32-bit numbers, and wants it to be of this size.
    ///
    /// # Errors
    /// When there is none of that name, or it has another size.
    pub fn take(&mut self, name: &str, size: &[i64]) -> Result<Tensor> {
        let tensor = self.tensors.remove(name).with_context(|| format!("the checkpoint lacks `{name}`"))?;
        ensure!(
            tensor.size() == size,
            "`{name}` of the checkpoint has shape {:?}, but hyperparameters and data ask for {size:?}",
            tensor.size()
        );
        Ok(tensor.to_kind(Kind::Float))
    }

    /// Takes a tensor out if it is there.
    pub fn discard(&mut self, name: &str) {
        self.tensors.remove(name);
    }

    /// Names of the tensors that nobody took.
    pub fn left(&self) -> Vec<&str> {
        self.tensors.keys().map(String::as_str).collect()
    }
}

fn load(archive: &mut Archive, stored: &StoredTensor) -> Result<Tensor> {
    let (kind, n_bytes) = match stored.kind {
        StoredKind::Float => (Kind::Float, 4),
        StoredKind::Double => (Kind::Double, 8),
        StoredKind::Long => (Kind::Int64, 8),
        StoredKind::Bool => (Kind::Bool, 1),
    };
    ensure!(is_row_by_row(stored), "its numbers do not lie row by row; save it with `.contiguous()`");
    let n =
        stored.size.iter().try_fold(1u64, |n, size| n.checked_mul(*size as u64)).context("it has too many numbers")?;
    let end = stored.offset.checked_add(n).filter(|end| *end <= stored.n_stored);
    let end = end.context("it asks for more numbers than its storage has")?;
    let bytes =
        archive.storage(&stored.storage, stored.n_stored.checked_mul(n_bytes).context("its storage is too large")?)?;
    let own = &bytes[(stored.offset * n_bytes) as usize..(end * n_bytes) as usize];
    Ok(Tensor::f_from_data_size(own, &stored.size, kind)?)
}

fn is_row_by_row(stored: &StoredTensor) -> bool {
    let mut expected = 1i64;
    let fits = stored.size.len() == stored.stride.len();
    fits && stored.size.iter().zip(&stored.stride).rev().all(|(size, stride)| {
        let fits = *size <= 1 || *stride == expected;
        expected = expected.saturating_mul((*size).max(1));
        fits
    })
}
