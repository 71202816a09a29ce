//! Components that belong to no assay: networks for tables of features and for images, losses, priors and the steps that
//! prepare values.
//!
//! One component per file, declared beside it; each is named in a spec by its `kind`. What the components of one role
//! share is in the file that bears the role's name.

mod convolution;
mod decoders;
mod encoders;
mod losses;
mod modalities;
mod priors;
mod range;
mod steps;

pub use decoders::{BranchedDecoder, BranchedDecoderSpec, ConvDecoder, ConvDecoderSpec, MlpDecoder, MlpDecoderSpec};
pub use encoders::{
    ConvEncoder, ConvEncoderSpec, HeadChannels, HeadChannelsRule, HeadHidden, HeadRule, MlpEncoder, MlpEncoderSpec,
};
pub use losses::{
    Bce, BceSpec, Bernoulli, BernoulliSpec, Dispersion, Likelihood, Mse, MseSpec, NegativeBinomial,
    NegativeBinomialSpec, Poisson, PoissonSpec, PosWeight, PosWeightRule, Zinb, ZinbSpec,
};
pub use modalities::ValuesSpec;
pub use priors::{
    AtMost, ClassFactor, ComponentRule, Covariance, DivergenceScaling, GaussianMixture, GaussianMixtureSpec, L2,
    L2Scaling, L2Spec, LabelledMixture, LabelledMixtureSpec, NComponents, NoPrior, NoPriorSpec, PriorCount,
    StandardNormal, StandardNormalSpec,
};
pub use steps::{
    Binarize, BinarizeSpec, CentredLogRatio, ClrMargin, ClrSpec, HighlyVariable, HighlyVariableSpec, Log1p, Log1pSpec,
    LogMinMax, LogMinMaxSpec, NormalizeTotal, NormalizeTotalSpec, TargetSum, TargetSumRule, TfIdf, TfIdfSpec,
};
