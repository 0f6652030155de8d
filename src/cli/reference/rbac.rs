//! The page of roles, made of the chart as Helm renders it. Why a rule is there stands above it, as a
//! comment.

use std::fmt::Write;

use serde::Deserialize;

use super::markdown::{MARK, cell, codes};

const INTRODUCTION: &str = "\
# Roles

What the chart installs, `rbac.create`, for a release called `polder`, with every part switched on.
Who holds which role in a domain, and how to see what that comes to:
[access](../how-to/access.md). What all of it protects from, and what not:
[security](../explanation/security.md).

The four roles of members gather ClusterRoles by label, so an administrator extends one with a
ClusterRole of their own that is labelled `rbac.polder.dev/aggregate-to-domain-engineer: \"true\"`. They
are not built on Kubernetes' own admin and edit, which hand out tokens of service accounts.
";

/// Why a page cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rule is not understood.
    #[error("in {role}: {source}: {text}")]
    Rule {
        /// Whose.
        role: String,
        /// As it stands in the chart.
        text: String,
        /// Why.
        #[source]
        source: serde_yaml::Error,
    },
    /// A rule that nothing says the reason of.
    #[error("in {role}: nothing above the rule says why it is there: {text}")]
    Unexplained {
        /// Whose.
        role: String,
        /// As it stands in the chart.
        text: String,
    },
    /// There is none.
    #[error("no role is in it")]
    Empty,
}

/// Source: <https://kubernetes.io/docs/reference/access-authn-authz/rbac/>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    api_groups: Vec<String>,
    resources: Vec<String>,
    verbs: Vec<String>,
    #[serde(default)]
    resource_names: Vec<String>,
}

impl Rule {
    /// Whether two rules go into one line.
    fn is_like(&self, other: &Self) -> bool {
        self.verbs == other.verbs
            && self.resource_names.is_empty()
            && other.resource_names.is_empty()
    }

    /// Its resources as kubectl takes them, with the group.
    fn names(&self) -> Vec<String> {
        let name = |group: &str, resource: &str| match group {
            "" => resource.to_owned(),
            group => format!("{resource}.{group}"),
        };
        let groups = self.api_groups.iter();
        groups.flat_map(|group| self.resources.iter().map(move |it| name(group, it))).collect()
    }
}

/// A role as text: what is above it, and its lines.
struct Role<'a> {
    kind: &'a str,
    name: &'a str,
    about: String,
    document: &'a str,
}

/// The page, from all objects of the chart.
pub(super) fn page(chart: &str) -> Result<String, Error> {
    let mut page = format!("{MARK}{INTRODUCTION}");
    let mut is_empty = true;
    for role in chart.split("\n---\n").filter_map(role) {
        is_empty = false;
        let _ = write!(page, "\n## {}\n\n{}\n", role.name, section(&role)?);
    }
    if is_empty { Err(Error::Empty) } else { Ok(page) }
}

fn role(document: &str) -> Option<Role<'_>> {
    let field = |field: &str| document.lines().find_map(|line| line.strip_prefix(field));
    let kind = field("kind: ").filter(|kind| ["ClusterRole", "Role"].contains(kind))?;
    let about = document.lines().take_while(|line| !line.starts_with("apiVersion"));
    let about: Vec<&str> = about.filter_map(comment).collect();
    Some(Role { kind, name: field("  name: ")?, about: about.join(" "), document })
}

/// What a line says that is a comment of ours.
fn comment(line: &str) -> Option<&str> {
    line.strip_prefix("# ").filter(|text| !text.starts_with("Source: polder/"))
}

