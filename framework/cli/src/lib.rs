//! The command line of Cithara.
