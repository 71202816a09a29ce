//! What the script of the page reads to say what a point is: places of cells in every picture, and their values.

use super::colouring::{Colouring, Legend};
use super::found::Found;
use super::png::base64;
use super::scatter::in_picture;
use crate::drawing::palette::NEUTRAL;
use anyhow::Result;
use serde::Serialize;
use std::collections::BTreeMap;

/// The script.
pub const SCRIPT: &str = include_str!("tips.js");
/// Steps of a pixel.
const FINENESS: f64 = 64.0;
/// A place that no pointer comes near.
const NOWHERE: u16 = u16::MAX;

#[derive(Serialize)]
struct Tips {
    /// For each picture, two little-endian 16-bit numbers per drawn cell, in base 64.
    layouts: Vec<String>,
    colourings: Vec<Values>,
}

#[derive(Serialize)]
struct Values {
    name: String,
    /// A byte per drawn cell, in base 64.
    places: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<Vec<String>>,
    low: f64,
    high: f64,
    n_shades: usize,
}

/// The data of the script as JSON that may stand inside a page.
///
/// # Errors
/// When they cannot be written.
pub fn tips(found: &Found) -> Result<String> {
    let mut drawn: BTreeMap<usize, usize> =
        found.layouts.iter().flat_map(|layout| &layout.cells).map(|cell| (*cell, 0)).collect();
    drawn.values_mut().enumerate().for_each(|(place, of)| *of = place);
    let layout = |layout: &super::layouts::Layout| {
        let mut places = vec![[NOWHERE; 2]; drawn.len()];
        for (cell, (x, y)) in layout.cells.iter().zip(in_picture(layout)) {
            places[drawn[cell]] = [x, y].map(|pixel| (FINENESS * pixel).round().clamp(0.0, 65_000.0) as u16);
        }
        base64(&places.into_iter().flatten().flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
    };
    let tips = Tips {
        layouts: found.layouts.iter().map(layout).collect(),
        colourings: found.colourings.iter().map(|colouring| values(colouring, drawn.keys())).collect(),
    };
    in_page(&tips)
}

/// As JSON in which nothing can end the element that it stands in.
fn in_page(tips: &Tips) -> Result<String> {
    Ok(serde_json::to_string(tips)?.replace('<', "\\u003c"))
}

fn values<'a>(colouring: &Colouring, cells: impl Iterator<Item = &'a usize>) -> Values {
    debug_assert!(colouring.colours.last() == Some(&NEUTRAL));
    let places = base64(&cells.map(|cell| colouring.places[*cell]).collect::<Vec<u8>>());
    let name = colouring.name.clone();
    let n_shades = colouring.colours.len() - 1;
    match &colouring.legend {
        Legend::Classes { classes, others } => {
            let named = classes.iter().map(|(name, _)| name.clone());
            let other = others.iter().map(|(why, _)| why.clone());
            Values { name, places, classes: Some(named.chain(other).collect()), low: 0.0, high: 0.0, n_shades }
        }
        Legend::Scale { ends, .. } => Values { name, places, classes: None, low: ends.0, high: ends.1, n_shades },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_users_cannot_end_the_script() {
        let legend = Legend::Classes { classes: vec![("</script>".into(), 1)], others: None };
        let colouring = Colouring { name: "<b>".into(), legend, places: vec![0], colours: vec![[0; 3], NEUTRAL] };
        let tips = Tips { layouts: Vec::new(), colourings: vec![values(&colouring, [0].iter())] };
        let text = in_page(&tips).unwrap();
        assert!(!text.contains('<') && text.contains("\\u003c/script>"));
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["colourings"][0]["classes"][0], "</script>");
    }
}
