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
            format!(
                "no image is known for Spark {version}; known versions: {}; choose one of them or set image",
                if known.is_empty() { "(none)".to_owned() } else { known.join(", ") }
            )
        })
    }
}
