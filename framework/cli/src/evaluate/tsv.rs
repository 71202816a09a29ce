//! The evaluation as one long table: one number per line, for any program that reads tables.

use super::ImageScores;
use super::evaluation::{
    ClassScores, Clustering, Evaluation, JudgedCells, LabelProbe, MethodScores, PredictionScores, Section,
};
use super::resamples::Interval;
use super::verdict::Verdict;
use std::fmt::Write as _;

const HEADER: &str = "section\tsource\ttarget\tlabel\tmethod\tis_control\tmetric\tvalue\tn_cells\n";

/// What the lines of one method have in common.
struct Lines<'a> {
    table: &'a mut String,
    start: String,
    n_cells: usize,
}

impl Lines<'_> {
    fn add(&mut self, metric: &str, value: Option<f64>) {
        if let Some(value) = value {
            let _ = writeln!(self.table, "{}\t{metric}\t{value}\t{}", self.start, self.n_cells);
        }
    }

    fn add_interval(&mut self, metric: &str, interval: Option<Interval>) {
        if let Some(interval) = interval {
            self.add(metric, Some(interval.estimate));
            self.add(&format!("{metric}_lower"), Some(interval.lower));
            self.add(&format!("{metric}_upper"), Some(interval.upper));
        }
    }
}

impl Evaluation {
    /// A tidy table: section, source, target (a modality or a space), label, method, is_control, metric, value, n_cells.
    ///
    /// Metrics that are not defined have no line. Sections: `reconstruction`, `cross_prediction`, the same of images
    /// (`image_reconstruction`, `image_prediction`, `image_prediction_unshown`; labels are `CONDITION=CATEGORY`), `probe`,
    /// `learned_rows`, `clustering`, `difference` (model less control, with the ends of 95 % intervals).
    pub fn to_tsv(&self) -> String {
        let mut table = HEADER.to_owned();
        for task in self.reconstructions.iter().chain(&self.cross_predictions) {
            task.methods.iter().for_each(|method| add_method(&mut table, task, method));
        }
        self.images.iter().for_each(|images| add_images(&mut table, images));
        self.probes.iter().for_each(|probe| add_probe(&mut table, "probe", probe));
        self.learned_rows.iter().for_each(|probe| add_probe(&mut table, "learned_rows", probe));
        self.clusterings.iter().for_each(|clustering| add_clustering(&mut table, clustering, &self.cells));
        self.verdicts.iter().for_each(|verdict| add_verdict(&mut table, verdict));
        table
    }
}

fn add_clustering(table: &mut String, clustering: &Clustering, cells: &JudgedCells) {
    for scores in &clustering.methods {
        let (method, label) = (&scores.method, clustering.label.as_str());
        let fields = ["clustering", "", &clustering.space, label, &method.name, flag(method.is_control)];
        let start = fields.map(field).join("\t");
        for (metric, value, n_cells) in [
            ("n_groups", scores.n_groups as f64, cells.n_training),
            ("ari_training", scores.ari_training, cells.n_training),
            ("nmi_training", scores.nmi_training, cells.n_training),
            ("ari", scores.ari, cells.n_judged),
            ("nmi", scores.nmi, cells.n_judged),
        ] {
            Lines { table, start: start.clone(), n_cells }.add(metric, Some(value));
        }
    }
    for (covariate, mixing) in &clustering.mixing {
        let fields = ["clustering", "", &clustering.space, covariate.as_str(), "rows", flag(false)];
        let start = fields.map(field).join("\t");
        Lines { table, start, n_cells: cells.n_training }.add("one_minus_silhouette", Some(*mixing));
    }
}

