//! Cells of a space as points in colours: few as SVG, many as a PNG inside it.

use super::colouring::{Colouring, Legend};
use super::layouts::Layout;
use super::png::Raster;
use crate::drawing::palette::css;
use crate::drawing::svg::{INK, Point, Svg};
use anyhow::Result;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::fmt::Write as _;

/// Width and height of the square that holds the points.
const SIDE: f64 = 320.0;
/// Room for the axes at the left and below.
const ROOM: f64 = 22.0;
/// Free space around the points.
const FREE: f64 = 8.0;
/// Pixels of a PNG to a pixel of the picture, for screens and print.
const FINENESS: f64 = 2.0;
/// More points are drawn as a PNG.
const MAX_SHAPES: usize = 1500;
/// Layers of points that are drawn as SVG.
const N_LAYERS: usize = 8;
/// Numbers of classes keep this distance, in pixels.
const APART: f64 = 12.0;
/// More classes are not named in the picture.
const MAX_NAMED: usize = 36;

/// A layout in the colours of a colouring, with the numbers of classes in it.
///
/// # Errors
/// When the PNG cannot be written.
pub fn scatter(layout: &Layout, colouring: &Colouring) -> Result<String> {
    let mut svg = Svg::new((SIDE + ROOM + 2.0, SIDE + ROOM + 2.0));
    axes(&mut svg, layout);
    let places = Places::of(&layout.points);
    let radius = (70.0 / (layout.points.len() as f64).sqrt()).clamp(0.9, 3.0);
    if layout.points.len() > MAX_SHAPES {
        let address = raster(layout, colouring, &places, radius).address(&colouring.colours)?;
        svg.image((ROOM, 0.0), (ROOM + SIDE, SIDE), &address);
    } else {
        shapes(&mut svg, layout, colouring, (&places, radius));
    }
    numbers(&mut svg, layout, colouring, &places);
    svg.describe(&description(layout, colouring));
    Ok(svg.finish(&format!("{} by {}", layout.space, colouring.name)))
}

/// Where the points of a layout are in its picture, in pixels.
pub fn in_picture(layout: &Layout) -> impl Iterator<Item = Point> {
    let places = Places::of(&layout.points);
    layout.points.iter().map(move |point| {
        let (x, y) = places.place(*point);
        (x + ROOM, y)
    })
}

fn axes(svg: &mut Svg, layout: &Layout) {
    let names = if layout.method == "umap" { ["UMAP 1", "UMAP 2"] } else { ["dimension 1", "dimension 2"] };
    let corner = (ROOM - 4.0, SIDE + 4.0);
    svg.line(corner, (ROOM + 70.0, corner.1), (INK, 1.0));
    svg.line(corner, (corner.0, SIDE - 66.0), (INK, 1.0));
    svg.text((ROOM, SIDE + 18.0), "font-size=\"11\"", names[0]);
    let turned = format!("font-size=\"11\" transform=\"rotate(-90 {:.1} {:.1})\"", ROOM - 9.0, SIDE);
    svg.text((ROOM - 9.0, SIDE), &turned, names[1]);
}

/// From a layout to pixels of the square, both axes alike.
struct Places {
    low: Point,
    scale: f64,
    shift: Point,
}

impl Places {
    fn of(points: &[Point]) -> Places {
        let ends = |of: fn(&Point) -> f64| {
            let values = points.iter().map(of);
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
        };
        let (across, up) = (ends(|point| point.0), ends(|point| point.1));
        let ranges = (across.1 - across.0, up.1 - up.0);
        let scale = (SIDE - 2.0 * FREE) / ranges.0.max(ranges.1).max(1e-300);
        let shift = |range: f64| (SIDE - scale * range) / 2.0;
        Places { low: (across.0, up.0), scale, shift: (shift(ranges.0), shift(ranges.1)) }
    }

    /// From the upper left corner of the square.
    fn place(&self, (x, y): Point) -> Point {
        let (across, up) = (self.scale * (x - self.low.0), self.scale * (y - self.low.1));
        (self.shift.0 + across, SIDE - self.shift.1 - up)
    }
}

/// Points in a seeded order, so that no class lies above all others.
fn order(n_points: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n_points).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
    order
}

fn raster(layout: &Layout, colouring: &Colouring, places: &Places, radius: f64) -> Raster {
    let mut raster = Raster::new((FINENESS * SIDE) as usize);
    let neutral = colouring.colours.len() - 1;
    let mut order = order(layout.points.len());
    order.sort_by_key(|&at| usize::from(colouring.places[layout.cells[at]]) != neutral);
    for at in order {
        let (x, y) = places.place(layout.points[at]);
        let colour = colouring.places[layout.cells[at]] + 1;
        raster.disc((FINENESS * x, FINENESS * y), FINENESS * radius, colour);
    }
    raster
}

