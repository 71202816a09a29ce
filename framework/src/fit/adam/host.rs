//! Adam in the processor's memory: one pass over parameter, gradient and moments, a piece of the cache at a time.
//!
//! `tch` lends no slice of a tensor, so each piece of a parameter and its gradient is copied to a buffer of its thread
//! and back; while a piece is in the cache this costs little beside fetching it.

use super::Stride;
use crate::fit::checkpoint::Checkpoint;
use crate::latent::EPSILON;
use anyhow::{Result, ensure};
use rayon::prelude::*;
use std::ops::{Add, Div, Mul, Sub};
use tch::Tensor;
use tch::kind::Element;

/// Numbers of one piece: it stays in the cache, and libtorch copies so few without starting threads.
const PIECE: usize = 1 << 15;

/// Numbers that one task walks through: enough that handing it out costs little.
const TASK: usize = 8 * PIECE;

/// Numbers that are stepped side by side.
const LANES: usize = 16;

/// A number of 32 or 64 bits.
pub(super) trait Real:
    Element
    + Copy
    + Default
    + PartialEq
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
{
    fn of(number: f64) -> Self;
    fn double(self) -> f64;
    fn sqrt(self) -> Self;
    fn abs(self) -> Self;
    /// `size` with the sign of this number; 0 at 0.
    fn signed(self, size: Self) -> Self;
}

macro_rules! real {
    ($kind:ty) => {
        impl Real for $kind {
            fn of(number: f64) -> Self {
                number as $kind
            }
            fn double(self) -> f64 {
                f64::from(self)
            }
            fn sqrt(self) -> Self {
                self.sqrt()
            }
            fn abs(self) -> Self {
                self.abs()
            }
            fn signed(self, size: Self) -> Self {
                if self == 0.0 { 0.0 } else { size.copysign(self) }
            }
        }
    };
}

real!(f32);
real!(f64);

/// The moments of one parameter, flat.
#[derive(Debug)]
pub(super) struct HostMoments<T> {
    first: Vec<T>,
    second: Vec<T>,
}

/// The numbers of a stride, of the parameter's kind.
#[derive(Clone, Copy)]
struct Factors<T> {
    weight_decay: T,
    l1: T,
    new_1: T,
    old_2: T,
    new_2: T,
    rate: T,
    scale: T,
    epsilon: T,
}

/// Equally long pieces of what a step works on.
struct Piece<'a, T> {
    parameter: &'a mut [T],
    gradient: &'a [T],
    first: &'a mut [T],
    second: &'a mut [T],
}

/// A longer stretch of the same: the tensors are views.
struct Task<'a, T> {
    parameter: Tensor,
    gradient: Tensor,
    first: &'a mut [T],
    second: &'a mut [T],
}

/// Zeros in memory that was written to: where pages of untouched memory are read before they are written, the system maps
/// each twice and interrupts every thread, which takes seconds for a hundred million of them.
fn zeros<T: Real>(n: usize) -> Vec<T> {
    let mut zeros = vec![T::default(); n];
    zeros.par_chunks_mut(TASK).for_each(|piece| piece.fill(T::default()));
    zeros
}

impl<T: Real> HostMoments<T> {
    /// Moments of 0.
    pub(super) fn of(parameter: &Tensor) -> HostMoments<T> {
        HostMoments { first: zeros(parameter.numel()), second: zeros(parameter.numel()) }
    }

    /// Copies of the moments, flat.
    pub(super) fn to_tensors(&self) -> [Tensor; 2] {
        [Tensor::from_slice(&self.first), Tensor::from_slice(&self.second)]
    }

    /// Takes the moments of these names from a checkpoint.
    pub(super) fn take_from(&mut self, names: [&str; 2], checkpoint: &Checkpoint) -> Result<()> {
        for (name, moment) in names.into_iter().zip([&mut self.first, &mut self.second]) {
            let (stored, n) = (checkpoint.tensor(name)?, moment.len());
            let fits = stored.numel() == n && stored.kind() == T::KIND;
            ensure!(fits, "`{name}` of the checkpoint holds {} numbers, but the model wants {n}", stored.numel());
            stored.copy_data(moment, n);
        }
        Ok(())
    }

