//! Named tensors in a safetensors file.

use super::write_atomically;
use anyhow::{Context, Result, bail};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use std::collections::HashMap;
use std::path::Path;
use tch::{Kind, Tensor};

/// Writes named tensors, sorted by name, with text beside them; the file appears whole or not at all.
///
/// # Errors
/// When a tensor's kind cannot be stored or the file cannot be written.
pub fn write_tensors(path: &Path, tensors: &[(String, Tensor)], about: HashMap<String, String>) -> Result<()> {
    let mut stored = Vec::with_capacity(tensors.len());
    for (name, tensor) in tensors {
        stored.push((name, dtype(tensor.kind())?, shape_of(tensor), bytes_of(tensor)));
    }
    let mut views = Vec::with_capacity(stored.len());
    for (name, dtype, shape, bytes) in &stored {
        views.push((name.as_str(), TensorView::new(*dtype, shape.clone(), bytes)?));
    }
    views.sort_by_key(|(name, _)| *name);
    let file = serialize(views, Some(about))?;
    write_atomically(path, &file)
}

/// Reads all tensors of a file (on the host), by name.
///
/// # Errors
/// When the file is not whole.
pub fn read_tensors(path: &Path) -> Result<HashMap<String, Tensor>> {
    let bytes = std::fs::read(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
    let file = SafeTensors::deserialize(&bytes)
        .with_context(|| format!("`{}` is not a whole safetensors file", path.display()))?;
    let mut tensors = HashMap::new();
    for (name, view) in file.tensors() {
        let size: Vec<i64> = view.shape().iter().map(|&n| n as i64).collect();
        tensors.insert(name, Tensor::f_from_data_size(view.data(), &size, kind(view.dtype())?)?);
    }
    Ok(tensors)
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
        Kind::Int64 => Dtype::I64,
        Kind::BFloat16 => Dtype::BF16,
        other => bail!("tensors of kind {other:?} cannot be stored"),
    })
}

fn kind(dtype: Dtype) -> Result<Kind> {
    Ok(match dtype {
        Dtype::F32 => Kind::Float,
        Dtype::F64 => Kind::Double,
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
