//! How numbers are written: values of a metric with as many digits as they deserve, p-values, powers of ten.

/// Numbers beyond this are no measurement and cannot be drawn.
const LARGEST: f64 = 1e300;

/// Whether a number can be put on an axis.
pub fn is_drawable(value: f64) -> bool {
    value.is_finite() && value.abs() < LARGEST
}

/// How the numbers of a metric are written: in units of a power of ten, with so many digits after the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// The power of ten that is written once for all.
    pub power: i32,
    /// Digits after the point.
    pub n_decimals: usize,
}

impl Figures {
    /// Figures for values of which the middle one says the size; `steps` are differences that must be seen, such as
    /// standard deviations.
    pub fn of(values: impl Iterator<Item = f64>, steps: impl Iterator<Item = f64>) -> Figures {
        let size = middle(values).unwrap_or(1.0);
        let power = power_of(size);
        let leading = (size.log10().floor() as i32) - power;
        let n_decimals = match middle(steps) {
            Some(step) => 1 - (step.log10().floor() as i32 - power),
            None => 3 - leading,
        };
        Figures { power, n_decimals: n_decimals.clamp(0, 6.max(5 - leading)).min(9) as usize }
    }

    /// The same power of ten with digits for numbers of another size.
    pub fn for_steps(self, steps: impl Iterator<Item = f64>) -> Figures {
        let digits = |step: f64| (1 - (step.log10().floor() as i32 - self.power)).clamp(0, 9) as usize;
        Figures { n_decimals: middle(steps).map_or(self.n_decimals, digits), ..self }
    }

    /// A number in these figures; one that is far larger than they are meant for is written with an exponent.
    pub fn write(self, value: f64) -> String {
        let scaled = value / 10f64.powi(self.power);
        if scaled.abs() >= 1e7 {
            return format!("{value:.2e}");
        }
        let text = format!("{scaled:.*}", self.n_decimals);
        match text.strip_prefix('-') {
            Some(zero) if zero.bytes().all(|digit| matches!(digit, b'0' | b'.')) => zero.to_owned(),
            _ => text,
        }
    }

    /// `×10⁹`, or nothing where numbers are written as they are.
    pub fn multiplier(self) -> String {
        if self.power == 0 { String::new() } else { format!("×10{}", superscript(self.power)) }
    }
}

/// The power of ten, a multiple of three, in which a number of this size is easily read; 0 from 0.01 to 100 000.
pub fn power_of(size: f64) -> i32 {
    match size.abs() {
        size if (1e-2..1e5).contains(&size) || size == 0.0 || !is_drawable(size) => 0,
        size => 3 * (size.log10() / 3.0).floor() as i32,
    }
}

/// The middle one of the sizes that are neither zero nor beyond measure.
fn middle(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sizes: Vec<f64> = values.map(f64::abs).filter(|size| *size > 1e-290 && is_drawable(*size)).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.get(sizes.len() / 2).copied()
}

/// A whole number in small raised digits.
pub fn superscript(number: i32) -> String {
    let raised = |letter: char| match letter {
        '-' => '⁻',
        digit => {
            digit.to_digit(10).map_or(digit, |digit| ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][digit as usize])
        }
    };
    number.to_string().chars().map(raised).collect()
}

/// A p-value: three digits after the point, and below that its size.
pub fn p_value(p: Option<f64>) -> String {
    match p {
        None => "–".to_owned(),
        Some(p) if p.is_nan() => "–".to_owned(),
        Some(p) if p >= 0.001 => format!("{p:.3}"),
        Some(p) if p < 1e-99 => "<1e-99".to_owned(),
        Some(p) => format!("{p:.0e}"),
    }
}

/// An effect size, or a dash.
pub fn effect(effect: Option<f64>) -> String {
    effect.filter(|effect| effect.is_finite()).map_or("–".to_owned(), |effect| match effect.abs() < 1000.0 {
        true => format!("{effect:.2}"),
        false => format!("{effect:.1e}"),
    })
}

/// The same number with the sign that is as wide as a plus; exponents keep theirs.
pub fn with_minus(text: &str) -> String {
    text.replace('-', "\u{2212}").replace("e\u{2212}", "e-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(values: &[f64], steps: &[f64]) -> Figures {
        Figures::of(values.iter().copied(), steps.iter().copied())
    }

    #[test]
    fn two_digits_of_the_deviation_are_seen() {
        assert_eq!(figures(&[0.81, 0.82], &[0.0034]), Figures { power: 0, n_decimals: 4 });
        assert_eq!(figures(&[1512.0], &[23.0]), Figures { power: 0, n_decimals: 0 });
        let bytes = figures(&[3.2e9, 3.1e9], &[1.4e7]);
        assert_eq!((bytes.write(3.2154e9).as_str(), bytes.multiplier().as_str()), ("3.215", "×10⁹"));
        let small = figures(&[2.5e-6], &[]);
        assert_eq!((small.write(2.5e-6).as_str(), small.multiplier().as_str()), ("2.500", "×10⁻⁶"));
    }

    #[test]
    fn odd_values_are_written_too() {
        let usual = figures(&[0.8, 0.81, 1e12], &[0.01, f64::NAN]);
        assert_eq!(usual.write(1e12), "1.00e12");
        assert_eq!(usual.write(-0.0001), "0.000");
        assert_eq!(figures(&[0.0, 0.0], &[0.0]).write(0.0), "0.000");
        assert_eq!(figures(&[], &[]).write(-1.5), "-1.500");
    }

    #[test]
    fn p_values_are_never_zero() {
        let texts = [Some(0.04999), Some(1e-7), Some(0.0), None, Some(f64::NAN)].map(p_value);
        assert_eq!(texts, ["0.050", "1e-7", "<1e-99", "–", "–"]);
    }
}
