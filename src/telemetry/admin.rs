//! What may be changed while the process runs, for who can reach its loopback interface: in a pod,
//! those who may forward its ports.

use std::{io, net::SocketAddr};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header::HOST},
    routing::get,
};
use tokio::net::TcpListener;

use super::LogLevel;

/// Where administrators are served: on the loopback interface only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdminAddress(SocketAddr);

impl std::str::FromStr for AdminAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let address: SocketAddr = text
            .parse()
            .map_err(|_| "must be an address and a port, such as 127.0.0.1:8081".to_owned())?;
        if !address.ip().is_loopback() {
            return Err(format!(
                "{} can be reached by others, who could then change the log level: use 127.0.0.1",
                address.ip()
            ));
        }
        Ok(Self(address))
    }
}

impl std::fmt::Display for AdminAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Serves `/loglevel`: GET tells it, PUT changes it to what the body says.
pub async fn serve_admin(address: AdminAddress, level: LogLevel) -> io::Result<()> {
    let listener = TcpListener::bind(address.0).await?;
    let router = Router::new().route("/loglevel", get(tell).put(change)).with_state(level);
    axum::serve(listener, router).await
}

async fn tell(State(level): State<LogLevel>) -> String {
    format!("{}\n", level.get())
}

async fn change(
    State(level): State<LogLevel>,
    headers: HeaderMap,
    filter: String,
) -> (StatusCode, String) {
    if !is_local(&headers) {
        let message = "ask for localhost or 127.0.0.1\n".to_owned();
        return (StatusCode::FORBIDDEN, message);
    }
    let before = level.get();
    match level.set(filter.trim()) {
        Ok(()) => {
            let now = level.get();
            tracing::warn!(before, now, "the log level was changed");
            (StatusCode::OK, format!("{now}\n"))
        }
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error}\n")),
    }
}

/// Pages of other sites reach a forwarded port too, under a name of theirs.
fn is_local(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_loopback_interface_is_served() {
        assert!("127.0.0.1:8081".parse::<AdminAddress>().is_ok());
        assert!("[::1]:8081".parse::<AdminAddress>().is_ok());
        for address in ["0.0.0.0:8081", "10.0.0.1:8081", "8081", "localhost"] {
            assert!(address.parse::<AdminAddress>().is_err(), "{address}");
        }
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let host = |host: &str| HeaderMap::from_iter([(HOST, host.parse().unwrap())]);
        for name in ["localhost:8081", "127.0.0.1:8081", "localhost", "[::1]:8081"] {
            assert!(is_local(&host(name)), "{name}");
        }
        for name in ["evil.example.com:8081", "localhost.evil.example.com", ""] {
            assert!(!is_local(&host(name)), "{name}");
        }
        assert!(!is_local(&HeaderMap::new()));
    }
}