/// Layers of points, each with a path of dots for every colour, so that no class lies above all others.
fn shapes(svg: &mut Svg, layout: &Layout, colouring: &Colouring, (places, radius): (&Places, f64)) {
    let order = order(layout.points.len());
    for layer in order.chunks(order.len().div_ceil(N_LAYERS).max(1)) {
        let mut paths = vec![String::new(); colouring.colours.len()];
        for &at in layer {
            let (x, y) = places.place(layout.points[at]);
            let colour = usize::from(colouring.places[layout.cells[at]]);
            let _ = write!(paths[colour], "M{:.1} {:.1}h0", x + ROOM, y);
        }
        for (path, colour) in paths.iter().zip(&colouring.colours).rev().filter(|(path, _)| !path.is_empty()) {
            svg.raw(&format!(
                "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{:.1}\" stroke-linecap=\"round\" \
                 stroke-opacity=\"0.85\"/>",
                css(*colour),
                2.0 * radius
            ));
        }
    }
}

/// The number that a class has in the legend, at the cell that is nearest to its median.
fn numbers(svg: &mut Svg, layout: &Layout, colouring: &Colouring, places: &Places) {
    let Legend::Classes { classes, .. } = &colouring.legend else { return };
    if classes.len() > MAX_NAMED || classes.len() < 2 {
        return;
    }
    let mut placed: Vec<Point> = Vec::new();
    for class in 0..classes.len() {
        let of_class = |at: &usize| usize::from(colouring.places[layout.cells[*at]]) == class;
        let points: Vec<Point> = (0..layout.points.len()).filter(of_class).map(|at| layout.points[at]).collect();
        let Some((x, y)) = middle(&points).map(|point| places.place(point)) else { continue };
        // that of a rarer class gives way
        if placed.iter().any(|(left, up)| (x - left).abs() < APART && (y - up).abs() < APART) {
            continue;
        }
        placed.push((x, y));
        let style = "class=\"tag\" text-anchor=\"middle\" font-weight=\"bold\" stroke=\"white\" stroke-width=\"3\" \
                     stroke-linejoin=\"round\" paint-order=\"stroke\"";
        svg.text((ROOM + x.clamp(8.0, SIDE - 8.0), (y + 4.0).clamp(12.0, SIDE)), style, &(class + 1).to_string());
    }
}

/// The point nearest to the medians of both coordinates.
fn middle(points: &[Point]) -> Option<Point> {
    let median = |of: fn(&Point) -> f64| {
        let mut values: Vec<f64> = points.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    };
    let (x, y) = (median(|point| point.0)?, median(|point| point.1)?);
    let distance = |point: &&Point| (point.0 - x).powi(2) + (point.1 - y).powi(2);
    points.iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).copied()
}

fn description(layout: &Layout, colouring: &Colouring) -> String {
    let what = match &colouring.legend {
        Legend::Classes { classes, .. } => format!("the {} classes of {}", classes.len(), colouring.name),
        Legend::Scale { ends: (low, high), .. } => format!("{} from {low} to {high}", colouring.name),
    };
    format!("A point for each of {} cells in the latent space {}, coloured by {what}.", layout.n_drawn, layout.space)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(n_cells: usize) -> Layout {
        Layout {
            space: "shared".into(),
            method: "umap",
            n_drawn: n_cells,
            n_cells,
            trustworthiness: None,
            cells: (0..n_cells).collect(),
            points: (0..n_cells).map(|cell| (cell as f64, (cell * cell % 17) as f64)).collect(),
        }
    }

    fn colouring(n_cells: usize) -> Colouring {
        let legend =
            Legend::Classes { classes: vec![("a".into(), n_cells / 2), ("<b>".into(), n_cells / 2)], others: None };
        let places = (0..n_cells).map(|cell| (cell % 2) as u8).collect();
        Colouring { name: "type".into(), legend, places, colours: vec![[0, 0, 1], [0, 0, 2], [0, 0, 3]] }
    }

    #[test]
    fn few_points_are_shapes_and_many_a_raster() {
        let few = scatter(&layout(20), &colouring(20)).unwrap();
        assert_eq!((few.matches("h0").count(), few.matches("data:image").count()), (20, 0));
        assert!((2..=2 * N_LAYERS).contains(&few.matches("<path").count()));
        let many = scatter(&layout(2000), &colouring(2000)).unwrap();
        assert!(many.contains("href=\"data:image/png;base64,") && !many.contains("<path"));
        assert!(few.contains("<desc>") && few.matches("class=\"tag\"").count() == 2);
    }

    #[test]
    fn points_keep_their_shape_inside_the_square() {
        let places = Places::of(&[(0.0, 0.0), (10.0, 5.0)]);
        let (first, last) = (places.place((0.0, 0.0)), places.place((10.0, 5.0)));
        assert!((last.0 - first.0 - 2.0 * (first.1 - last.1)).abs() < 1e-9);
        assert!(first.0 >= FREE - 1e-9 && last.0 <= SIDE - FREE + 1e-9 && first.1 < SIDE);
        let same = Places::of(&[(1.0, 1.0)]).place((1.0, 1.0));
        assert_eq!(same, (SIDE / 2.0, SIDE / 2.0));
    }

    #[test]
    fn a_class_is_named_at_one_of_its_cells() {
        assert_eq!(middle(&[(0.0, 0.0), (1.0, 1.0), (9.0, 5.0)]), Some((1.0, 1.0)));
        assert_eq!(middle(&[]), None);
    }
}
