//! Assays that the program does not have: compiled in and loaded they give the same bits, and what goes wrong in a
//! library, or with one, becomes a message.

mod built;
mod cells;
mod doors;
mod examples;
mod faults;
mod libraries;
