//! That gradients reach what is learned, and are those of finite differences.

use super::cells::same;
use super::close::not_finite;
use super::mismatch::{Checked, Examined, Fault, Mismatch, expect, words};
use super::point::{DOUBLE, Point, Precision, SINGLE, sign};
use super::subject::{Built, Mode, N_CELLS, Subject, to_kind, undisturbed};
use anyhow::{Result, ensure};
use std::collections::BTreeSet;
use tch::Kind;

/// Directions in which each tensor is moved.
const N_DIRECTIONS: u64 = 4;

/// Reach and agreement, in every mode.
pub(super) fn check_gradients(examined: &Examined<'_>, subject: &dyn Subject) -> Result<(), Fault> {
    let size = subject.size();
    examined.check("a gradient reaches all that is learned", &size, || reached(subject))?;
    let precision = precision(examined, subject);
    for mode in subject.modes() {
        let name = format!("gradients are those of finite differences {}", mode.name());
        examined.check(&name, &size, || undisturbed(|| agree(subject, mode, precision)))?;
    }
    examined.check("sparse and dense inputs give the same gradients", &size, || same_from_sparse(subject))
}

/// Double precision, unless the component cannot work in it.
fn precision(examined: &Examined<'_>, subject: &dyn Subject) -> &'static Precision {
    let works = || -> Result<()> {
        let mut built = Built::new(subject, 1)?;
        built.store.double();
        let outputs = built.evaluate(&to_kind(&subject.inputs(N_CELLS, 1), Kind::Double), Mode::EVALUATION)?;
        let all_double = outputs.iter().all(|output| output.kind() == Kind::Double);
        ensure!(all_double, "from double precision it makes another");
        Ok(())
    };
    let Err(error) = works() else { return &DOUBLE };
    let (info, size) = (examined.info, subject.size());
    eprintln!(
        "note: the {} `{}` does not work in double precision ({size}), so its gradients are compared in single \
         precision with a tolerance of {}: {}",
        info.role,
        info.name,
        SINGLE.relative,
        words(&error)
    );
    &SINGLE
}

fn reached(subject: &dyn Subject) -> Checked {
    let mut missed: Option<BTreeSet<String>> = None;
    for mode in subject.modes() {
        for seed in 1..=3 {
            let point = Point::new(subject, mode, Kind::Float, seed)?;
            let mut now = BTreeSet::new();
            for ((name, _), gradient) in point.learned.iter().zip(point.gradients()?) {
                let wrong = not_finite(&gradient);
                let expected = format!("a finite gradient of {name} {}", mode.name());
                expect(wrong.is_none(), expected, wrong.unwrap_or_default())?;
                let optional = name.starts_with("input") && !subject.needs_gradient();
                if !optional && gradient.count_nonzero(None::<i64>).int64_value(&[]) == 0 {
                    now.insert(name.clone());
                }
            }
            missed = Some(missed.map_or(now.clone(), |missed| &missed & &now));
        }
    }
    let missed: Vec<String> = missed.unwrap_or_default().into_iter().collect();
    expect(missed.is_empty(), "a gradient that is not zero", format!("none for {}", missed.join(", ")))
}

fn agree(subject: &dyn Subject, mode: Mode, precision: &Precision) -> Checked {
    let point = Point::new(subject, mode, precision.kind, 1)?;
    let gradients = point.gradients()?;
    for ((name, tensor), gradient) in point.learned.iter().zip(&gradients) {
        for seed in 0..N_DIRECTIONS {
            let direction = sign(&tensor.size(), 100 + seed).to_kind(precision.kind) / (tensor.numel() as f64).sqrt();
            let claimed = (gradient * &direction).sum(Kind::Double).double_value(&[]);
            if let Some(slope) = point.other_slope(tensor, &direction, claimed, precision)? {
                let expected =
                    format!("a slope of {slope:.6e} along a direction of {name}, as central differences say");
                return Err(Mismatch::new(expected, format!("{claimed:.6e} by the gradient")));
            }
        }
    }
    Ok(())
}

fn same_from_sparse(subject: &dyn Subject) -> Checked {
    if !subject.takes_sparse() {
        return Ok(());
    }
    let dense = Point::new(subject, Mode::EVALUATION, Kind::Float, 1)?;
    let sparse = Point::new(subject, Mode::SPARSE, Kind::Float, 1)?;
    let (expected, found) = (dense.gradients()?, sparse.gradients()?);
    for (((name, _), found), expected) in dense.learned.iter().zip(found).zip(expected) {
        let scale = expected.abs().max().double_value(&[]).max(1e-30);
        same(&[found / scale], &[expected / scale], 1e-4, &format!("the gradient of {name} that dense inputs give"))?;
    }
    Ok(())
}
