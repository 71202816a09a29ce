//! Every component against the rules of the framework.

use electrophysiology as _;

#[test]
fn declarations_are_complete() {
    framework::testing::declarations("electrophysiology");
}

#[test]
fn the_modality_conforms() {
    framework::testing::modality("electrophysiology").check();
}

#[test]
fn the_loss_conforms() {
    framework::testing::loss("student_t").table("degrees_of_freedom = 0.5").check();
}
