//! The operator that a cluster runs: its version, and what it was told of its installation.

use k8s_openapi::api::{apps::v1::Deployment, core::v1::Container};
use kube::{ResourceExt, api::ListParams};

use super::super::{cluster::Cluster, operator};
use crate::{build::labels, engine::ResourceType, operator::Installation};

/// Version of this program.
pub(super) const HERE: &str = env!("CARGO_PKG_VERSION");
const DEPLOYMENT: ResourceType = ResourceType::namespaced::<Deployment>();
/// Label of the chart with the version of the operator.
const VERSION: &str = "app.kubernetes.io/version";

/// What is known of it: nothing, for whoever may not read its Deployment.
#[derive(Debug, Default)]
pub(super) struct Running {
    pub(super) version: Option<String>,
    installation: Option<Installation>,
}

impl Running {
    /// Looks for the Deployment of the chart.
    pub(super) async fn find(cluster: &Cluster) -> Self {
        let which =
            ListParams::default().labels(&format!("{}={}", labels::PART_OF, labels::POLDER));
        // Members of a domain may not list Deployments; what children carry tells them enough.
        let all = cluster.list::<Deployment>(DEPLOYMENT, None, which).await.unwrap_or_default();
        all.iter().find_map(Self::of).unwrap_or_default()
    }

    /// `None` if it is another Deployment.
    fn of(deployment: &Deployment) -> Option<Self> {
        let namespace = deployment.namespace().unwrap_or_default();
        let pod = deployment.spec.as_ref()?.template.spec.as_ref()?;
        let container = pod.containers.iter().find(|it| {
            // Up to 0.1 the command was `run`.
            let first = it.args.as_ref().and_then(|words| words.first());
            first.is_some_and(|word| matches!(word.as_str(), "operator" | "run"))
        })?;
        let words = container.args.iter().flatten().skip(1);
        let words = words.map(|word| word.replace("$(POD_NAMESPACE)", &namespace)).collect();
        Some(Self {
            version: version_of(container).or_else(|| deployment.labels().get(VERSION).cloned()),
            installation: operator::installation_of(words),
        })
    }

    /// That it is of another version than this program.
    pub(super) fn warning(&self) -> Option<String> {
        let version = self.version.as_deref().filter(|version| *version != HERE)?;
        Some(format!(
            "the cluster runs Polder {version}, and this is {HERE}: what follows is what {HERE} would do; \
             polder {version} tells what happens now"
        ))
    }

    /// What it was told, but for what whoever asks says otherwise.
    pub(super) fn installation(&self, given: Installation) -> Installation {
        let Some(known) = &self.installation else { return given };
        let mut known = known.clone();
        if !given.images.images.is_empty() {
            known.images.images = given.images.images;
        }
        if !given.images.default_version.is_empty() {
            known.images.default_version = given.images.default_version;
        }
        if !given.operator.account_namespaces.is_empty() {
            known.operator.account_namespaces = given.operator.account_namespaces;
        }
        known
    }
}

/// The version that the tag of an image names.
fn version_of(container: &Container) -> Option<String> {
    let image = container.image.as_deref()?.split('@').next()?;
    let (_, tag) = image.rsplit_once(':')?;
    let tag = tag.strip_prefix('v').unwrap_or(tag);
    let is_version = tag.starts_with(|c: char| c.is_ascii_digit()) && tag.matches('.').count() == 2;
    is_version.then(|| tag.to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn deployment(image: &str, words: &[&str]) -> Deployment {
        serde_json::from_value(json!({
            "metadata": {"name": "polder", "namespace": "polder-system", "labels": {VERSION: "0.1.0"}},
            "spec": {"selector": {}, "template": {"spec": {"containers": [
                {"name": "polder", "image": image, "args": words}]}}},
        }))
        .unwrap()
    }

    #[rstest]
    #[case("registry.example.com:5000/polder:0.9.1", "0.9.1")]
    #[case("polder:v0.9.1@sha256:abc", "0.9.1")]
    #[case("registry.example.com:5000/polder", "0.1.0")]
    #[case("polder:latest", "0.1.0")]
    fn the_version_is_that_of_the_image_or_else_of_the_chart(
        #[case] image: &str,
        #[case] version: &str,
    ) {
        let running = Running::of(&deployment(image, &["operator"])).unwrap();
        assert_eq!(Running::of(&deployment(image, &["run"])).unwrap().version, running.version);
        assert_eq!(running.version.as_deref(), Some(version));
        let warning = running.warning().unwrap();
        assert!(warning.contains(&format!("the cluster runs Polder {version}, and this is")));
    }

    #[test]
    fn the_same_version_is_no_warning_and_another_program_no_operator() {
        let image = format!("polder:{HERE}");
        let running = Running::of(&deployment(&image, &["operator"])).unwrap();
        assert_eq!(running.warning(), None);
        assert!(Running::of(&deployment(&image, &["audit"])).is_none());
    }

    #[test]
    fn its_arguments_tell_of_the_installation_unless_told_otherwise() {
        let words = [
            "operator",
            "--operator-namespace=$(POD_NAMESPACE)",
            "--spark-image=4.1.4=r/spark:4.1.4",
            "--spark-default-version=4.1.4",
            "--of-a-later-version=1",
            "--member-account-namespace=ci",
        ];
        let running = Running::of(&deployment("polder:9.0.0", &words)).unwrap();
        let known = running.installation(Installation::default());
        assert_eq!(known.operator.namespace, "polder-system");
        assert_eq!(known.operator.account_namespaces, ["ci"]);
        assert_eq!(known.images.images["4.1.4"], "r/spark:4.1.4");
        let mut given = Installation::default();
        given.images.images.insert("4.1.4".to_owned(), "mine".to_owned());
        let known = running.installation(given);
        assert_eq!(
            (known.images.images["4.1.4"].as_str(), known.images.default_version.as_str()),
            ("mine", "4.1.4")
        );
    }
}
