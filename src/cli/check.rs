//! `polder check`: whether cluster and operator fit each other. `helm test` runs it with the
//! operator's own account.

use std::{
    collections::BTreeSet,
    io::{self, Write},
    process::ExitCode,
};

use clap::Args;
use http::{Request, Uri};
use k8s_openapi::{
    api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview},
    apiextensions_apiserver::pkg::apis::apiextensions::v1::{
        CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
    },
};
use kube::{Api, Client, Config, api::PostParams};
use serde_json::{Value, json};

use super::{
    error::root,
    operator,
    version::{PATIENCE, get, is_new_enough},
};
use crate::{api::crds, engine::client};

/// What the operator cannot do without: verb, group, resource, subresource.
const RIGHTS: &[(&str, &str, &str, &str)] = &[
    ("list", "polder.dev", "domains", ""),
    ("watch", "polder.dev", "batchjobs", ""),
    ("patch", "polder.dev", "domains", "status"),
    ("watch", "", "pods", ""),
    ("create", "", "namespaces", ""),
    ("create", "rbac.authorization.k8s.io", "rolebindings", ""),
];

/// What to look at.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where an operator serves /readyz, such as http://polder-metrics.polder-system:8080: it is to
    /// be ready.
    #[arg(long, value_name = "URL")]
    operator: Option<Uri>,
    /// This is the operator's account, and the chart's admission policies are to hold it.
    #[arg(long)]
    policies: bool,
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Threads or a client are not to be had.
    #[error(transparent)]
    Start(#[from] operator::Error),
    /// The result cannot be written.
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
}

