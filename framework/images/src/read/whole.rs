//! Whole numbers with a sign, or of 64 bits, as the kinds of pixels there are.

use anyhow::{Result, anyhow};

use crate::plane::Pixels;

/// Whole numbers that must fit into 8 bits without a sign.
pub(super) fn into_u8<T: Copy + TryInto<u8> + std::fmt::Display>(values: &[T]) -> Result<Pixels> {
    Ok(Pixels::U8(converted(values, "8-bit")?))
}

/// Whole numbers that must fit into 16 bits without a sign.
pub(super) fn into_u16<T: Copy + TryInto<u16> + std::fmt::Display>(values: &[T]) -> Result<Pixels> {
    Ok(Pixels::U16(converted(values, "16-bit")?))
}

/// Whole numbers that must fit into 32 bits without a sign.
pub(super) fn into_u32<T: Copy + TryInto<u32> + std::fmt::Display>(values: &[T]) -> Result<Pixels> {
    Ok(Pixels::U32(converted(values, "32-bit")?))
}

fn converted<T: Copy + TryInto<U> + std::fmt::Display, U>(values: &[T], kind: &str) -> Result<Vec<U>> {
    let one = |&value: &T| {
        value.try_into().map_err(|_| anyhow!("a pixel is {value}; expected {kind} whole numbers without a sign"))
    };
    values.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_dropped_where_there_is_none() {
        assert_eq!(into_u16(&[3_i16, 32767]).unwrap(), Pixels::U16(vec![3, 32767]));
        assert_eq!(into_u32(&[70000_i64]).unwrap(), Pixels::U32(vec![70000]));
        let error = into_u8(&[3_i8, -1]).unwrap_err().to_string();
        assert_eq!(error, "a pixel is -1; expected 8-bit whole numbers without a sign");
    }
}
