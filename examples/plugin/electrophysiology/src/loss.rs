//! Loss `student_t`: errors with heavy tails, so that a badly measured cell does not outweigh the others.

use framework::anyhow::Result;
use framework::component::{Problem, Spec, require};
use framework::schemars::JsonSchema;
use framework::serde::{Deserialize, Serialize};
use framework::tch::{Kind, Tensor, nn};
use framework::{Loss, LossContext, LossSpec, Target, TargetValues, component, ensure_same_shape, typetag};

/// Negative log-likelihood of Student's t of the values after the steps, mean over the features of a cell.
///
/// With e the error over the scale s: (ν + 1)/2 ln(1 + e²/ν) + ln s; what no parameter changes is left out. The scale of each
/// feature is learned with the model, from 0.001 to 1000.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "framework::serde", deny_unknown_fields, default)]
#[schemars(crate = "framework::schemars")]
pub struct StudentTSpec {
    /// Degrees of freedom ν, above 0: the fewer, the heavier the tails; of 30 and more it is as good as the normal one.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub degrees_of_freedom: f64,
}

impl Default for StudentTSpec {
    fn default() -> Self {
        StudentTSpec { degrees_of_freedom: 4.0 }
    }
}

impl Spec for StudentTSpec {
    fn validate(&self) -> Vec<Problem> {
        let (mut problems, freedom) = (Vec::new(), self.degrees_of_freedom);
        let holds = freedom > 0.0 && freedom.is_finite();
        require(&mut problems, holds, "degrees_of_freedom", format!("is {freedom}, but must be above 0"));
        problems
    }
}

#[typetag::serialize(name = "student_t")]
impl LossSpec for StudentTSpec {
    fn build(&self, context: &LossContext<'_>) -> Result<Box<dyn Loss>> {
        let log_scale = context.vars.f_var("log_scale", &[context.output.n_features()], nn::Init::Const(0.0))?;
        Ok(Box::new(StudentT { log_scale, freedom: self.degrees_of_freedom }))
    }
}

struct StudentT {
    log_scale: Tensor,
    freedom: f64,
}

impl Loss for StudentT {
    fn target(&self) -> TargetValues {
        TargetValues::Processed
    }

    fn per_cell(&self, prediction: &Tensor, target: &Target) -> Result<Tensor> {
        let target = target.dense().to_kind(prediction.kind());
        ensure_same_shape(prediction, &target)?;
        let log_scale = self.log_scale.f_clamp(0.001f64.ln(), 1000f64.ln())?;
        let error = (prediction - target).f_flatten(1, -1)?.f_mul(&(-&log_scale).f_exp()?)?;
        let cost = (error.f_square()? / self.freedom).f_log1p()? * ((self.freedom + 1.0) / 2.0) + log_scale;
        Ok(cost.f_mean_dim([1i64].as_slice(), false, None::<Kind>)?)
    }

    fn expectation(&self, prediction: &Tensor, _totals: Option<&Tensor>) -> Result<Tensor> {
        Ok(prediction.shallow_clone())
    }
}

component! {
    role: Loss,
    name: "student_t",
    spec: StudentTSpec,
    summary: "Student's t likelihood, with a learned scale for each feature",
    source: "Lange, Little and Taylor 1989, Journal of the American Statistical Association 84",
    example: "degrees_of_freedom = 3.0",
}
