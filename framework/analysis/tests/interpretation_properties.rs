//! What must hold of an interpretation whatever the cells are: their order does not matter, what is planted is found where it
//! was planted, what is noise is not, and sparse features are dense ones.

use analysis::{
    Alignment, BinSpec, CellSplit, CentreRule, ComponentBins, Direction, DirectionCount, FeatureScale, Interpretation,
    InterpretationSpec, Matrix, Reference, SparseRows, Values, fold_changes, interpret,
};
use proptest::prelude::*;
use tch::{Kind, Tensor};

const N_CELLS: usize = 1200;
const N_DIMENSIONS: usize = 4;
const N_FEATURES: usize = 40;
const N_REPEATS: u64 = 5;

/// Numbers that look random and depend on the seed alone.
struct Draw(u64);

impl Draw {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 24) as f32
    }

    fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.next()).sum::<f32>() - 6.0
    }
}

/// Feature 0 rises along the second axis, 1 falls along it, 2 is high at its centre; 3 rises along the first; the others are
/// noise, present in a third of the cells.
fn planted(seed: u64) -> (Vec<[f32; N_DIMENSIONS]>, Vec<Vec<f32>>) {
    let mut draw = Draw::new(seed);
    let cells = (0..N_CELLS).map(|_| {
        let cell = [8.0, 4.0, 2.0, 1.0].map(|spread: f32| spread * draw.normal());
        let strengths = [cell[1] / 4.0, -cell[1] / 4.0, 1.5 - (cell[1] / 2.0).abs(), cell[0] / 8.0];
        let value = |feature: usize| {
            let mean = strengths.get(feature).map_or(0.33, |strength| 1.0 / (1.0 + (-2.0 * strength).exp()));
            if draw.next() < mean { 1.0 + draw.next() } else { 0.0 }
        };
        (cell, (0..N_FEATURES).map(value).collect())
    });
    cells.unzip()
}

fn tensor(rows: &[impl AsRef<[f32]>]) -> Tensor {
    let numbers: Vec<f32> = rows.iter().flat_map(|row| row.as_ref().to_vec()).collect();
    Tensor::from_slice(&numbers).view([rows.len() as i64, -1])
}

fn spec() -> InterpretationSpec {
    InterpretationSpec {
        bins: BinSpec { centre: CentreRule::All, centre_percentile: 60.0, ..BinSpec::default() },
        thresholds: fold_changes(1.2, 3.0, 0.2).unwrap(),
        ..InterpretationSpec::default()
    }
}

fn splits() -> Vec<CellSplit> {
    (0..N_REPEATS).map(|seed| CellSplit::random(N_CELLS, 0.4, seed).unwrap()).collect()
}

/// Everything that was counted.
fn all_counts(found: &Interpretation) -> Vec<(usize, usize, usize, Vec<u32>, usize)> {
    let of = |component: usize, direction: Direction| {
        let counts = found.counts(component, direction).into_iter();
        counts.map(move |count| (component, direction as usize, count.feature, count.repeats, count.n_positive))
    };
    let directions = (0..found.n_components()).flat_map(|at| Direction::ALL.map(|direction| (at, direction)));
    directions.flat_map(|(component, direction)| of(component, direction).collect::<Vec<_>>()).collect()
}

#[test]
fn what_is_planted_is_found_and_noise_is_not() {
    let (space, features) = planted(1);
    let matrix = Matrix::dense(&tensor(&features)).unwrap();
    let found = interpret(&tensor(&space), &matrix, &splits(), &spec()).unwrap();
    assert_eq!((found.n_components(), found.n_repeats, found.n_features), (4, 5, N_FEATURES));
    assert!(found.components.iter().all(|component| component.agreement > 0.95));
    let signs = |component, direction, feature| {
        let counts = found.counts(component, direction);
        counts.iter().find(|count| count.feature == feature).map(|count| (count.repeats[0], count.n_positive as u32))
    };
    // components have the sign of their largest loading, which is that of the axes
    use Direction::{Centre, NegativeEnd, PositiveEnd};
    assert_eq!([NegativeEnd, PositiveEnd].map(|end| signs(1, end, 0)), [Some((5, 0)), Some((5, 5))]);
    assert_eq!([NegativeEnd, PositiveEnd].map(|end| signs(1, end, 1)), [Some((5, 5)), Some((5, 0))]);
    assert_eq!(signs(1, Centre, 2), Some((5, 5)));
    assert_eq!([NegativeEnd, PositiveEnd].map(|end| signs(0, end, 3)), [Some((5, 0)), Some((5, 5))]);
    // planted along one component, and found along that one only
    for explained in found.explained(0, 3) {
        assert_eq!(explained.component, usize::from(explained.feature != 3), "{explained:?}");
    }
    // every repeat finds those; false discoveries agreed in train and test of 3 of 5 repeats are none
    let by_feature = found.n_directions_by_feature(0, 3);
    assert!(by_feature[..4].iter().all(|&n| n >= 1) && by_feature[4..].iter().all(|&n| n == 0), "{by_feature:?}");
    let explained_by_feature = found.explained(0, 3).iter().filter(|one| one.feature == 0).count();
    assert_eq!(by_feature[0] as usize, explained_by_feature);
    let all_agree = found.explained(0, 5);
    assert!(all_agree.iter().any(|one| one.feature == 0 && one.n_repeats == 5));
    // both ends of one component
    assert!(explained_by_feature >= 2);
    assert!(found.explained(99, 1).is_empty() && found.counts(99, Centre).is_empty());
}