fn add_method(table: &mut String, task: &PredictionScores, scores: &MethodScores) {
    let section = match task.section {
        Section::Reconstruction => "reconstruction",
        Section::CrossPrediction => "cross_prediction",
    };
    let method = &scores.method;
    let start = [section, &task.source, &task.target, "", &method.name, flag(method.is_control)].map(field).join("\t");
    let mut lines = Lines { table, start, n_cells: task.n_cells };
    lines.add("n_measured", task.measured.map(|measured| measured.n_entries as f64));
    lines.add("share_measured", task.measured.map(|measured| measured.share));
    lines.add("rmse", Some(scores.rmse));
    for (name, summary) in [("pearson_by_feature", &scores.by_feature), ("pearson_by_cell", &scores.by_cell)] {
        lines.add(&format!("{name}_mean"), summary.mean);
        lines.add(&format!("{name}_median"), summary.median);
        lines.add(&format!("{name}_n_skipped"), Some(summary.n_skipped as f64));
        lines.add(&format!("{name}_n_constant_predicted"), Some(summary.n_constant_predicted as f64));
    }
    if let Some(precision) = &scores.precision {
        lines.add("auprc_pooled", precision.pooled);
        lines.add("auprc_base_rate", Some(precision.base_rate));
        lines.add("auprc_by_feature_mean", precision.mean_by_feature);
        lines.add("auprc_by_feature_base_rate", precision.mean_base_rate);
        lines.add("auprc_by_feature_n_features", Some(precision.n_features as f64));
    }
}

fn add_images(table: &mut String, images: &ImageScores) {
    let section = match (images.section, images.unshown) {
        (Section::Reconstruction, _) => "image_reconstruction",
        (Section::CrossPrediction, false) => "image_prediction",
        (Section::CrossPrediction, true) => "image_prediction_unshown",
    };
    let label =
        images.category.as_ref().map_or(String::new(), |(condition, category)| format!("{condition}={category}"));
    for scores in &images.methods {
        let method = &scores.method;
        let fields = [section, &images.source, &images.target, &label, &method.name, flag(method.is_control)];
        let mut lines = Lines { table, start: fields.map(field).join("\t"), n_cells: images.n_cells };
        lines.add("l1", Some(scores.l1));
        lines.add("l1_thresholded", Some(scores.l1_thresholded));
        lines.add("mse", Some(scores.mse));
        lines.add("ssim", scores.ssim);
        lines.add("pearson_by_image", scores.pearson);
        lines.add("n_constant", Some(scores.n_constant as f64));
        // the model's less this control's
        lines.add_interval("l1_difference", scores.l1_difference);
        lines.add_interval("ssim_difference", scores.ssim_difference);
    }
}

fn add_probe(table: &mut String, section: &str, probe: &LabelProbe) {
    for scores in &probe.spaces {
        let method = &scores.method;
        // controls are methods beside the spaces of the model
        let (target, name) =
            if method.is_control { ("", method.name.as_str()) } else { (method.name.as_str(), "model") };
        let start = [section, &probe.source, target, &probe.label, name, flag(method.is_control)].map(field).join("\t");
        let mut lines = Lines { table, start, n_cells: probe.n_cells };
        lines.add("dim", Some(scores.dim as f64));
        for (name, classes) in [("neighbours", &scores.neighbours), ("linear", &scores.linear)] {
            if let Some(classes) = classes {
                add_classes(&mut lines, name, classes);
            }
        }
        lines.add("silhouette", scores.silhouette);
        lines.add("r_squared", scores.r_squared);
        lines.add("adjusted_r_squared", scores.adjusted_r_squared);
    }
}

fn add_classes(lines: &mut Lines<'_>, name: &str, scores: &ClassScores) {
    lines.add_interval(&format!("{name}_balanced_accuracy"), Some(scores.balanced_accuracy_interval));
    lines.add(&format!("{name}_accuracy"), Some(scores.accuracy));
    lines.add(&format!("{name}_macro_f1"), Some(scores.macro_f1));
}

fn add_verdict(table: &mut String, verdict: &Verdict) {
    let start = ["difference", &verdict.subject, "", "", &verdict.against, "true"].map(field).join("\t");
    let mut lines = Lines { table, start, n_cells: verdict.n_cells };
    lines.add_interval("rmse", verdict.rmse_difference);
    lines.add_interval("pearson_by_feature_mean", verdict.pearson_difference);
    lines.add_interval("neighbours_balanced_accuracy", verdict.balanced_accuracy_difference);
}

fn flag(is_control: bool) -> &'static str {
    if is_control { "true" } else { "false" }
}

/// A text that cannot break the table.
fn field(text: &str) -> String {
    text.replace(['\t', '\n', '\r'], " ")
}
