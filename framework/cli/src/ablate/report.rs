//! What a reader gets of a comparison: a page with pictures, a table for the terminal and one for other programs.

mod csv;
mod curves;
mod differences;
mod dots;
mod figures;
mod standing;
mod tables;
#[cfg(test)]
mod testing;
mod text;

pub use csv::table_csv;
pub use text::table_text;

use super::comparison::Comparison;
use anyhow::{Context, Result};
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use tables::Page;

/// The ending makes the template escape all that is not said to be safe.
const NAME: &str = "report.html";
const TEMPLATE: &str = include_str!("report/report.html");

/// A page that needs nothing but itself: verdicts, every seed of every metric, learning curves, what each variant changes
/// and which runs failed. `made_by` is the program and its version.
///
/// # Errors
/// When the page cannot be put together.
pub fn report_html(comparison: &Comparison, made_by: &str) -> Result<String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_template(NAME, TEMPLATE).context("the template of the report cannot be read")?;
    let page = environment.get_template(NAME).and_then(|page| page.render(Serde(Page::of(comparison, made_by))));
    page.context("the report cannot be put together")
}

#[cfg(test)]
mod tests {
    use super::super::comparison::RunState;
    use super::testing::{example, metric, row};
    use super::*;

    #[test]
    fn users_text_is_escaped_and_nothing_is_fetched() {
        let mut comparison = example();
        comparison.name = "</title><b>".to_owned();
        let page = report_html(&comparison, "cithara <1>").unwrap();
        assert!(page.contains("&lt;script&gt;&amp;&quot;x") && !page.contains("<script"));
        assert!(page.contains("step 412 &amp; &lt;the end&gt;\nnote:") && !page.contains('\u{1b}'));
        assert!(page.contains("no &lt;decoder&gt; of") && page.contains("&quot;&lt;mse&gt;&quot;"));
        assert!(page.contains("cithara &lt;1&gt;") && !page.contains("</title><b>"));
        let without = page.replace("http://www.w3.org/2000/svg", "");
        for outside in ["http:", "https:", "src=", "@import", "url(", "<link"] {
            assert!(!without.contains(outside), "{outside}");
        }
    }

    #[test]
    fn the_page_says_all() {
        let page = report_html(&example(), "cithara").unwrap();
        for text in [
            "The base cite_apollo against 4 variants, 5 seeds (0, 1, 2, 3, 4): 25 runs, of which 23 done, 1 failed, 1 pending.",
            "✗ worse",
            "undecided (would need 17 seeds)",
            "≈ equivalent",
            "−0.0310 [−0.0329, −0.0291]",
            "not applicable",
            "no result",
            "n counts seeds, not cells",
            "1e-5",
            "Stage encoders",
            "one_step, seed 1",
            "not there",
        ] {
            assert!(page.contains(text), "{text}");
        }
        assert_eq!(page.matches("<svg").count(), 4);
        assert_eq!(page.matches("<tr").count(), page.matches("</tr>").count());
    }

    #[test]
    fn nothing_and_one_are_pages_too() {
        let mut comparison =
            Comparison { name: "x".into(), variants: Vec::new(), metrics: Vec::new(), notes: Vec::new() };
        assert!(report_html(&comparison, "cithara").unwrap().contains("No variants."));
        assert_eq!((table_text(&comparison, false), table_csv(&comparison).lines().count()), ("\n".into(), 1));
        comparison.variants = example().variants;
        comparison.variants.truncate(1);
        comparison.variants[0].runs.truncate(1);
        comparison.variants[0].runs[0].state = RunState::Running;
        comparison.metrics = vec![metric(("a", "", true, None), &[])];
        comparison.metrics[0].rows = vec![row("cite_apollo", &[])];
        let page = report_html(&comparison, "cithara").unwrap();
        assert!(page.contains("The base cite_apollo alone, 1 seed (0): 1 run, of which 0 done, 1 running."), "{page}");
        assert!(page.contains("no result") && !page.contains("NaN"));
    }
}
