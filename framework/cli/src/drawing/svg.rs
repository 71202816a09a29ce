//! A picture as SVG that needs nothing else.

use super::lettering::escaped;
use std::fmt::Write as _;

/// Dark enough for text.
pub const INK: &str = "#222222";
/// For lines behind the data.
pub const PALE: &str = "#DDDDDD";
/// Height of letters in pixels.
pub const LETTERS: f64 = 12.0;

/// A point of a picture in pixels from its left and upper edge.
pub type Point = (f64, f64);

/// A picture being drawn.
#[derive(Debug)]
pub struct Svg {
    body: String,
    size: Point,
    description: String,
}

impl Svg {
    /// An empty picture of a width and a height.
    pub fn new(size: Point) -> Svg {
        Svg { body: String::new(), size, description: String::new() }
    }

    /// A line in a colour and a width.
    pub fn line(&mut self, from: Point, to: Point, (colour, width): (&str, f64)) {
        let ((x1, y1), (x2, y2)) = (from, to);
        let _ = writeln!(
            self.body,
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{colour}\" stroke-width=\"{width}\"/>"
        );
    }

    /// A rectangle between two corners.
    pub fn area(&mut self, from: Point, to: Point, fill: &str) {
        let (width, height) = ((to.0 - from.0).max(0.0), (to.1 - from.1).max(0.0));
        let (x, y) = from;
        let _ = writeln!(
            self.body,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{fill}\"/>"
        );
    }

    /// A dot that says what it is when pointed at.
    pub fn dot(&mut self, (x, y): Point, (fill, stroke): (&str, &str), title: &str) {
        let _ = writeln!(
            self.body,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{fill}\" fill-opacity=\"0.8\" stroke=\"{stroke}\">\
             <title>{}</title></circle>",
            escaped(title)
        );
    }

    /// A shape filled with a colour.
    pub fn shape(&mut self, corners: &[Point], fill: &str) {
        let _ = writeln!(self.body, "<polygon points=\"{}\" fill=\"{fill}\"/>", joined(corners));
    }

    /// A line through points; `style` is the rest of its attributes.
    pub fn path(&mut self, points: &[Point], style: &str) {
        let _ = writeln!(self.body, "<polyline points=\"{}\" fill=\"none\" {style}/>", joined(points));
    }

    /// A text; `style` is the rest of its attributes.
    pub fn text(&mut self, (x, y): Point, style: &str, text: &str) {
        let _ = writeln!(self.body, "<text x=\"{x:.1}\" y=\"{y:.1}\" {style}>{}</text>", escaped(text));
    }

    /// A text of which only a part is shown, whole when pointed at.
    pub fn short_text(&mut self, (x, y): Point, style: &str, (shown, whole): (&str, &str)) {
        let title = if shown == whole { String::new() } else { format!("<title>{}</title>", escaped(whole)) };
        let _ = writeln!(self.body, "<text x=\"{x:.1}\" y=\"{y:.1}\" {style}>{}{title}</text>", escaped(shown));
    }

    /// A picture of raster, between two corners, from its address.
    pub fn image(&mut self, from: Point, to: Point, address: &str) {
        let ((x, y), (width, height)) = (from, (to.0 - from.0, to.1 - from.1));
        let _ = writeln!(
            self.body,
            "<image x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" href=\"{address}\"/>"
        );
    }

    /// SVG as it is.
    pub fn raw(&mut self, text: &str) {
        self.body.push_str(text);
        self.body.push('\n');
    }

    /// What the picture shows, in words, for those who cannot see it.
    pub fn describe(&mut self, description: &str) {
        self.description = format!("<desc>{}</desc>\n", escaped(description));
    }

    /// The picture with a name for those who cannot see it.
    pub fn finish(self, title: &str) -> String {
        let ((width, height), title) = (self.size, escaped(title));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{title}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" \
             font-family=\"DejaVu Sans, Helvetica, Arial, sans-serif\" font-size=\"{LETTERS}\" fill=\"{INK}\">\n\
             <title>{title}</title>\n{}<rect width=\"{width:.0}\" height=\"{height:.0}\" fill=\"white\"/>\n{}</svg>",
            self.description, self.body
        )
    }
}

fn joined(points: &[Point]) -> String {
    points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
}
