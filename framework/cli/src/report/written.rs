//! Numbers, times and dates as the page writes them.

use crate::drawing::numbers::with_minus;

/// `6,855`.
pub fn counted(n: usize) -> String {
    let digits = n.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// `1 cell`, `6,855 cells`.
pub fn counted_of(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{} {what}s", counted(n)) }
}

/// Three decimals, or a dash.
pub fn three(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or("–".to_owned(), |value| with_minus(&format!("{value:.3}")))
}

/// Four significant digits.
pub fn four(value: f64) -> String {
    let size = value.abs();
    let text = match size {
        0.0 => "0".to_owned(),
        size if !(1e-3..1e6).contains(&size) => format!("{value:.2e}"),
        _ => format!("{value:.*}", (3.0 - size.log10().floor()).clamp(0.0, 6.0) as usize),
    };
    with_minus(&text)
}

/// `26.3 s`, `12 min 5 s`, `3 h 20 min`.
pub fn duration(secs: f64) -> String {
    let whole = secs.round() as u64;
    match whole {
        0..60 => format!("{secs:.1} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// `404 MiB`.
pub fn bytes(n: u64) -> String {
    let size = n as f64;
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let fits = units.into_iter().find(|(power, _)| n >= 1 << power);
    match fits {
        Some((power, unit)) => {
            let size = size / f64::from(1u32 << power);
            if size < 10.0 { format!("{size:.1} {unit}") } else { format!("{size:.0} {unit}") }
        }
        None => format!("{n} bytes"),
    }
}

/// `2026-11-21 22:50 UTC` of seconds since 1970 (days to a date after Howard Hinnant's `civil_from_days`).
pub fn date(secs: u64) -> String {
    let (days, rest) = (secs / 86_400, secs % 86_400);
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + 400 * era + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02} {:02}:{:02} UTC", rest / 3600, rest % 3600 / 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_easily_read() {
        assert_eq!([0, 999, 1000, 1_234_567].map(counted), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0.0, 12.3456, -0.5, 1e-5, 123_456.0].map(four), ["0", "12.35", "−0.5000", "1.00e-5", "123456"]);
        assert_eq!([26.31, 725.0, 12_000.0].map(duration), ["26.3 s", "12 min 5 s", "3 h 20 min"]);
        assert_eq!([12, 423_223_296, 5_368_709_120].map(bytes), ["12 bytes", "404 MiB", "5.0 GiB"]);
        assert_eq!((three(Some(-0.25)).as_str(), three(None).as_str()), ("−0.250", "–"));
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
        assert_eq!(date(951_782_400 + 3_660), "2000-02-29 01:01 UTC");
        assert_eq!(date(1_795_301_400), "2026-11-21 22:50 UTC");
    }
}
