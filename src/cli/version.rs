//! Whether the API server is one that Polder can work with.

use std::time::Duration;

use http::Request;
use kube::Client;
use serde_json::Value;

use super::error::root;

/// Oldest minor version of Kubernetes 1 that serves all that Polder asks for.
const OLDEST_MINOR: u32 = 34;
/// Longest wait for an answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// An answer in time; what went wrong otherwise, and whether it is that there is no such thing.
pub(super) async fn get(client: &Client, path: &str) -> Result<Value, (String, bool)> {
    let request =
        Request::get(path).body(Vec::new()).map_err(|error| (error.to_string(), false))?;
    match tokio::time::timeout(PATIENCE, client.request(request)).await {
        Err(_) => Err((format!("no answer within {} s", PATIENCE.as_secs()), false)),
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(kube::Error::Api(status))) => Err((status.message.clone(), status.code == 404)),
        Ok(Err(error)) => Err((root(&error), false)),
    }
}

/// Refuses an API server that says to be too old. One that says nothing is another matter: the
/// operator waits for it.
pub(super) async fn refuse_old(client: &Client) -> Result<(), String> {
    match get(client, "/version").await {
        Ok(version) => is_new_enough(&version).map(drop),
        Err(_) => Ok(()),
    }
}

/// Its name if it is new enough, or what to do. What counts is the version that it emulates, if
/// another: <https://kubernetes.io/docs/concepts/cluster-administration/compatibility-version/>
pub(super) fn is_new_enough(version: &Value) -> Result<String, String> {
    let text = |field: &str| version.get(field).and_then(Value::as_str).unwrap_or_default();
    let name = match text("gitVersion") {
        "" => "of no known version",
        name => name,
    };
    // Some clusters add a plus.
    let number =
        |text: &str| text.trim_end_matches(|it: char| !it.is_ascii_digit()).parse().unwrap_or(0);
    let pair = |major: &str, minor: &str| (number(text(major)), number(text(minor)));
    let (binary, emulated) = (pair("major", "minor"), pair("emulationMajor", "emulationMinor"));
    let oldest: (u32, u32) = (1, OLDEST_MINOR);
    if binary < oldest {
        return Err(format!(
            "Kubernetes {name} is too old: upgrade the cluster to 1.{OLDEST_MINOR} or newer"
        ));
    }
    // Older than 1.33, or not asked: zeros.
    if emulated != (0, 0) && emulated < oldest {
        let (major, minor) = emulated;
        return Err(format!(
            "Kubernetes {name} emulates {major}.{minor}, which is too old: let the API server's \
             --emulated-version be 1.{OLDEST_MINOR} or newer"
        ));
    }
    Ok(format!("Kubernetes {name}"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case("1", "34", true)]
    #[case("1", "35+", true)]
    #[case("2", "0", true)]
    #[case("1", "33", false)]
    #[case("", "", false)]
    fn the_oldest_api_server(#[case] major: &str, #[case] minor: &str, #[case] is_fit: bool) {
        let version = json!({"gitVersion": "v1", "major": major, "minor": minor});
        assert_eq!(is_new_enough(&version).is_ok(), is_fit);
    }

    #[rstest]
    #[case("34", true)]
    #[case("33", false)]
    fn the_oldest_that_may_be_emulated(#[case] minor: &str, #[case] is_fit: bool) {
        let version = json!({"gitVersion": "v1.35.4", "major": "1", "minor": "35",
            "emulationMajor": "1", "emulationMinor": minor});
        assert_eq!(is_new_enough(&version).is_ok(), is_fit);
    }

    #[test]
    fn the_chart_asks_for_the_same_version() {
        let chart = include_str!("../../charts/polder/Chart.yaml");
        let wanted = format!("kubeVersion: \">=1.{OLDEST_MINOR}.0-0\"\n");
        assert!(chart.contains(&wanted), "{chart}");
    }
}
