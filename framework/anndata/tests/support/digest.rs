//! A checksum of the content and attributes of every object of a file, by path.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use hdf5_metno::types::{TypeDescriptor, VarLenAscii, VarLenUnicode};
use hdf5_metno::{Container, Dataset, File, Group, Location};
use sha2::{Digest, Sha256};

/// Path of each object → checksum of its attributes and, for arrays, of shape and values.
pub fn of_file(path: &Path) -> BTreeMap<String, String> {
    let file = File::open(path).unwrap();
    let mut digests = BTreeMap::new();
    visit(&file, path, &mut digests);
    digests
}

/// Paths of the objects that are in both and differ, and of those that are in one only.
pub fn differences(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    let mut paths: Vec<String> = before.keys().chain(after.keys()).cloned().collect();
    paths.sort();
    paths.dedup();
    paths.retain(|path| before.get(path) != after.get(path));
    paths
}

fn visit(group: &Group, path: &Path, digests: &mut BTreeMap<String, String>) {
    let mut state = Sha256::new();
    add_attributes(group, &mut state);
    digests.insert(group.name(), hex(state));
    for name in group.member_names().unwrap() {
        if let Ok(child) = group.group(&name) {
            visit(&child, path, digests);
        } else {
            let dataset = group.dataset(&name).unwrap();
            let mut state = Sha256::new();
            add_attributes(&dataset, &mut state);
            add_values(&dataset, path, &mut state);
            digests.insert(dataset.name(), hex(state));
        }
    }
}

fn add_attributes(object: &Location, state: &mut Sha256) {
    for name in object.attr_names().unwrap() {
        state.update(&name);
        assert!(add_plain(&object.attr(&name).unwrap(), state), "an attribute of an unexpected type: {name}");
    }
}

fn add_values(dataset: &Dataset, path: &Path, state: &mut Sha256) {
    if add_plain(dataset, state) {
        return;
    }
    // anything else (records): the bytes as they lie in the file
    let offset = dataset.offset().expect("records that do not lie in one piece");
    let mut file = std::fs::File::open(path).unwrap();
    file.seek(SeekFrom::Start(offset)).unwrap();
    let mut bytes = vec![0; dataset.storage_size() as usize];
    file.read_exact(&mut bytes).unwrap();
    assert!(bytes.iter().any(|byte| *byte != 0), "the bytes of {} were not found", dataset.name());
    state.update(&bytes);
}

/// Adds type, shape and values of an array of numbers, truths or texts; false for other types.
fn add_plain(object: &Container, state: &mut Sha256) -> bool {
    let descriptor = object.dtype().unwrap().to_descriptor();
    state.update(format!("{descriptor:?} {:?}", object.shape()));
    if object.size() == 0 {
        return true;
    }
    let values = match descriptor {
        Ok(TypeDescriptor::Float(_)) | Err(_) => format!("{:?}", object.read_raw::<f64>()),
        Ok(TypeDescriptor::Integer(_) | TypeDescriptor::Unsigned(_)) => {
            format!("{:?}", object.read_raw::<i64>())
        }
        Ok(TypeDescriptor::Boolean) => format!("{:?}", object.read_raw::<bool>()),
        Ok(TypeDescriptor::VarLenUnicode) => format!("{:?}", object.read_raw::<VarLenUnicode>()),
        Ok(TypeDescriptor::VarLenAscii) => format!("{:?}", object.read_raw::<VarLenAscii>()),
        Ok(_) => return false,
    };
    assert!(values.starts_with("Ok"), "{values}");
    state.update(values);
    true
}

fn hex(state: Sha256) -> String {
    state.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