    /// Moves the parameter by one step; returns Σ |p| as it was.
    ///
    /// Neither depends on the number of threads.
    pub(super) fn step(&mut self, parameter: &Tensor, gradient: &Tensor, stride: &Stride) -> Tensor {
        let factors = Factors::of(stride);
        let parameter = parameter.detach().view([-1]);
        let gradient = gradient.detach().contiguous().view([-1]);
        let moments = self.first.chunks_mut(TASK).zip(self.second.chunks_mut(TASK)).enumerate();
        let task = |(place, (first, second)): (usize, (_, _))| {
            let first: &mut [T] = first;
            let cut = |all: &Tensor| all.narrow(0, (place * TASK) as i64, first.len() as i64);
            Task { parameter: cut(&parameter), gradient: cut(&gradient), first, second }
        };
        let tasks: Vec<Task<'_, T>> = moments.map(task).collect();
        let length = PIECE.min(parameter.numel());
        let buffers = || [vec![T::default(); length], vec![T::default(); length]];
        let run = |buffers: &mut [Vec<T>; 2], task: Task<'_, T>| task.run(buffers, factors);
        // waking a thread takes longer than a small parameter
        let norms: Vec<f64> = match tasks.len() {
            0 | 1 => tasks.into_iter().map(|task| run(&mut buffers(), task)).collect(),
            _ => tasks.into_par_iter().map_init(buffers, run).collect(),
        };
        let norm: f64 = norms.into_iter().sum();
        Tensor::from(norm).to_kind(parameter.kind())
    }
}

impl<T: Real> Task<'_, T> {
    fn run(self, buffers: &mut [Vec<T>; 2], factors: Factors<T>) -> f64 {
        let [parameters, gradients] = buffers;
        let mut norm = 0.0;
        for (place, (first, second)) in self.first.chunks_mut(PIECE).zip(self.second.chunks_mut(PIECE)).enumerate() {
            let n = first.len();
            let cut = |all: &Tensor| all.narrow(0, (place * PIECE) as i64, n as i64);
            let (mut held, parameter, gradient) = (cut(&self.parameter), &mut parameters[..n], &mut gradients[..n]);
            held.copy_data(parameter, n);
            cut(&self.gradient).copy_data(gradient, n);
            norm += advance(Piece { parameter, gradient, first, second }, factors);
            held.copy_(&Tensor::from_slice(&parameters[..n]));
        }
        norm
    }
}

impl<T: Real> Factors<T> {
    fn of(stride: &Stride) -> Factors<T> {
        let Stride { rule, rate, scale } = stride;
        Factors {
            weight_decay: T::of(rule.weight_decay),
            l1: T::of(rule.l1),
            new_1: T::of(1.0 - rule.beta_1),
            old_2: T::of(rule.beta_2),
            new_2: T::of(1.0 - rule.beta_2),
            rate: T::of(*rate),
            scale: T::of(*scale),
            epsilon: T::of(EPSILON),
        }
    }
}

/// Moves one piece; returns Σ |p| as it was.
fn advance<T: Real>(piece: Piece<'_, T>, factors: Factors<T>) -> f64 {
    let Piece { parameter, gradient, first, second } = piece;
    let (p, rest_p) = parameter.as_chunks_mut::<LANES>();
    let (g, rest_g) = gradient.as_chunks::<LANES>();
    let (m, rest_m) = first.as_chunks_mut::<LANES>();
    let (v, rest_v) = second.as_chunks_mut::<LANES>();
    let mut norms = [T::default(); LANES];
    for (((p, g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
        for lane in 0..LANES {
            norms[lane] = norms[lane] + p[lane].abs();
            factors.advance(&mut p[lane], g[lane], &mut m[lane], &mut v[lane]);
        }
    }
    let mut norm: f64 = norms.into_iter().map(T::double).sum();
    for (((p, g), m), v) in rest_p.iter_mut().zip(rest_g).zip(rest_m).zip(rest_v) {
        norm += p.abs().double();
        factors.advance(p, *g, m, v);
    }
    norm
}

impl<T: Real> Factors<T> {
    #[inline(always)]
    fn advance(&self, p: &mut T, g: T, m: &mut T, v: &mut T) {
        let g = g + self.weight_decay * *p + p.signed(self.l1);
        *m = *m + (g - *m) * self.new_1;
        *v = *v * self.old_2 + g * g * self.new_2;
        *p = *p - self.rate * *m / (v.sqrt() * self.scale + self.epsilon);
    }
}
