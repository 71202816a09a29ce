//! A component of each role, all called `faulty`: sound unless their table says `panics = true`.
//!
//! What they are for is what happens to a panic, and that every role can come from a library.

mod components;
mod modality;
mod networks;

framework::export_plugin!();
