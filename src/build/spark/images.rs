//! The operator's catalogue of Spark versions and their images.

use std::collections::BTreeMap;

use crate::api::common::SparkRuntime;

/// Which image serves which Spark version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SparkImages {
    /// Version that is taken where a workload names none.
    pub default_version: String,
    /// Version to image.
    pub images: BTreeMap<String, String>,
}

impl SparkImages {
    /// The image of a workload: its own, or that of its version.
    ///
    /// # Errors
    /// In words for the user, if no image is known for the version.
    pub fn image(&self, runtime: &SparkRuntime) -> Result<String, String> {
        if let Some(image) = &runtime.image {
            return Ok(image.clone());
        }
        let version = runtime.version.as_ref().unwrap_or(&self.default_version);
        self.images.get(version).cloned().ok_or_else(|| {
            let known: Vec<&str> = self.images.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "(none)".to_owned() } else { known.join(", ") };
            if version.is_empty() {
                return format!("no Spark version is named, and there is none by default; set version ({known}) or image");
            }
            format!(
                "no image is known for Spark {version}; known versions: {known}; choose one of them or set image"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told() {
        let images = SparkImages {
            images: BTreeMap::from([("4.0.1".to_owned(), "spark:4.0.1".to_owned())]),
            ..SparkImages::default()
        };
        let none = images.image(&SparkRuntime::default()).unwrap_err();
        assert!(none.starts_with("no Spark version is named"), "{none}");
        assert!(none.ends_with("set version (4.0.1) or image"), "{none}");
        let other = SparkRuntime { version: Some("3.5.0".to_owned()), ..SparkRuntime::default() };
        let unknown = images.image(&other).unwrap_err();
        assert!(unknown.contains("Spark 3.5.0; known versions: 4.0.1"), "{unknown}");
    }
}
