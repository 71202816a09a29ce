//! Loss `beta_binomial`: successes among trials, the chance of each cell varying about the predicted one.

use framework::anyhow::{Context, Result, ensure};
use framework::component::{Problem, Spec, require};
use framework::schemars::JsonSchema;
use framework::serde::{Deserialize, Serialize};
use framework::tch::{Kind, Tensor, nn};
use framework::{Features, Loss, LossContext, LossSpec, Target, TargetValues, component, typetag};

/// Concentrations between which the learned ones are kept: below, chances are 0 or 1; above, the binomial.
const CONCENTRATIONS: [f64; 2] = [1e-6, 1e6];

/// Which terms of the log-likelihood are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "framework::serde", rename_all = "snake_case")]
#[schemars(crate = "framework::schemars")]
pub enum Likelihood {
    /// All.
    #[default]
    Full,
    /// Without the logarithm of the binomial coefficient, which no parameter changes.
    WithoutConstant,
}

/// Negative beta-binomial log-likelihood of k successes among n trials, mean over the features of a cell that have trials.
///
/// ln (n choose k) + ln B(k + α, n − k + β) − ln B(α, β), with α = φ σ(prediction) and β = φ − α; the concentration φ of
/// each feature is learned with the model. A cell without trials costs 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "framework::serde", deny_unknown_fields, default)]
#[schemars(crate = "framework::schemars")]
pub struct BetaBinomialSpec {
    /// The concentration φ that every feature starts from, from 10⁻⁶ to 10⁶; the larger, the nearer to the binomial.
    #[schemars(range(min = 1e-6, max = 1e6))]
    pub concentration: f64,
    /// `full`, or `without_constant`: without ln (n choose k); gradients are the same.
    pub likelihood: Likelihood,
}

impl Default for BetaBinomialSpec {
    fn default() -> Self {
        BetaBinomialSpec { concentration: 10.0, likelihood: Likelihood::Full }
    }
}

impl Spec for BetaBinomialSpec {
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let [least, most] = CONCENTRATIONS;
        let holds = (least..=most).contains(&self.concentration);
        let message = format!("is {}, but must be from {least} to {most}", self.concentration);
        require(&mut problems, holds, "concentration", message);
        problems
    }
}

#[typetag::serialize(name = "beta_binomial")]
impl LossSpec for BetaBinomialSpec {
    fn build(&self, context: &LossContext<'_>) -> Result<Box<dyn Loss>> {
        let (start, n_features) = (nn::Init::Const(self.concentration.ln()), context.output.n_features());
        let log_concentration = context.vars.f_var("log_concentration", &[n_features], start)?;
        Ok(Box::new(BetaBinomial { log_concentration, likelihood: self.likelihood }))
    }
}

/// The loss of a [`BetaBinomialSpec`].
#[derive(Debug)]
struct BetaBinomial {
    /// ln φ: [n_features].
    log_concentration: Tensor,
    likelihood: Likelihood,
}

/// The entries that have trials, in double precision: logarithms of the gamma function of large counts nearly cancel.
struct Entries {
    /// The cell of each.
    rows: Tensor,
    /// The feature of each.
    columns: Tensor,
    logits: Tensor,
    successes: Tensor,
    trials: Tensor,
}

impl Entries {
    fn of(prediction: &Tensor, target: &Target) -> Result<Entries> {
        let trials =
            target.trials().context("the loss compares successes with trials, but the target has no trials")?;
        let (n_cells, n_features) = (trials.n_cells(), trials.n_features());
        ensure!(
            prediction.size().first() == Some(&n_cells) && prediction.numel() as i64 == n_cells * n_features,
            "the prediction has shape {:?}, but the target has {n_cells} cells × {n_features} features; the decoder must \
             return one value per feature",
            prediction.size()
        );
        let (rows, columns, trials) = match trials {
            Features::Sparse(sparse) => (sparse.rows(), sparse.indices.shallow_clone(), sparse.values.shallow_clone()),
            Features::Dense(table) => {
                let table = table.f_reshape([n_cells, n_features])?;
                let places = table.f_nonzero()?;
                (places.f_select(1, 0)?, places.f_select(1, 1)?, table.f_masked_select(&table.f_ne(0.0)?)?)
            }
        };
        let places = (&rows * n_features).f_add(&columns)?;
        let at = |table: &Tensor| table.f_reshape([-1])?.f_index_select(0, &places)?.f_to_kind(Kind::Double);
        let (logits, successes) = (at(prediction)?, at(target.dense())?);
        Ok(Entries { rows, columns, logits, successes, trials: trials.f_to_kind(Kind::Double)? })
    }

