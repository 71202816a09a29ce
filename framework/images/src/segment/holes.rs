//! Holes: background that a nucleus encloses.

/// Turns background that cannot be reached from the border, by edges of pixels, into foreground.
///
/// The same as SciPy's `binary_fill_holes`.
///
/// # Shapes
/// `foreground`: `size.0 × size.1`, row by row.
pub fn fill_holes(foreground: &mut [bool], size: (usize, usize)) {
    let (height, width) = size;
    let mut outside = vec![false; foreground.len()];
    let mut waiting: Vec<usize> = Vec::new();
    let border = (0..width).flat_map(|column| [column, (height - 1) * width + column]);
    let sides = (0..height).flat_map(|row| [row * width, row * width + width - 1]);
    for place in border.chain(sides).filter(|&place| !foreground[place]) {
        if !std::mem::replace(&mut outside[place], true) {
            waiting.push(place);
        }
    }
    while let Some(place) = waiting.pop() {
        for near in beside(place, size) {
            if !foreground[near] && !std::mem::replace(&mut outside[near], true) {
                waiting.push(near);
            }
        }
    }
    foreground.iter_mut().zip(outside).for_each(|(pixel, outside)| *pixel = !outside);
}

/// Places of the pixels that share an edge with one: above, left, right, below.
pub(super) fn beside(place: usize, (height, width): (usize, usize)) -> impl Iterator<Item = usize> {
    let (row, column) = (place / width, place % width);
    let above = (row > 0).then(|| place - width);
    let left = (column > 0).then(|| place - 1);
    let right = (column + 1 < width).then_some(place + 1);
    let below = (row + 1 < height).then_some(place + width);
    [above, left, right, below].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_filled_and_a_horseshoe_is_not() {
        let picture = |text: &str| text.chars().map(|letter| letter == '#').collect::<Vec<_>>();
        let mut ring = picture(".###..#.#..###.");
        fill_holes(&mut ring, (3, 5));
        assert_eq!(ring, picture(".###..###..###."));
        let horseshoe = picture(".###..#.#..#.#.");
        let mut filled = horseshoe.clone();
        fill_holes(&mut filled, (3, 5));
        assert_eq!(filled, horseshoe);
    }

    #[test]
    fn corners_do_not_let_through() {
        let diamond = "..#...#.#.#...#.#.#...#..";
        let mut filled: Vec<bool> = diamond.chars().map(|letter| letter == '#').collect();
        fill_holes(&mut filled, (5, 5));
        assert_eq!(filled.iter().filter(|&&pixel| pixel).count(), 13);
    }
}
