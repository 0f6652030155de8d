//! A port of a pod on this machine.

use std::net::{Ipv4Addr, SocketAddr};

use k8s_openapi::api::core::v1::Pod;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

use super::{
    cluster::{Child, Cluster, Object, RootKind, pods},
    error::{Error, chain},
    show::note,
    state,
};
use crate::build::types::POD;

/// A way to a port of a pod.
pub(super) struct Forward {
    cluster: Cluster,
    namespace: String,
    pod: String,
    port: u16,
    listener: TcpListener,
}

impl Forward {
    /// Listens on this machine; `local` 0 takes any port that is free.
    pub(super) async fn open(
        cluster: &Cluster,
        pod: &Child,
        port: u16,
        local: u16,
    ) -> Result<Self, Error> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, local)).await.map_err(Error::local(
                format!("cannot listen on port {local} of this machine; give another --port"),
            ))?;
        let forward = Self {
            cluster: cluster.clone(),
            namespace: pod.object.namespace().to_owned(),
            pod: pod.object.name().to_owned(),
            port,
            listener,
        };
        // Whether it is allowed shows now, and not when the first client comes.
        forward.stream().await.map_err(|error| cluster.refused(&error, POD))?;
        Ok(forward)
    }

    /// Where clients connect to.
    pub(super) fn address(&self) -> Result<SocketAddr, Error> {
        self.listener.local_addr().map_err(Error::local("cannot tell the port"))
    }

    /// Serves clients until it is dropped.
    pub(super) async fn serve(self) -> Result<(), Error> {
        let forward = std::sync::Arc::new(self);
        loop {
            let (client, _) = forward
                .listener
                .accept()
                .await
                .map_err(Error::local("cannot take a connection"))?;
            let forward = forward.clone();
            tokio::spawn(async move {
                if let Err(why) = forward.connect(client).await {
                    note(&format!(
                        "polder: the connection to pod {} broke off: {why}",
                        forward.pod
                    ));
                }
            });
        }
    }

    async fn stream(&self) -> kube::Result<kube::api::Portforwarder> {
        self.cluster.api::<Pod>(&self.namespace).portforward(&self.pod, &[self.port]).await
    }

    async fn connect(&self, mut client: TcpStream) -> Result<(), String> {
        let mut forwarder = self.stream().await.map_err(|error| chain(&error))?;
        let mut pod = forwarder.take_stream(self.port).ok_or("the API server gave no stream")?;
        // Either end may hang up.
        let _ = copy_bidirectional(&mut client, &mut pod).await;
        drop(pod);
        forwarder.abort();
        Ok(())
    }
}

/// The running pod of a workload with this role.
pub(super) async fn running_pod(
    cluster: &Cluster,
    kind: RootKind,
    root: &Object,
    role: &str,
) -> Result<Child, Error> {
    let all = pods(cluster, kind, root).await?;
    let mut all: Vec<Child> = all.into_iter().filter(|pod| pod.role() == role).collect();
    let is_running = |pod: &Child| pod.pod_status().phase.as_deref() == Some("Running");
    let object = root.called(kind);
    let first = all.first().map(|pod| (pod.object.name().to_owned(), state::of(pod).text));
    all.retain(is_running);
    all.pop().ok_or_else(|| {
        Error::Usage(match (first, root.is_suspended(), kind) {
            (_, true, _) => format!("it is suspended; `polder resume {object}` lets it go on"),
            (Some((pod, state)), _, RootKind::BatchJob) => format!(
                "no run goes on: pod {pod} is {state}. `polder run {object}` starts another"
            ),
            (Some((pod, state)), ..) => {
                format!("pod {pod} does not run: {state}. `polder why {object}` tells more")
            }
            (None, _, RootKind::BatchJob) => {
                format!("no run goes on; `polder run {object}` starts one")
            }
            (None, ..) => format!("it has no pod; `polder why {object}` tells why"),
        })
    })
}