    /// Adds up one number per entry for each of `n_cells` cells.
    fn sum(&self, per_entry: &Tensor, n_cells: i64) -> Result<Tensor> {
        let zeros = Tensor::f_zeros([n_cells], (per_entry.kind(), per_entry.device()))?;
        Ok(zeros.f_index_add(0, &self.rows, per_entry)?)
    }
}

/// ln Γ(n + a) − ln Γ(a) for counts n, with `log` = ln a; finite where a is as good as 0, for Γ(a) = Γ(1 + a) / a.
fn log_rising(n: &Tensor, a: &Tensor, log: &Tensor) -> Result<Tensor> {
    let gammas = (n.f_clamp_min(1.0)? + a).f_lgamma()?.f_sub(&(a + 1.0).f_lgamma()?)?;
    Ok(gammas.f_add(&n.f_gt(0.0)?.f_to_kind(n.kind())?.f_mul(log)?)?)
}

/// ln (n choose k).
fn log_choose(n: &Tensor, k: &Tensor) -> Result<Tensor> {
    let log_factorial = |n: &Tensor| (n + 1.0).f_lgamma();
    Ok(log_factorial(n)?.f_sub(&log_factorial(k)?)?.f_sub(&log_factorial(&(n - k))?)?)
}

impl Loss for BetaBinomial {
    fn target(&self) -> TargetValues {
        TargetValues::Trials
    }

    fn per_cell(&self, prediction: &Tensor, target: &Target) -> Result<Tensor> {
        let entries = Entries::of(prediction, target)?;
        let Entries { columns, logits, successes, trials, .. } = &entries;
        let [least, most] = CONCENTRATIONS.map(f64::ln);
        let log = self.log_concentration.f_index_select(0, columns)?.f_to_kind(Kind::Double)?.f_clamp(least, most)?;
        let (log_alpha, log_beta) = (logits.f_log_sigmoid()? + &log, (-logits).f_log_sigmoid()? + &log);
        let mut likelihood = log_rising(successes, &log_alpha.f_exp()?, &log_alpha)?
            + log_rising(&(trials - successes), &log_beta.f_exp()?, &log_beta)?
            - log_rising(trials, &log.f_exp()?, &log)?;
        if self.likelihood == Likelihood::Full {
            likelihood += log_choose(trials, successes)?;
        }
        let n_cells = prediction.size()[0];
        let n_covered = entries.sum(&trials.f_gt(0.0)?.f_to_kind(Kind::Double)?, n_cells)?.f_clamp_min(1.0)?;
        let mean = entries.sum(&likelihood, n_cells)?.f_neg()?.f_div(&n_covered)?;
        Ok(mean.f_to_kind(prediction.kind())?)
    }

    fn expectation(&self, prediction: &Tensor, _totals: Option<&Tensor>) -> Result<Tensor> {
        Ok(prediction.f_sigmoid()?)
    }
}

component! {
    role: Loss,
    name: "beta_binomial",
    spec: BetaBinomialSpec,
    summary: "beta-binomial likelihood of successes among trials",
    source: "the beta-binomial likelihood; Kapourani et al. 2021, Genome Biology 22 (scMET) use it for methylated reads",
    example: "concentration = 5.0\nlikelihood = \"without_constant\"",
}
