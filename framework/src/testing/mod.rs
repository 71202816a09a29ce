//! What a plugin author calls in own tests: one line checks that a component keeps the promises of its trait.
//!
//! ```ignore
//! #[test]
//! fn student_t_conforms() {
//!     framework::testing::loss("student_t").check();
//! }
//!
//! #[test]
//! fn methylation_conforms() {
//!     framework::testing::modality("methylation").on("tests/small.h5ad").check();
//! }
//!
//! #[test]
//! fn everything_here_is_declared_well() {
//!     framework::testing::declarations(env!("CARGO_PKG_NAME"));
//! }
//! ```
//!
//! [`Conformance`] says what is checked. A check that fails panics, naming the component, the check, the table and size
//! it failed with, what was expected and what was found. Beside it stand small things for tests of one's own:
//! comparison ([`close`]; with the numbers of another program: [`golden`]), gradients ([`central_differences`], [`gradient`]), data ([`counts`], [`sparse`], [`target`])
//! and files ([`small_h5ad`], [`small_images`]).
//!
//! The module exists with the cargo feature `testing`, which belongs among the `[dev-dependencies]` only:
//! `framework = { package = "cithara-framework", …, features = ["testing"] }`.
//!
//! What is true of the numbers of one component (its formula, its reference) the kit cannot know: that stays with the
//! component's own tests.

#![cfg(any(test, feature = "testing"))]

mod cells;
mod close;
mod conformance;
mod declaration;
mod decoder;
mod differences;
mod documented;
mod encoder;
mod forms;
pub mod golden;
mod gradients;
mod images;
mod loss;
mod mismatch;
mod modality;
mod point;
mod prior;
mod seeds;
mod small;
mod step;
mod subject;

#[cfg(test)]
mod tests;

pub use close::close;
pub use conformance::{Conformance, decoder, encoder, loss, modality, prior, step};
pub use declaration::{all_declarations, declaration, declarations};
pub use differences::{central_differences, gradient};
pub use images::small_images;
pub use small::{counts, small_h5ad, sparse, target, values};
