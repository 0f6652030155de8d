//! Service accounts of workloads.

use k8s_openapi::api::core::v1::ServiceAccount;

use crate::build::spark::executors::{ACCOUNT, DRIVER_ACCOUNT};

use super::super::scope::Scope;

/// The accounts of workloads. Neither hands out its token: a pod that needs it asks for it.
pub fn accounts(scope: &Scope<'_>) -> Vec<ServiceAccount> {
    [ACCOUNT, DRIVER_ACCOUNT]
        .into_iter()
        .map(|name| ServiceAccount {
            metadata: scope.identity().meta(name, "account"),
            automount_service_account_token: Some(false),
            ..ServiceAccount::default()
        })
        .collect()
}
