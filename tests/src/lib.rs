//! Whole-project checks; see the files beside `src`.