#[test]
fn false_discoveries_are_rare_without_anything_to_discover() {
    let mut n_hits = 0;
    for seed in 0..6 {
        let (space, _) = planted(seed);
        let (_, features) = planted(seed + 1000);
        let matrix = Matrix::dense(&tensor(&features)).unwrap();
        let found = interpret(&tensor(&space), &matrix, &splits(), &spec()).unwrap();
        n_hits += all_counts(&found).iter().map(|(.., repeats, _)| repeats[0]).sum::<u32>();
    }
    // 6 × 5 repeats × 12 tables of 40 features; both halves would have to be wrong together
    assert!(n_hits <= 3, "{n_hits}");
}

#[test]
fn curves_fall_and_are_ranked_by_their_area() {
    let (space, features) = planted(3);
    let matrix = Matrix::dense(&tensor(&features)).unwrap();
    let found = interpret(&tensor(&space), &matrix, &splits(), &spec()).unwrap();
    for how in [DirectionCount::Any, DirectionCount::Summed] {
        let curves = found.curves(1, how);
        assert!(curves.windows(2).all(|pair| pair[0].area >= pair[1].area) && curves.len() >= 3);
        for curve in &curves {
            assert!(curve.repeats.is_sorted_by(|left, right| left >= right));
            assert!(curve.repeats[0] as usize <= found.curve_maximum(how));
            let sum: u32 = curve.repeats.iter().sum();
            assert!((curve.area - 0.2 * f64::from(sum)).abs() < 1e-9);
            let directions = Direction::ALL.map(|direction| {
                let counts = found.counts(1, direction);
                counts.into_iter().find(|count| count.feature == curve.feature).map_or(0, |count| count.repeats[0])
            });
            let (best, total) = (directions.into_iter().max().unwrap(), directions.iter().sum::<u32>());
            match how {
                DirectionCount::Any => assert!((best..=total.min(N_REPEATS as u32)).contains(&curve.repeats[0])),
                DirectionCount::Summed => assert_eq!(curve.repeats[0], total),
            }
        }
    }
    // both ends count for one repeat, or for two
    let first = |how| found.curves(1, how).iter().find(|curve| curve.feature == 0).unwrap().repeats[0];
    assert_eq!(first(DirectionCount::Any), 5);
    assert!(first(DirectionCount::Summed) >= 10);
}

#[test]
fn a_small_part_tests_nothing_and_says_so() {
    let (space, features) = planted(1);
    let matrix = Matrix::dense(&tensor(&features)).unwrap();
    let split = CellSplit { train: (0..1000).collect(), test: vec![1001, 1002, 1003] };
    let found = interpret(&tensor(&space), &matrix, &[split], &spec()).unwrap();
    assert!(found.components.iter().any(|component| component.n_tested.contains(&0)));
    assert!(found.explained(0, 1).is_empty());
    let other = CellSplit { train: (0..1000).collect(), test: vec![1001, N_CELLS] };
    let failure = interpret(&tensor(&space), &matrix, &[other], &spec()).unwrap_err().to_string();
    assert!(failure.contains("cell 1200"), "{failure}");
    assert!(interpret(&tensor(&space[1..]), &matrix, &splits(), &spec()).unwrap_err().to_string().contains("1199"));
    let negative = Matrix::dense(&(tensor(&features) - 1.0)).unwrap();
    let failure = interpret(&tensor(&space), &negative, &splits(), &spec()).unwrap_err().to_string();
    assert!(failure.contains("below 0"), "{failure}");
    let ranged = InterpretationSpec { scale: FeatureScale::Range, values: Values::Plain, ..spec() };
    assert!(!interpret(&tensor(&space), &negative, &splits(), &ranged).unwrap().explained(0, 3).is_empty());
}

