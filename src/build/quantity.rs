//! Arithmetic on quantities, in thousandths.
//!
//! Grammar: <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>

/// Bytes of a MiB.
pub const MIB: i128 = 1 << 20;

/// A quantity in thousandths (milli-cores, milli-bytes), rounded up; `None` if it is not one.
pub fn milli(text: &str) -> Option<i128> {
    let split = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-')))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at_checked(split)?;
    let (numerator, denominator) = scale(suffix)?;
    let (negative, digits) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.len() > 12 {
        return None;
    }
    let parse = |part: &str| if part.is_empty() { Some(0) } else { part.parse::<i128>().ok() };
    let unit = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let value = parse(whole)?.checked_mul(unit)?.checked_add(parse(fraction)?)?;
    let scaled = value.checked_mul(numerator)?.checked_mul(1000)?;
    let divisor = unit.checked_mul(denominator)?;
    let rounded = scaled.checked_add(divisor - 1)? / divisor;
    Some(if negative { -rounded } else { rounded })
}

/// A quantity of bytes in whole MiB, rounded down.
pub fn mebibytes(text: &str) -> Option<i64> {
    i64::try_from(milli(text)? / (MIB * 1000)).ok()
}

/// A quantity of cores, rounded up to whole ones, at least one.
pub fn whole_cores(text: &str) -> Option<i64> {
    i64::try_from((milli(text)? + 999) / 1000).ok().map(|cores| cores.max(1))
}

/// Thousandths as Kubernetes writes them: the largest suffix that leaves a whole number. Of bytes
/// that is one of `Ki`, `Mi`, ...
/// Source: <https://pkg.go.dev/k8s.io/apimachinery/pkg/api/resource#Quantity>
pub fn display_milli(milli: i128, is_bytes: bool) -> String {
    let whole = milli / 1000;
    if is_bytes && milli % 1000 == 0 && whole.abs() >= 1024 {
        let (number, suffix) = reduce(whole, 1024, &["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]);
        return format!("{number}{suffix}");
    }
    let (number, suffix) = reduce(milli, 1000, &["m", "", "k", "M", "G", "T", "P", "E"]);
    format!("{number}{suffix}")
}

/// `subtrahend` less than `minuend`, in the minuend's kind of suffix, and at least zero; `None` if
/// either is no quantity. This is how Kubernetes subtracts quantities.
pub fn minus(minuend: &str, subtrahend: &str) -> Option<String> {
    let left = (milli(minuend)? - milli(subtrahend)?).max(0);
    Some(display_milli(left, minuend.ends_with('i')))
}

/// Quota resource of a storage class.
pub fn of_class(class: &str, resource: &str) -> String {
    format!("{class}.storageclass.storage.k8s.io/{resource}")
}

fn reduce(mut number: i128, base: i128, suffixes: &[&'static str]) -> (i128, &'static str) {
    if number == 0 {
        return (0, "");
    }
    let mut suffixes = suffixes.iter().copied();
    let mut suffix = suffixes.next().unwrap_or_default();
    for larger in suffixes {
        if number % base != 0 {
            break;
        }
        number /= base;
        suffix = larger;
    }
    (number, suffix)
}

/// Numerator and denominator of a suffix.
fn scale(suffix: &str) -> Option<(i128, i128)> {
    let power = |base: i128, exponent: u32| base.checked_pow(exponent).map(|scale| (scale, 1));
    match suffix {
        "" => Some((1, 1)),
        "n" => Some((1, 1_000_000_000)),
        "u" => Some((1, 1_000_000)),
        "m" => Some((1, 1000)),
        "k" => power(10, 3),
        "M" => power(10, 6),
        "G" => power(10, 9),
        "T" => power(10, 12),
        "P" => power(10, 15),
        "E" => power(10, 18),
        "Ki" => power(1024, 1),
        "Mi" => power(1024, 2),
        "Gi" => power(1024, 3),
        "Ti" => power(1024, 4),
        "Pi" => power(1024, 5),
        "Ei" => power(1024, 6),
        exponent => {
            let digits = exponent.strip_prefix(['e', 'E'])?;
            let exponent: i32 = digits.parse().ok()?;
            let scale = 10_i128.checked_pow(exponent.unsigned_abs())?;
            Some(if exponent < 0 { (1, scale) } else { (scale, 1) })
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::{display_milli, mebibytes, milli, minus, whole_cores};

    #[rstest]
    #[case("500m", 500)]
    #[case("2", 2000)]
    #[case("1.5", 1500)]
    #[case("0.1m", 1)]
    #[case("1Ki", 1_024_000)]
    #[case("1e3", 1_000_000)]
    #[case("-1", -1000)]
    fn quantities_are_read(#[case] text: &str, #[case] expected: i128) {
        assert_eq!(milli(text), Some(expected));
    }

    #[rstest]
    #[case("")]
    #[case("much")]
    #[case("4GB")]
    #[case("1.2.3")]
    fn what_is_none_is_refused(#[case] text: &str) {
        assert_eq!(milli(text), None);
    }

    #[test]
    fn whole_units() {
        assert_eq!(mebibytes("2Gi"), Some(2048));
        assert_eq!(whole_cores("1500m"), Some(2));
        assert_eq!(whole_cores("100m"), Some(1));
        assert_eq!(display_milli(4 * 1024 * 1024 * 1024 * 1000, true), "4Gi");
    }

    #[rstest]
    #[case("40", "250m", "39750m")]
    #[case("160Gi", "1536Mi", "162304Mi")]
    #[case("160Gi", "160Gi", "0")]
    #[case("2Ti", "1Ti", "1Ti")]
    #[case("1Ki", "24", "1k")]
    #[case("5k", "3k", "2k")]
    #[case("3", "5", "0")]
    fn quantities_are_subtracted(#[case] one: &str, #[case] other: &str, #[case] left: &str) {
        assert_eq!(minus(one, other).as_deref(), Some(left));
    }

    proptest! {
        #[test]
        fn whatever_is_shown_reads_the_same(value in 0_i64..i64::MAX, is_bytes: bool) {
            prop_assert_eq!(milli(&display_milli(i128::from(value), is_bytes)), Some(i128::from(value)));
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,40}") {
            let _ = milli(&text);
        }
    }
}
