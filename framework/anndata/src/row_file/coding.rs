//! One row as bytes.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | CRC-32 of all that follows |
//! | 1 | 0 where all values are counts, else 1 |
//! | 1 to 5 | number of entries |
//! | counts: 1 or more per entry | twice the number of columns passed over since the entry before, plus 1 where the value is not 1; then that value |
//! | others: 1 or more, then 4 per entry | the number of columns passed over since the entry before, of all entries; then the values |
//!
//! Whole numbers have seven bits per byte, the lowest first; the highest bit says that another byte follows.

use super::ColumnPlaces;

/// Bytes of the checksum before a row.
pub(super) const CHECKSUM_BYTES: usize = 4;

/// Values are counts.
const COUNTS: u8 = 0;
/// Values are any numbers.
const NUMBERS: u8 = 1;

/// Counts below this are kept as whole numbers.
const MOST: f32 = 4_294_967_296.0;

/// Whether whole numbers can stand for a value without changing a bit of it.
fn is_whole(value: f32) -> bool {
    (0.0..MOST).contains(&value) && value.fract() == 0.0 && value.is_sign_positive()
}

/// Appends a row; its columns increase strictly.
pub(super) fn encode(columns: &[u32], values: &[f32], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend([0; CHECKSUM_BYTES]);
    let are_counts = values.iter().all(|value| is_whole(*value));
    out.push(if are_counts { COUNTS } else { NUMBERS });
    put(columns.len() as u64, out);
    let mut next = 0u32;
    for (column, value) in columns.iter().zip(values) {
        let passed = u64::from(column - next);
        next = column + 1;
        if !are_counts {
            put(passed, out);
            continue;
        }
        let is_one = *value == 1.0;
        put(passed << 1 | u64::from(!is_one), out);
        if !is_one {
            put(*value as u64, out);
        }
    }
    if !are_counts {
        values.iter().for_each(|value| out.extend(value.to_le_bytes()));
    }
    let checksum = crc32fast::hash(&out[start + CHECKSUM_BYTES..]);
    out[start..start + CHECKSUM_BYTES].copy_from_slice(&checksum.to_le_bytes());
}

/// Rows read so far, to which others are appended.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    /// Where each row ends.
    pub ends: Vec<u64>,
    pub indices: Vec<u32>,
    pub values: Vec<f32>,
}

impl Decoded {
    /// Appends those entries of a row whose columns have a place; `None` where the row is damaged.
    pub(super) fn push(&mut self, row: &[u8], columns: &ColumnPlaces) -> Option<()> {
        let (checksum, body) = row.split_first_chunk::<CHECKSUM_BYTES>()?;
        if crc32fast::hash(body) != u32::from_le_bytes(*checksum) {
            return None;
        }
        let start = self.indices.len();
        let (kind, mut bytes) = body.split_first()?;
        let n_entries = take(&mut bytes)?;
        match *kind {
            COUNTS => self.counts(bytes, n_entries, columns)?,
            NUMBERS => self.numbers(bytes, n_entries, columns)?,
            _ => return None,
        }
        if !columns.are_ascending() {
            self.sort_from(start);
        }
        self.ends.push(self.indices.len() as u64);
        Some(())
    }

    fn counts(&mut self, mut bytes: &[u8], n_entries: u64, columns: &ColumnPlaces) -> Option<()> {
        let mut next = 0u64;
        for _ in 0..n_entries {
            let code = take(&mut bytes)?;
            let column = next.checked_add(code >> 1)?;
            let value = if code & 1 == 0 { 1.0 } else { take(&mut bytes)? as f32 };
            next = column + 1;
            if let Some(place) = columns.place(column)? {
                self.indices.push(place);
                self.values.push(value);
            }
        }
        bytes.is_empty().then_some(())
    }

    fn numbers(&mut self, mut bytes: &[u8], n_entries: u64, columns: &ColumnPlaces) -> Option<()> {
        let at = bytes.len().checked_sub(usize::try_from(n_entries).ok()?.checked_mul(4)?)?;
        let (values, _) = bytes.split_at(at).1.as_chunks::<4>();
        bytes = &bytes[..at];
        let mut next = 0u64;
        for value in values {
            let column = next.checked_add(take(&mut bytes)?)?;
            next = column + 1;
            if let Some(place) = columns.place(column)? {
                self.indices.push(place);
                self.values.push(f32::from_le_bytes(*value));
            }
        }
        bytes.is_empty().then_some(())
    }

    /// Puts the entries of the last row into the order of their places.
    fn sort_from(&mut self, start: usize) {
        let (indices, values) = (&mut self.indices[start..], &mut self.values[start..]);
        let mut pairs: Vec<(u32, f32)> = indices.iter().copied().zip(values.iter().copied()).collect();
        pairs.sort_unstable_by_key(|pair| pair.0);
        for (place, (column, value)) in pairs.into_iter().enumerate() {
            (indices[place], values[place]) = (column, value);
        }
    }
}

fn put(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[inline]
fn take(bytes: &mut &[u8]) -> Option<u64> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    if *first < 0x80 {
        return Some(u64::from(*first));
    }
    take_more(u64::from(*first & 0x7f), bytes)
}

fn take_more(mut number: u64, bytes: &mut &[u8]) -> Option<u64> {
    for shift in [7, 14, 21, 28, 35] {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(*byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some(number);
        }
    }
    None
}
