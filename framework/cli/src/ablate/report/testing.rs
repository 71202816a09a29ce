//! A comparison for tests, with all that can be on a page.

use super::super::comparison::*;

/// Scores of the base for five seeds.
const SCORES: [f64; 5] = [0.812, 0.809, 0.816, 0.808, 0.815];

/// A base, a worse, an equivalent and an undecided variant; one to which a metric does not apply, and one that failed.
pub fn example() -> Comparison {
    let shifts = [("cite_apollo", 0.0), ("no_shared_decoders", -0.031), ("<script>&\"x", 0.001), ("shared_10", 0.004)];
    let mut variants: Vec<ComparedVariant> =
        shifts.iter().enumerate().map(|(place, (name, _))| variant(name, place as f64)).collect();
    variants.push(ComparedVariant { runs: failed(), ..variant("one_step", 4.0) });
    let metrics = vec![
        scores(&shifts),
        metric(("wall_secs", "Wall time in seconds", false, None), &shifts.map(|(name, _)| (name, seconds(name)))),
    ];
    Comparison { name: "cite".to_owned(), variants, metrics, notes: Vec::new() }
}

fn scores(shifts: &[(&str, f64)]) -> ComparedMetric {
    let wobble = [0.002, -0.0018, 0.0009, -0.0011, 0.0];
    let of = |(_, shift): &(&str, f64)| {
        let scale = if *shift == 0.0 { 0.0 } else { 1.0 + 750.0 * shift.max(0.0) };
        SCORES.iter().zip(wobble).map(|(score, wobble)| score + shift + scale * wobble).collect::<Vec<_>>()
    };
    let values: Vec<(&str, Vec<f64>)> = shifts.iter().map(|one| (one.0, of(one))).collect();
    let about = ("rna_to_protein.pearson", "Pearson correlation of predicted protein", true, Some(0.01));
    let mut metric = metric(about, &values);
    let differences = metric.rows.iter_mut().filter_map(|row| row.difference.as_mut());
    let verdicts = [Verdict::Worse, Verdict::Equivalent, Verdict::Undecided];
    for (difference, verdict) in differences.zip(verdicts) {
        difference.verdict = verdict;
        difference.n_seeds_to_decide = (verdict == Verdict::Undecided).then_some(17);
    }
    metric
        .rows
        .push(MetricRow { not_applicable: Some("it has no <decoder> of protein".into()), ..row("one_step", &[]) });
    metric
}

fn seconds(name: &str) -> Vec<f64> {
    (0..5).map(|seed| 100.0 + 7.0 * f64::from(seed * seed % 5) + name.len() as f64).collect()
}

/// A metric of variants with their values; the first is the base. Differences are plain arithmetic, p-values made up.
pub fn metric(about: (&str, &str, bool, Option<f64>), values: &[(&str, Vec<f64>)]) -> ComparedMetric {
    let (name, title, higher_is_better, margin) = about;
    let mut rows: Vec<MetricRow> = values.iter().map(|(name, values)| row(name, values)).collect();
    if let Some((base, others)) = rows.split_first_mut() {
        others.iter_mut().for_each(|row| row.difference = difference(&row.values, &base.values, margin.is_some()));
    }
    ComparedMetric { name: name.to_owned(), title: title.to_owned(), higher_is_better, margin, rows }
}

/// Values of seeds 0, 1, …, with mean and standard deviation.
pub fn row(variant: &str, values: &[f64]) -> MetricRow {
    let (mean, sd) = moments(values);
    let values = (0..).zip(values.iter().copied()).collect();
    MetricRow { variant: variant.to_owned(), values, mean, sd, not_applicable: None, difference: None }
}

fn moments(values: &[f64]) -> (Option<f64>, Option<f64>) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let sd = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    ((!values.is_empty()).then_some(mean), (values.len() > 1).then_some(sd))
}

fn difference(values: &[(u64, f64)], base: &[(u64, f64)], has_margin: bool) -> Option<Difference> {
    let pairs: Vec<f64> = values.iter().zip(base).map(|(value, base)| value.1 - base.1).collect();
    let (mean, sd) = moments(&pairs);
    // Student's t for up to five pairs.
    let t = [f64::NAN, f64::NAN, 12.706, 4.303, 3.182, 2.776][pairs.len().min(5)];
    let half = sd.map(|sd| t * sd / (pairs.len() as f64).sqrt());
    let p = sd.map(|_| 0.2);
    let mean = mean?;
    Some(Difference {
        n_pairs: pairs.len(),
        mean,
        sd,
        interval: half.map(|half| (mean - half, mean + half)),
        bootstrap_interval: half.map(|half| (mean - 0.7 * half, mean + 0.7 * half)),
        p_t: p,
        p_wilcoxon: p,
        p_t_holm: p,
        effect_size: sd.map(|sd| mean / sd),
        p_equivalence: p.filter(|_| has_margin),
        p_equivalence_holm: p.filter(|_| has_margin).map(|_| 1.2e-5),
        verdict: Verdict::Undecided,
        n_seeds_to_decide: None,
    })
}

fn variant(name: &str, place: f64) -> ComparedVariant {
    let change = |key: &str, base: Option<&str>, variant: Option<&str>| Change {
        key: key.to_owned(),
        base: base.map(str::to_owned),
        variant: variant.map(str::to_owned),
    };
    let changes = vec![
        change("model.shared_decoders", Some("true"), Some("false")),
        change("modality.rna.loss.kind", None, Some("\"<mse>\"")),
    ];
    ComparedVariant { name: name.to_owned(), changes, runs: (0..5).map(|seed| run(name, seed, place)).collect() }
}

fn run(name: &str, seed: u64, place: f64) -> ComparedRun {
    let loss = |epoch: u64, scale: f64| {
        scale * (1.0 + 60.0 * (-(epoch as f64) / (9.0 + place)).exp()) + 0.02 * ((epoch + seed) % 7) as f64
    };
    let curve = |stage: &str, n_epochs: u64, scale: f64| Curve {
        stage: stage.to_owned(),
        training: (0..n_epochs).map(|epoch| (epoch, loss(epoch, scale))).collect(),
        validation: (0..n_epochs).step_by(5).map(|epoch| (epoch, loss(epoch, 1.1 * scale))).collect(),
    };
    let encoders = Curve { validation: Vec::new(), ..curve("encoders", 30, -0.3) };
    let curves = vec![curve("latents", 60, 1.0 + 0.2 * place), encoders];
    ComparedRun { seed, directory: format!("{name}/seed-{seed}"), state: RunState::Done, reason: None, curves }
}

fn failed() -> Vec<ComparedRun> {
    let reason =
        "\u{1b}[31merror\u{1b}[0m: the loss is not finite at epoch 3, step 412 & <the end>\nnote: terms: rna 1532.8";
    let mut runs: Vec<ComparedRun> =
        (0..5).map(|seed| ComparedRun { curves: Vec::new(), ..run("one_step", seed, 4.0) }).collect();
    runs[1].state = RunState::Failed;
    runs[1].reason = Some(reason.to_owned());
    runs[2].state = RunState::Pending;
    runs
}

/// Places of all dots of a picture.
pub fn circles(svg: &str) -> Vec<(f64, f64)> {
    let number = |text: &str| text.split('"').next().unwrap().parse().unwrap();
    let circle = |text: &str| (number(text), number(text.split("cy=\"").nth(1).unwrap()));
    svg.split("cx=\"").skip(1).map(circle).collect()
}