#[test]
fn cells_beyond_the_training_range_are_in_the_end_they_are_beyond() {
    let (space, _) = planted(1);
    let scores = tensor(&space).to_kind(Kind::Double);
    let bins = ComponentBins::fit(&scores.narrow(0, 0, 600), 1, spec().bins).unwrap();
    let seen = space[..600].iter().map(|cell| cell[1]);
    let (low, high) = seen.fold((f32::MAX, f32::MIN), |(low, high), score| (low.min(score), high.max(score)));
    let direction = |score: f32| bins.direction(bins.bin(f64::from(score)));
    assert_eq!([low, low - 1.0].map(direction), [Some(Direction::NegativeEnd); 2]);
    assert_eq!([high, high + 1.0].map(direction), [Some(Direction::PositiveEnd); 2]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn order_of_cells_and_how_they_are_stored_do_not_matter(seed in 0u64..1_000_000, rest in prop::bool::ANY, unit in prop::bool::ANY) {
        let (space, features) = planted(seed);
        let spec = InterpretationSpec {
            reference: if rest { Reference::Rest } else { Reference::OtherGroups },
            scale: if unit { FeatureScale::UnitVariance } else { FeatureScale::AsIs },
            alignment: Alignment::Sign,
            ..spec()
        };
        let first = interpret(&tensor(&space), &Matrix::dense(&tensor(&features)).unwrap(), &splits(), &spec).unwrap();
        // the same cells elsewhere, and the same splits of them
        let mut draw = Draw::new(seed + 1);
        let mut order: Vec<(f32, usize)> = (0..N_CELLS).map(|cell| (draw.next(), cell)).collect();
        order.sort_by(|left, right| left.0.total_cmp(&right.0));
        let mut places = vec![0; N_CELLS];
        order.iter().enumerate().for_each(|(place, (_, cell))| places[*cell] = place);
        let moved = |cells: &[usize]| { let mut cells: Vec<usize> = cells.iter().map(|&cell| places[cell]).collect(); cells.sort_unstable(); cells };
        let splits: Vec<CellSplit> = splits().iter().map(|split| CellSplit { train: moved(&split.train), test: moved(&split.test) }).collect();
        let space: Vec<[f32; N_DIMENSIONS]> = order.iter().map(|(_, cell)| space[*cell]).collect();
        let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
        for (_, cell) in &order {
            for (feature, &value) in features[*cell].iter().enumerate().filter(|(_, value)| **value > 0.0) {
                indices.push(feature as u32);
                values.push(value);
            }
            indptr.push(values.len() as u64);
        }
        let sparse = SparseRows::new(&indptr, &indices, &values, N_FEATURES).unwrap().into();
        let second = interpret(&tensor(&space), &sparse, &splits, &spec).unwrap();
        prop_assert_eq!(all_counts(&first), all_counts(&second));
        prop_assert!(!all_counts(&first).is_empty());
        prop_assert_eq!(first.curves(1, DirectionCount::Any), second.curves(1, DirectionCount::Any));
    }

    #[test]
    fn turning_the_space_changes_nothing(seed in 0u64..1_000_000) {
        // axes swapped and one mirrored: components are the same, but for the sign of one
        let (space, features) = planted(seed);
        let matrix = Matrix::dense(&tensor(&features)).unwrap();
        let turned: Vec<[f32; N_DIMENSIONS]> = space.iter().map(|cell| [cell[2], -cell[1], cell[3], cell[0]]).collect();
        let found = [tensor(&space), tensor(&turned)].map(|space| interpret(&space, &matrix, &splits(), &spec()).unwrap());
        let explained = found.map(|found| {
            found.explained(0, 4).into_iter().map(|one| (one.component, one.direction, one.feature)).collect::<Vec<_>>()
        });
        let mirrored = |(component, direction, feature): (usize, Direction, usize)| {
            let other = Direction::ALL[2 - direction as usize];
            (component, if component == 1 { other } else { direction }, feature)
        };
        let mut expected: Vec<_> = explained[1].iter().copied().map(mirrored).collect();
        expected.sort();
        prop_assert_eq!(&explained[0], &expected);
    }
}
