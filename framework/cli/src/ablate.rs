//! Ablations: a base spec, named variants and seeds become runs, and the runs one honest comparison.
//!
//! [`study`] is the folder and what is in it, [`schedule`] runs what is missing, [`emit`] hands it to another engine,
//! [`collect`] gathers numbers by [`metric`], [`verdicts`] judges, [`report`] shows.

pub mod changes;
pub mod collect;
pub mod comparison;
pub mod emit;
pub mod forecast;
pub mod ledger;
pub mod metric;
pub mod numbers;
mod progress;
pub mod report;
pub mod schedule;
pub mod study;
pub mod verdicts;
