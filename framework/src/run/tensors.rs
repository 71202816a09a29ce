//! Named tensors in a safetensors file.

use super::directory::replace_atomically;
use anyhow::{Context, Result, bail};
use safetensors::tensor::{Dtype, SafeTensors, View, serialize_to_file};
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;
use tch::{Kind, Tensor};

/// Writes named tensors, sorted by name, with text beside them; the file appears whole or not at all.
///
/// Tensors go to the file one by one: no second copy of all of them is held.
///
/// # Errors
/// When a tensor's kind cannot be stored or the file cannot be written.
pub fn write_tensors(path: &Path, tensors: &[(String, Tensor)], about: HashMap<String, String>) -> Result<()> {
    let mut stored =
        tensors.iter().map(|(name, tensor)| Ok((name, Stored::new(tensor)?))).collect::<Result<Vec<_>>>()?;
    stored.sort_by_key(|(name, _)| *name);
    replace_atomically(path, |temporary| Ok(serialize_to_file(stored, Some(about), temporary)?))
}

/// Reads all tensors of a file (on the host), by name.
///
/// # Errors
/// When the file is not whole.
pub fn read_tensors(path: &Path) -> Result<HashMap<String, Tensor>> {
    Ok(read_stored(path)?.0)
}

/// Reads all tensors of a file (on the host), by name, and the text beside them.
///
/// # Errors
/// When the file is not whole.
pub fn read_stored(path: &Path) -> Result<(HashMap<String, Tensor>, HashMap<String, String>)> {
    let bytes = std::fs::read(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
    let whole = || format!("`{}` is not a whole safetensors file", path.display());
    let file = SafeTensors::deserialize(&bytes).with_context(whole)?;
    let (_, header) = SafeTensors::read_metadata(&bytes).with_context(whole)?;
    let mut tensors = HashMap::new();
    for (name, view) in file.tensors() {
        let size: Vec<i64> = view.shape().iter().map(|&n| n as i64).collect();
        tensors.insert(name, Tensor::f_from_data_size(view.data(), &size, kind(view.dtype())?)?);
    }
    Ok((tensors, header.metadata().clone().unwrap_or_default()))
}

/// A tensor on its way to a file.
struct Stored {
    dtype: Dtype,
    shape: Vec<usize>,
    tensor: Tensor,
}

impl Stored {
    fn new(tensor: &Tensor) -> Result<Stored> {
        Ok(Stored { dtype: dtype(tensor.kind())?, shape: shape_of(tensor), tensor: tensor.detach() })
    }
}

impl View for Stored {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        bytes_of(&self.tensor).into()
    }

    fn data_len(&self) -> usize {
        self.tensor.numel() * self.tensor.kind().elt_size_in_bytes()
    }
}

fn shape_of(tensor: &Tensor) -> Vec<usize> {
    tensor.size().into_iter().map(|n| n as usize).collect()
}

fn bytes_of(tensor: &Tensor) -> Vec<u8> {
    let tensor = tensor.detach().to_device(tch::Device::Cpu).contiguous();
    let n = tensor.numel();
    let mut bytes = vec![0; n * tensor.kind().elt_size_in_bytes()];
    tensor.copy_data_u8(&mut bytes, n);
    bytes
}

fn dtype(kind: Kind) -> Result<Dtype> {
    Ok(match kind {
        Kind::Float => Dtype::F32,
        Kind::Double => Dtype::F64,
        Kind::Int => Dtype::I32,
        Kind::Int64 => Dtype::I64,
        Kind::BFloat16 => Dtype::BF16,
        other => bail!("tensors of kind {other:?} cannot be stored"),
    })
}

fn kind(dtype: Dtype) -> Result<Kind> {
    Ok(match dtype {
        Dtype::F32 => Kind::Float,
        Dtype::F64 => Kind::Double,
        Dtype::I32 => Kind::Int,
        Dtype::I64 => Kind::Int64,
        Dtype::BF16 => Kind::BFloat16,
        other => bail!("tensors of type {other:?} are not understood"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_come_back_bit_by_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.safetensors");
        let tensors = vec![
            ("b".to_owned(), Tensor::randn([3, 5], (Kind::Float, tch::Device::Cpu))),
            ("a".to_owned(), Tensor::from_slice(&[1i64, -2])),
            ("scalar".to_owned(), Tensor::from(2.5f64)),
        ];
        write_tensors(&path, &tensors, HashMap::from([("note".into(), "x".into())])).unwrap();
        let read = read_tensors(&path).unwrap();
        for (name, tensor) in &tensors {
            assert_eq!(&read[name], tensor);
            assert_eq!(read[name].size(), tensor.size());
        }
    }

    #[test]
    fn a_cut_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.safetensors");
        write_tensors(&path, &[("a".to_owned(), Tensor::from_slice(&[1i64, -2]))], HashMap::new()).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
        assert!(read_tensors(&path).unwrap_err().to_string().contains("not a whole"));
    }
}
