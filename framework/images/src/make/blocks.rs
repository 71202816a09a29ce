//! Fields met in order, made ready several at a time, in bounded memory.

use anyhow::Result;
use rayon::prelude::*;

use crate::fields::FieldRow;

/// What the fields that are made ready at once may take together, in bytes.
const BUDGET: usize = 1 << 30;

/// Makes something of each field, in parallel, and hands it to `take` in order.
///
/// The first field is met alone; what it took (`n_bytes`) says how many are met at once from then on: as many as there
/// are threads, fewer where fields are large.
pub(super) fn each<T: Send>(
    rows: &[FieldRow],
    make: impl Fn(&FieldRow) -> Result<T> + Sync,
    n_bytes: impl Fn(&T) -> usize,
    mut take: impl FnMut(&FieldRow, Result<T>) -> Result<()>,
) -> Result<()> {
    let (mut n_together, mut rest) = (1, rows);
    while !rest.is_empty() {
        let (block, after) = rest.split_at(n_together.min(rest.len()));
        let made: Vec<Result<T>> = block.par_iter().map(&make).collect();
        if let Some(largest) = made.iter().flatten().map(&n_bytes).max() {
            n_together = (BUDGET / largest.max(1)).clamp(1, rayon::current_num_threads().max(1));
        }
        block.iter().zip(made).try_for_each(|(row, made)| take(row, made))?;
        rest = after;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::{FieldsSpec, ImageFile};
    use crate::labels::MaskKind;

    #[test]
    fn fields_come_in_order_and_large_ones_alone() {
        let folder = tempfile::tempdir().unwrap();
        let lines: String = (0..9).map(|number| format!("{number}.png\n")).collect();
        std::fs::write(folder.path().join("fields.csv"), format!("file\n{lines}")).unwrap();
        let channels = [("dna".to_owned(), ImageFile::by_column("file"))].into_iter().collect();
        let spec =
            FieldsSpec { table: "fields.csv".into(), name: None, channels, mask: None, mask_kind: MaskKind::Labels };
        let rows = spec.open(folder.path()).unwrap().rows;
        for n_bytes in [1, BUDGET, usize::MAX] {
            let mut met = Vec::new();
            let now = std::sync::atomic::AtomicUsize::new(0);
            let make = |row: &FieldRow| {
                now.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                Ok(row.line)
            };
            each(
                &rows,
                make,
                |_| n_bytes,
                |row, line| {
                    assert_eq!(line?, row.line);
                    met.push(row.line);
                    let n_ahead = now.load(std::sync::atomic::Ordering::SeqCst) - met.len();
                    assert!(n_ahead == 0 || n_bytes == 1, "{n_ahead} large fields at once");
                    Ok(())
                },
            )
            .unwrap();
            assert_eq!(met, (2..11).collect::<Vec<u64>>());
        }
    }
}