fn section(role: &Role<'_>) -> Result<String, Error> {
    let lines = || role.document.lines();
    let namespace = lines().find_map(|line| line.strip_prefix("  namespace: "));
    let place = namespace.map(|name| format!(" in namespace `{name}`")).unwrap_or_default();
    let mut text = format!("A {}{place}. {}", role.kind, cell(&role.about));
    let gathers = lines().filter_map(|line| line.trim().strip_prefix("rbac.polder.dev/"));
    let gathers = gathers.filter_map(|label| label.split_once(": ")).map(|(label, _)| label);
    if lines().any(|line| line == "aggregationRule:") {
        let labels: Vec<String> = gathers.map(|label| format!("rbac.polder.dev/{label}")).collect();
        let labels = codes(labels.iter().map(String::as_str));
        let _ = write!(text, " It gathers the ClusterRoles with the label {labels}.");
        return Ok(text);
    }
    let into: Vec<String> = gathers
        .filter_map(|label| label.strip_prefix("aggregate-to-"))
        .map(|of| format!("[polder-{of}](#polder-{of})"))
        .collect();
    if !into.is_empty() {
        let _ = write!(text, " Part of {}.", into.join(", "));
    }
    text.push_str("\n\n| resources | verbs | why |\n|---|---|---|\n");
    let rules = rules(role)?;
    for same in rules.chunk_by(|(why, rule), (next, other)| why == next && rule.is_like(other)) {
        let Some((why, first)) = same.first() else { continue };
        let resources: Vec<String> = same.iter().flat_map(|(_, rule)| rule.names()).collect();
        let mut resources = codes(resources.iter().map(String::as_str));
        if !first.resource_names.is_empty() {
            let names = codes(first.resource_names.iter().map(String::as_str));
            let _ = write!(resources, ": only {names}");
        }
        let why = if *why == role.about { String::new() } else { cell(why) };
        let _ = writeln!(text, "| {resources} | {} | {why} |", first.verbs.join(", "));
    }
    Ok(text.trim_end().to_owned())
}

/// Rules, each with the comment above it, or above the one before it.
fn rules(role: &Role<'_>) -> Result<Vec<(String, Rule)>, Error> {
    let lines = role.document.lines().skip_while(|line| !line.starts_with("rules:")).skip(1);
    let mut blocks: Vec<(String, String)> = Vec::new();
    let (mut why, mut is_new) = (role.about.clone(), true);
    for line in lines {
        if let Some(text) = comment(line) {
            why = if is_new { text.to_owned() } else { format!("{why} {text}") };
            is_new = false;
            continue;
        }
        is_new = true;
        match blocks.last_mut() {
            Some((_, block)) if !line.starts_with("- apiGroups") => {
                block.push_str(line);
                block.push('\n');
            }
            _ => blocks.push((why.clone(), format!("{line}\n"))),
        }
    }
    blocks.into_iter().map(|(why, text)| parse(role, why, text)).collect()
}

fn parse(role: &Role<'_>, why: String, text: String) -> Result<(String, Rule), Error> {
    let name = role.name.to_owned();
    if why.is_empty() {
        return Err(Error::Unexplained { role: name, text });
    }
    match serde_yaml::from_str::<(Rule,)>(&text) {
        Ok((parsed,)) => Ok((why, parsed)),
        Err(source) => Err(Error::Rule { role: name, text, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, page};

    const CHART: &str = "\
# Source: polder/templates/rbac.yaml
# What it does.
apiVersion: v1
kind: ClusterRole
metadata:
  name: polder-x
rules:
# Looks.
- apiGroups: [\"\"]
  resources:
  - pods
  verbs: [get]
- apiGroups: [apps]
  resources: [statefulsets]
  verbs: [get]
# Binds,
# one role.
- apiGroups: [rbac]
  resources: [clusterroles]
  verbs: [bind]
  resourceNames:
  - one
---
kind: Service
metadata:
  name: other
";

    #[test]
    fn each_rule_has_its_reason() {
        let page = page(CHART).unwrap();
        let section = "\
## polder-x

A ClusterRole. What it does.

| resources | verbs | why |
|---|---|---|
| `pods`, `statefulsets.apps` | get | Looks. |
| `clusterroles.rbac`: only `one` | bind | Binds, one role. |
";
        assert!(page.ends_with(section), "{page}");
    }

    #[test]
    fn a_rule_without_a_reason_is_refused() {
        let chart = CHART.replace("# Looks.\n", "").replace("# What it does.\n", "");
        assert!(matches!(page(&chart), Err(Error::Unexplained { .. })));
        assert!(matches!(page("kind: Service"), Err(Error::Empty)));
    }
}
