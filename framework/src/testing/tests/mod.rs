//! The kit itself: sound components pass, and each that is broken in one way is caught, with a message that names how.
//!
//! The components of these tests have a key `fault` that names what is wrong with them; nothing is where it is empty.

mod declaration;
mod loss;
mod modality;
mod networks;
mod prior;
mod step;

use super::conformance::Conformance;
use crate::component::Role;

/// What the kit says of a component with this fault.
fn told(role: Role, name: &str, fault: &str) -> String {
    let conformance = Conformance::of(role, name).table(&format!("fault = \"{fault}\""));
    match conformance.run() {
        Ok(()) => panic!("the kit did not notice the fault `{fault}`"),
        Err(fault) => fault.to_string(),
    }
}

/// Wants every fault to be caught by the check that is for it, and its message to hold these words.
fn assert_told(role: Role, name: &str, faults: &[(&str, &str, &str)]) {
    for (fault, check, words) in faults {
        let told = told(role, name, fault);
        let first = format!("the {role} `{name}` does not conform: {check}");
        assert!(told.starts_with(&first), "`{fault}` was caught by another check:\n{told}");
        assert!(told.contains(words), "`{fault}`: `{words}` is not in\n{told}");
        assert!(told.contains(&format!("fault = \"{fault}\"")), "{told}");
    }
}

#[test]
fn a_message_shows_component_check_table_expectation_and_finding() {
    let told = told(Role::Loss, "toy_loss", "wrong_shape");
    let expected = "the loss `toy_loss` does not conform: shapes are right, for one cell, too\n  with:     the table `fault \
                    = \"wrong_shape\"`, 1 feature\n  expected: the sizes [[5]] for 5 cells in evaluation\n  found:    \
                    [[5, 1]]";
    assert_eq!(told, expected);
}

#[test]
#[should_panic(expected = "the loss `toy_loss` does not conform: shapes are right, for one cell, too")]
fn a_failed_check_panics() {
    super::loss("toy_loss").table("fault = \"wrong_shape\"").check();
}

#[test]
#[should_panic(expected = "no loss `toy_los` is declared in this program; declared: [")]
fn a_name_that_is_not_declared_is_told() {
    super::loss("toy_los");
}

#[test]
#[should_panic(expected = "the loss `toy_loss` opens no file; `on` is for modalities")]
fn a_file_is_for_modalities() {
    let _ = super::loss("toy_loss").on("cells.h5ad");
}
