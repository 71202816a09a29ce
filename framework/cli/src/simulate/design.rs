//! What a setting is made of: how factors depend on each other, and which factors a block of features mixes.

/// A causal factor of a simulated cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factor {
    /// Shared, binary.
    Z1,
    /// Shared, a child of Z1.
    Z2,
    /// Specific to the first modality, binary.
    Z3,
    /// Specific to the first modality, a child of Z3 (settings 3–5: of Z2, too).
    Z4,
    /// Specific to the second modality (settings 3–5: a child of Z2).
    Z5,
}

impl Factor {
    /// All factors, in order.
    pub const ALL: [Factor; 5] = [Factor::Z1, Factor::Z2, Factor::Z3, Factor::Z4, Factor::Z5];

    /// Its column of obs.
    pub fn name(self) -> &'static str {
        ["Z1", "Z2", "Z3", "Z4", "Z5"][self as usize]
    }
}

/// One of the five settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Design {
    /// Number of the setting, 1 to 5.
    pub setting: u8,
    /// Whether Z4 and Z5 also depend on the shared Z2.
    pub has_shared_parents: bool,
    /// Parents of each block of ten features of the first modality.
    pub x_blocks: Vec<Vec<Factor>>,
    /// Parents of each block of ten features of the second modality.
    pub y_blocks: Vec<Vec<Factor>>,
    /// Factor on the coefficients of blocks with a single parent.
    pub single_parent_scale: f64,
}

impl Design {
    /// The design of a setting; `None` unless it is 1 to 5.
    ///
    /// Settings 2, 4 and 5 have 80 and 40 features, as the published code draws them and the paper's own list of blocks
    /// adds up to; the text says 40 and 30.
    pub fn of(setting: u8) -> Option<Design> {
        use Factor::{Z1, Z2, Z3, Z4, Z5};
        let single = || (vec![vec![Z4], vec![Z3], vec![Z2], vec![Z1]], vec![vec![Z5], vec![Z2], vec![Z1]]);
        let mixing = || {
            let x = vec![
                vec![Z4],
                vec![Z3],
                vec![Z2],
                vec![Z2, Z3],
                vec![Z2, Z4],
                vec![Z3, Z4],
                vec![Z2, Z3, Z4],
                vec![Z1, Z2, Z3, Z4],
            ];
            (x, vec![vec![Z5], vec![Z2], vec![Z2, Z5], vec![Z1, Z2, Z5]])
        };
        let (has_shared_parents, (x_blocks, y_blocks)) = match setting {
            1 => (false, single()),
            2 => (false, mixing()),
            3 => (true, single()),
            4 | 5 => (true, mixing()),
            _ => return None,
        };
        let single_parent_scale = if setting == 5 { 4.0 } else { 1.0 };
        Some(Design { setting, has_shared_parents, x_blocks, y_blocks, single_parent_scale })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_the_features_of_the_published_code() {
        let n = |setting| Design::of(setting).map(|design| (10 * design.x_blocks.len(), 10 * design.y_blocks.len()));
        assert_eq!([1, 2, 3, 4, 5].map(n), [(40, 30), (80, 40), (40, 30), (80, 40), (80, 40)].map(Some));
        assert_eq!(n(0), None);
        assert_eq!(n(6), None);
    }
}
