//! Numbers that the published package gives (multiDGD 0.0.1), for tests: `golden/dgd`.

pub use framework::testing::golden::{PRECISIONS, close, close_to_largest, numbers, tensor};
use serde_json::Value;
use tch::nn::VarStore;
use tch::{Kind, no_grad};

/// Largest relative difference in double precision.
pub const DOUBLE: f64 = PRECISIONS[0].2;

/// The mixtures.
pub fn mixtures() -> Value {
    serde_json::from_str(include_str!("../../golden/dgd/gmm.json")).unwrap()
}

/// The softball.
pub fn softball() -> Value {
    serde_json::from_str(include_str!("../../golden/dgd/softball.json")).unwrap()
}

/// Parameters in a precision, with the values of a block.
pub fn set(store: &mut VarStore, block: &Value, kind: Kind) {
    if kind == Kind::Double {
        store.double();
    }
    for (name, mut variable) in store.variables() {
        let values = tensor(&block[&name], kind);
        assert_eq!(values.size(), variable.size(), "{name}");
        no_grad(|| variable.copy_(&values));
    }
}
