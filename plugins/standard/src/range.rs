//! Ranges that several specs check alike.

use framework::Problem;
use framework::component::require;
use framework::nn::BlockForm;

/// The largest width of a layer.
pub const WIDEST: i64 = 1 << 20;

/// Refuses a probability of dropping that is not in [0, 1).
pub fn dropout(problems: &mut Vec<Problem>, key: &str, dropout: f64) {
    require(problems, (0.0..1.0).contains(&dropout), key, format!("is {dropout}, but must be in [0, 1)"));
}

/// Refuses a width that is not in [1, 2²⁰].
pub fn width(problems: &mut Vec<Problem>, key: &str, width: i64) {
    require(
        problems,
        (1..=WIDEST).contains(&width),
        key,
        format!("is {width}, but a width must be from 1 to {WIDEST}"),
    );
}

/// Refuses widths of hidden layers that are not at least one, each in [1, 2²⁰].
pub fn hidden(problems: &mut Vec<Problem>, widths: &[i64]) {
    require(problems, !widths.is_empty(), "hidden", "is empty, but at least one hidden layer is needed");
    for (place, n) in widths.iter().enumerate() {
        width(problems, &format!("hidden[{place}]"), *n);
    }
}

/// Refuses a slope that is not in [0, 1].
pub fn slope(problems: &mut Vec<Problem>, slope: f64) {
    require(problems, (0.0..=1.0).contains(&slope), "slope", format!("is {slope}, but must be in [0, 1]"));
}

/// Refuses a number that is not finite and above 0.
pub fn positive(problems: &mut Vec<Problem>, key: &str, number: f64) {
    require(problems, number.is_finite() && number > 0.0, key, format!("is {number}, but must be above 0"));
}

/// Refuses a number that is not finite and at least 0.
pub fn not_negative(problems: &mut Vec<Problem>, key: &str, number: f64) {
    require(problems, number.is_finite() && number >= 0.0, key, format!("is {number}, but must be at least 0"));
}

/// The form of the block that reads a network's input, with the input's own dropout where it is given.
pub fn input_form(form: BlockForm, input_dropout: Option<f64>) -> BlockForm {
    BlockForm { dropout: input_dropout.unwrap_or(form.dropout), ..form }
}