/// What was looked at, and what was found or is to be done.
type Check = (&'static str, Result<String, String>);

pub(super) fn execute(arguments: &Arguments) -> Result<ExitCode, Error> {
    let checks = operator::threads()?.block_on(checks(arguments))?;
    let mut out = io::stdout().lock();
    for (name, result) in &checks {
        let (word, text) = match result {
            Ok(found) => ("ok", found),
            Err(problem) => ("FAIL", problem),
        };
        writeln!(out, "{word:<5}{name}: {text}")?;
    }
    match checks.iter().filter(|(_, result)| result.is_err()).count() {
        0 => Ok(ExitCode::SUCCESS),
        failed => {
            let all = checks.len();
            writeln!(out, "{failed} of {all} checks failed; each says above what to do")?;
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn checks(arguments: &Arguments) -> Result<Vec<Check>, operator::Error> {
    let config = Config::infer().await.map_err(|error| operator::Error::Config(Box::new(error)))?;
    let address = config.cluster_url.to_string();
    let client = client(config)?;
    let version = version(&client).await;
    if version.is_err() {
        // Nobody else answers there either.
        let reached = version.map_err(|problem| format!("{address}: {problem}"));
        return Ok(vec![("API server", reached)]);
    }
    let mut checks = vec![
        ("API server", version),
        ("CustomResourceDefinitions", definitions(&client).await),
        ("rights of this account", rights(&client).await),
    ];
    if arguments.policies {
        checks.push(("admission policies", policies(&client).await));
    }
    if let Some(operator) = &arguments.operator {
        checks.push(("operator", readiness(operator).await));
    }
    Ok(checks)
}

async fn version(client: &Client) -> Result<String, String> {
    let answer = get(client, "/version").await.map_err(|(problem, _)| {
        format!("{problem}; see which cluster KUBECONFIG names, and whether it can be reached")
    })?;
    is_new_enough(&answer)
}

/// From what the API server publishes, which whoever has an account may read.
async fn definitions(client: &Client) -> Result<String, String> {
    let apply =
        "polder crds | kubectl apply --server-side -f -   (or helm upgrade with crds.enabled)";
    let wanted = crds::all();
    let published = match get(client, "/openapi/v3/apis/polder.dev/v1alpha1").await {
        Err((_, true)) => return Err(format!("none is installed: {apply}")),
        other => other.map_err(|(problem, _)| problem)?,
    };
    let lacking = lacking(&wanted, published.pointer("/components/schemas"));
    if lacking.is_empty() {
        return Ok(format!("all {} are those of this version", wanted.len()));
    }
    Err(format!("not those of this version, they lack {}: {apply}", lacking.join(", ")))
}

/// Kinds and fields that this version knows and the API server does not.
fn lacking(wanted: &[CustomResourceDefinition], published: Option<&Value>) -> Vec<String> {
    let mut lacking = Vec::new();
    for crd in wanted {
        let kind = &crd.spec.names.kind;
        let schema = crd.spec.versions.first().and_then(|version| version.schema.as_ref());
        let Some(schema) = schema.and_then(|schema| schema.open_api_v3_schema.as_ref()) else {
            continue;
        };
        let name = format!("dev.polder.v1alpha1.{kind}");
        let Some(found) = published.and_then(|schemas| schemas.get(name)) else {
            lacking.push(kind.clone());
            continue;
        };
        let found = serde_json::from_value(found.clone()).unwrap_or_default();
        let (mut ours, mut theirs) = (BTreeSet::new(), BTreeSet::new());
        fields(kind, schema, &mut ours);
        fields(kind, &found, &mut theirs);
        lacking.extend(ours.difference(&theirs).cloned());
    }
    lacking
}

/// Paths of all fields, but for those that the API server itself adds.
fn fields(path: &str, schema: &JSONSchemaProps, found: &mut BTreeSet<String>) {
    for (name, property) in schema.properties.iter().flatten() {
        let path = format!("{path}.{name}");
        fields(&path, property, found);
        found.insert(path);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items {
        fields(&format!("{path}[]"), items, found);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &schema.additional_properties {
        fields(&format!("{path}{{}}"), values, found);
    }
}

async fn rights(client: &Client) -> Result<String, String> {
    let reviews: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let mut missing = Vec::new();
    for &(verb, group, resource, subresource) in RIGHTS {
        let text = |text: &str| Some(text.to_owned());
        let mut review = SelfSubjectAccessReview::default();
        review.spec.resource_attributes = Some(ResourceAttributes {
            verb: text(verb),
            group: text(group),
            resource: text(resource),
            subresource: text(subresource),
            ..ResourceAttributes::default()
        });
        let asked = reviews.create(&PostParams::default(), &review).await;
        let asked = asked.map_err(|error| format!("cannot ask for them: {}", root(&error)))?;
        if !asked.status.is_some_and(|status| status.allowed) {
            let parts: Vec<&str> = [group, resource, subresource]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect();
            missing.push(format!("{verb} {}", parts.join("/")));
        }
    }
    if missing.is_empty() {
        return Ok("it may what the operator has to".to_owned());
    }
    Err(format!(
        "it may not {}: keep rbac.create, or bind the ClusterRole that the chart would make",
        missing.join(", ")
    ))
}

/// The operator may make namespaces, and the policies are to refuse one of no domain.
async fn policies(client: &Client) -> Result<String, String> {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": "polder-check"}});
    let request = Request::post("/api/v1/namespaces?dryRun=All")
        .header("Content-Type", "application/json")
        .body(namespace.to_string().into_bytes())
        .map_err(|error| error.to_string())?;
    match client.request::<Value>(request).await {
        Err(kube::Error::Api(status)) if status.message.contains("ValidatingAdmissionPolicy") => {
            Ok("they hold the operator".to_owned())
        }
        Err(error) => Err(format!("they could not be tried: {}", root(&error))),
        Ok(_) => Err("they do not hold the operator: it could make any namespace; \
             see `kubectl get validatingadmissionpolicybindings`, and upgrade the release to bring them back"
            .to_owned()),
    }
}

async fn readiness(operator: &Uri) -> Result<String, String> {
    let mut config = Config::new(operator.clone());
    config.connect_timeout = Some(PATIENCE);
    let asked = client(config).map_err(|error| error.to_string())?;
    let request = Request::get("/readyz").body(Vec::new()).map_err(|error| error.to_string())?;
    match tokio::time::timeout(PATIENCE, asked.request_text(request)).await {
        Ok(Ok(_)) => Ok(format!("{operator} is ready")),
        Ok(Err(error)) => Err(format!("{operator} is not ready: {}; see its log", root(&error))),
        Err(_) => Err(format!("{operator} does not answer within {} s", PATIENCE.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published() -> Value {
        let schemas = crds::all().into_iter().map(|crd| {
            let schema = crd.spec.versions[0].schema.clone().unwrap().open_api_v3_schema.unwrap();
            let name = format!("dev.polder.v1alpha1.{}", crd.spec.names.kind);
            (name, serde_json::to_value(schema).unwrap())
        });
        schemas.collect::<serde_json::Map<_, _>>().into()
    }

    #[test]
    fn definitions_of_this_version_lack_nothing() {
        assert_eq!(lacking(&crds::all(), Some(&published())), Vec::<String>::new());
    }

    #[test]
    fn older_definitions_lack_fields_and_kinds() {
        let mut published = published();
        published.as_object_mut().unwrap().remove("dev.polder.v1alpha1.SqlEndpoint");
        let domain = &mut published["dev.polder.v1alpha1.Domain"]["properties"]["spec"];
        domain["properties"].as_object_mut().unwrap().remove("frozen");
        assert_eq!(lacking(&crds::all(), Some(&published)), ["Domain.spec.frozen", "SqlEndpoint"]);
    }
}
