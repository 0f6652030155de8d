//! The children of a Domain, in the order of trust.

use crate::{
    api::{Domain, domain::Isolation},
    build::types,
    engine::{Child, Plan},
    kinds::common::policy::DRIVER_SECRETS,
};

use super::{
    OperatorIdentity, Resolved,
    children::{
        access, accounts, bounds, gitops, monitoring, namespace, network, secrets, spark, volumes,
    },
    quotas,
    scope::Scope,
    status::quota::pending,
};

/// Ranks, lowest first.
pub mod rank {
    /// The namespace.
    pub const NAMESPACE: u8 = 0;
    /// What lets the operator work in it.
    pub const OPERATOR: u8 = 1;
    /// Quota, limits, network policies.
    pub const BOUNDS: u8 = 2;
    /// What workloads need: accounts, volumes, configuration. The admission policy for pods wants
    /// one of these accounts, so no pod is let in before they exist.
    pub const CONTENTS: u8 = 3;
    /// Who may use it.
    pub const ACCESS: u8 = 4;
}

/// The children of a Domain.
pub fn plan(domain: &Domain, resolved: &Resolved, operator: &OperatorIdentity) -> Plan {
    let scope = Scope::of(domain);
    let mut policy = resolved.policy.annotations();
    policy.extend(resolved.driver_secrets.text().map(|text| (DRIVER_SECRETS.to_owned(), text)));
    let mut children = vec![
        Child::new(types::NAMESPACE, rank::NAMESPACE, &namespace::namespace(&scope, policy))
            .with_ownership(scope.retained()),
        Child::new(types::ROLE_BINDING, rank::OPERATOR, &access::operator(&scope, operator))
            .giving_rights(),
    ];
    children.extend(bounding(&scope, operator));
    children.extend(contents(&scope, domain, resolved));
    children.extend(monitoring::child(&scope, resolved, operator));
    children.extend(granted(&scope, operator));
    children.extend(gitops::children(&scope, resolved, operator));
    Plan { children, hold_after: hold_after(&scope, resolved), ..Plan::default() }
}

/// Nothing is sent into a namespace that is on its way out, and nobody is let in before every
/// quota holds: until the quota controller has set `status.hard`, nothing is enforced.
fn hold_after(scope: &Scope<'_>, resolved: &Resolved) -> Option<u8> {
    if resolved.namespace.as_ref().is_some_and(|namespace| namespace.deleting) {
        return Some(rank::NAMESPACE);
    }
    (!pending(scope, resolved).is_empty()).then_some(rank::BOUNDS)
}

fn bounding(scope: &Scope<'_>, operator: &OperatorIdentity) -> Vec<Child> {
    let quotas = quotas::wanted(scope)
        .into_iter()
        .map(|quota| Child::new(types::RESOURCE_QUOTA, rank::BOUNDS, &bounds::quota(scope, quota)));
    let limits =
        scope.spec.limits.as_ref().map(|limits| {
            Child::new(types::LIMIT_RANGE, rank::BOUNDS, &bounds::limits(scope, limits))
        });
    let policies = match scope.isolation() {
        Isolation::None => Vec::new(),
        Isolation::Strict => {
            vec![
                network::isolation(scope, &operator.prometheus),
                network::api_server(scope, &operator.api_server),
            ]
        }
    };
    let policies =
        policies.iter().map(|policy| Child::new(types::NETWORK_POLICY, rank::BOUNDS, policy));
    quotas.chain(limits).chain(policies).collect()
}

fn contents(scope: &Scope<'_>, domain: &Domain, resolved: &Resolved) -> Vec<Child> {
    let accounts = accounts::accounts(scope)
        .into_iter()
        .map(|account| Child::new(types::SERVICE_ACCOUNT, rank::CONTENTS, &account));
    let claims = scope.spec.volumes.iter().map(|volume| {
        let claim = volumes::claim(scope, volume, resolved.claim(scope, volume));
        Child::new(types::CLAIM, rank::CONTENTS, &claim).with_ownership(scope.retained())
    });
    let config = spark::config(scope, domain)
        .map(|config| Child::new(types::CONFIG_MAP, rank::CONTENTS, &config));
    accounts.chain(claims).chain(config).chain(secrets::children(scope, resolved)).collect()
}

fn granted(scope: &Scope<'_>, operator: &OperatorIdentity) -> Vec<Child> {
    let members = scope.spec.members.iter().map(|member| access::member(scope, operator, member));
    [access::driver(scope, operator)]
        .into_iter()
        .chain(members)
        .map(|binding| Child::new(types::ROLE_BINDING, rank::ACCESS, &binding))
        .collect()
}
