//! Losses and expected values at the ends of what is legal.

use super::{Sized, finite_gradients, target_of};
use crate::loss::TargetValues;
use crate::testing::close::{flat, not_finite};
use crate::testing::forms::size_of;
use crate::testing::mismatch::{Checked, expect};
use crate::testing::small::uniform;
use crate::testing::subject::{Built, Mode, N_CELLS, Subject};
use tch::nn::VarStore;
use tch::{Device, Kind, Tensor, no_grad};

/// The largest values of a target that is not bounded, and the largest counts and trials.
const LARGEST_VALUE: f64 = 1e4;
const LARGEST_COUNT: f64 = 1e6;

/// Finite losses and gradients for every extreme prediction with every extreme target.
pub(super) fn check(subject: &Sized<'_>, largest: f64) -> Checked {
    let built = Built::new(subject, 1)?;
    let modes = if subject.takes_sparse() { vec![Mode::EVALUATION, Mode::SPARSE] } else { vec![Mode::EVALUATION] };
    for (what, target) in targets(subject) {
        for (which, prediction) in predictions(subject, largest) {
            for mode in &modes {
                let prediction = prediction.copy().set_requires_grad(true);
                let inputs: Vec<Tensor> =
                    std::iter::once(&prediction).chain(&target).map(Tensor::shallow_clone).collect();
                let loss = (built.function)(&inputs, *mode)?.remove(0);
                let case = format!("{which} with {what}");
                let wrong = not_finite(&loss);
                expect(wrong.is_none(), format!("finite losses for {case}"), wrong.unwrap_or_default())?;
                finite_gradients(&built, &prediction, &loss, &case)?;
            }
        }
    }
    Ok(())
}

/// Expected values of the shape of the prediction, finite, in the range of the target.
pub(super) fn expectations(subject: &Sized<'_>, largest: f64) -> Checked {
    let store = VarStore::new(Device::Cpu);
    let loss = subject.loss(&store)?;
    let (lowest, highest) = match subject.values {
        TargetValues::Processed => (f64::NEG_INFINITY, f64::INFINITY),
        TargetValues::Counts => (0.0, f64::INFINITY),
        TargetValues::UnitInterval | TargetValues::Presence | TargetValues::Trials => (0.0, 1.0),
    };
    let totals = target_of(&subject.target(N_CELLS, 1), Mode::EVALUATION).totals();
    let mut cases = predictions(subject, largest);
    cases.push(("usual predictions", subject.prediction(N_CELLS, 1)));
    for (which, prediction) in cases {
        for totals in [None, Some(&totals), Some(&totals.zeros_like())] {
            let expected = no_grad(|| loss.expectation(&prediction, totals))?;
            let (size, found) = (prediction.size(), expected.size());
            expect(found == size, format!("the size {size:?} of the prediction"), format!("{found:?}"))?;
            let wrong = flat(&expected).into_iter().find(|one| {
                // Rounding may pass the end of the range.
                !one.is_finite() || *one < lowest - 1e-5 || *one > highest + 1e-5
            });
            let range = format!("finite expected values in [{lowest}, {highest}] for {which}");
            expect(wrong.is_none(), range, wrong.unwrap_or_default().to_string())?;
        }
    }
    Ok(())
}

fn predictions(subject: &Sized<'_>, largest: f64) -> Vec<(&'static str, Tensor)> {
    let size = size_of(&subject.shape, N_CELLS);
    let all = |number: f64| Tensor::full(&size, number, (Kind::Float, Device::Cpu));
    vec![
        ("predictions of the largest legal size", all(largest)),
        ("predictions of minus the largest legal size", all(-largest)),
        ("predictions of zero", all(0.0)),
        ("predictions of either sign and the largest legal size", uniform(&size, [-1.0, 1.0], 9).sign() * largest),
        ("predictions of every legal size", uniform(&size, [-largest, largest], 10)),
    ]
}

/// Targets by what is extreme about them: values and, where there are any, trials.
fn targets(subject: &Sized<'_>) -> Vec<(String, Vec<Tensor>)> {
    let size = size_of(&subject.shape, N_CELLS);
    let all = |number: f64| Tensor::full(&size, number, (Kind::Float, Device::Cpu));
    let mixed = |number: f64| uniform(&size, [-1.0, 1.0], 8).gt(0.0).to_kind(Kind::Float) * number;
    let numbers: &[f64] = match subject.values {
        TargetValues::Processed => &[0.0, LARGEST_VALUE, -LARGEST_VALUE],
        TargetValues::UnitInterval => &[0.0, 1.0, 1e-30],
        TargetValues::Counts => &[0.0, 1.0, LARGEST_COUNT],
        TargetValues::Presence => &[0.0, 1.0],
        TargetValues::Trials => {
            let cases = [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.0, LARGEST_COUNT), (LARGEST_COUNT, LARGEST_COUNT)];
            let whole = cases.map(|(k, n)| (format!("{k} successes in {n} trials"), vec![all(k), all(n)]));
            let some = (
                format!("{LARGEST_COUNT} successes in as many trials beside none in none"),
                vec![mixed(LARGEST_COUNT), mixed(LARGEST_COUNT)],
            );
            return whole.into_iter().chain([some]).collect();
        }
    };
    let whole = numbers.iter().map(|number| (format!("targets of {number}"), vec![all(*number)]));
    let some = numbers.iter().map(|number| (format!("targets of {number} beside 0"), vec![mixed(*number)]));
    whole.chain(some).collect()
}
