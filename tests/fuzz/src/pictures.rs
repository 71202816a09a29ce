//! Images of fields and of cells, masks, and caches of crops.

use std::path::Path;

use images::{Crops, Labels, MaskKind, Stack, plane_names, read_chosen_planes, read_planes};

use crate::Scratch;

/// Reads bytes as every kind of image. The first byte says whether they are the end of a cache of crops.
pub fn read_everything(bytes: &[u8]) {
    let Some((choice, content)) = bytes.split_first() else { return };
    let scratch = Scratch::new();
    if choice % 4 == 3 {
        return read_crops(&scratch.file("cells.crops", &cache(content)));
    }
    let path = scratch.file("image", content);
    let _ = plane_names(&path);
    let _ = read_chosen_planes(&path, &[1, 0, 1]);
    for plane in read_planes(&path).unwrap_or_default() {
        assert_eq!(plane.pixels().len(), plane.height() * plane.width());
        for kind in [MaskKind::Labels, MaskKind::Binary] {
            if let Ok(labels) = Labels::from_plane(&plane, kind) {
                let n_pixels: u64 = labels.regions().iter().map(|region| u64::from(region.n_pixels)).sum();
                assert_eq!(n_pixels, labels.labels.iter().filter(|label| **label != 0).count() as u64);
                assert_eq!(labels.keep(|_| true).regions().len(), labels.regions().len());
            }
        }
    }
    read_stack(&path);
}

fn read_stack(path: &Path) {
    let Ok(stack) = Stack::open(path, None) else { return };
    let mut n_cells = 0;
    let read = stack.for_each_block(3, |block| {
        n_cells += block.len();
        assert!(block.iter().all(|cell| cell.len() == stack.n_channels()));
        Ok(())
    });
    assert!(read.is_err() || n_cells == stack.n_cells());
}

/// A cache whose checksum is right and whose contents, in JSON, are the bytes behind the number of records.
fn cache(bytes: &[u8]) -> Vec<u8> {
    let (n_records, json) = bytes.split_first().map_or((0, bytes), |(n, json)| (u64::from(n % 8), json));
    let payload: Vec<u8> = (0..16 * n_records).map(|place| place as u8).collect();
    let checksums: Vec<u8> = payload.chunks(16).flat_map(|record| crc32fast::hash(record).to_le_bytes()).collect();
    let mut table = checksums;
    table.extend(json);
    let mut file = b"CITHCROP\x01\0\0\0\0\0\0\0".to_vec();
    file.extend(&payload);
    file.extend(&table);
    file.extend((json.len() as u64).to_le_bytes());
    file.extend(n_records.to_le_bytes());
    file.extend(crc32fast::hash(&table).to_le_bytes());
    file.extend(b"CROP");
    file
}

fn read_crops(path: &Path) {
    let Ok(crops) = Crops::open(path) else { return };
    for channel in 0..crops.contents().channels.len().min(4) {
        for row in 0..crops.n_cells().min(4) {
            let _ = crops.gather(&[row], channel);
        }
    }
}
