//! Text for pages and pictures: made harmless, measured, shortened to fit.

/// Text without what a terminal would act on: escape sequences and control characters; tabs and ends of lines stay.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' && letters.next_if_eq(&'[').is_some() {
            // A sequence ends with a letter or a sign above it.
            while letters.next().is_some_and(|letter| !('@'..='~').contains(&letter)) {}
        } else if !letter.is_control() || matches!(letter, '\n' | '\t') {
            plain.push(letter);
        }
    }
    plain
}

/// Plain text with the signs that mean something in HTML and SVG written as entities.
pub fn escaped(text: &str) -> String {
    super::escaped(&plain(text))
}

/// Width that a text needs at most about, in pixels, in a sans-serif font of the given size.
pub fn width(text: &str, size: f64) -> f64 {
    size * text.chars().map(share_of_size).sum::<f64>()
}

fn share_of_size(letter: char) -> f64 {
    match letter {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' => 0.36,
        'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '/' | '-' | 'I' => 0.43,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 1.0,
        'A'..='Z' | '=' | '+' | '±' | '×' | '<' | '>' | '#' | '&' | '~' | '\u{2212}' => 0.82,
        '\0'..='\u{2fff}' => 0.64,
        _ => 1.05,
    }
}

/// A text that is no wider than `most` pixels: letters in its middle give way to an ellipsis, since names differ at
/// both ends.
pub fn shortened(text: &str, size: f64, most: f64) -> String {
    fitted(text, |text| width(text, size) <= most)
}

/// The same for a terminal: at most so many characters.
pub fn shortened_to(text: &str, n_letters: usize) -> String {
    fitted(text, |text| text.chars().count() <= n_letters)
}

fn fitted(text: &str, fits: impl Fn(&str) -> bool) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut shorter = text.to_owned();
    let mut n_kept = letters.len();
    while n_kept > 0 && !fits(&shorter) {
        n_kept -= 1;
        let (front, back) = (n_kept.div_ceil(2), n_kept / 2);
        let ends = (&letters[..front], &letters[letters.len() - back..]);
        shorter = ends.0.iter().chain(&['…']).chain(ends.1).collect();
    }
    shorter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_acts_is_left() {
        assert_eq!(plain("\u{1b}[1;31merror\u{1b}[0m: a\tb\nc\u{7}\r"), "error: a\tb\nc");
        assert_eq!(escaped("<a b='\"'>&\u{1b}"), "&lt;a b=&#39;&quot;&#39;&gt;&amp;");
    }

    #[test]
    fn long_names_keep_both_ends() {
        assert_eq!(shortened_to("model.shared", 12), "model.shared");
        assert_eq!(shortened_to("model.shared", 7), "mod…red");
        assert_eq!(shortened_to("model.shared", 1), "…");
        let long = "W".repeat(60);
        assert!(width(&shortened(&long, 12.0, 180.0), 12.0) <= 180.0);
        assert_eq!(shortened("short", 12.0, 180.0), "short");
    }
}
