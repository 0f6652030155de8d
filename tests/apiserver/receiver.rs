//! The other end of what is sent to a webhook or a collector.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

const DONE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Reads a request and answers that all is well.
pub fn body(mut stream: TcpStream) -> Vec<u8> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(body) = whole(&request) {
            let _ = stream.write_all(DONE);
            return body;
        }
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "half a request: {}", String::from_utf8_lossy(&request));
        request.extend_from_slice(&buffer[..read]);
    }
}

/// The body, once all of it is there.
fn whole(request: &[u8]) -> Option<Vec<u8>> {
    let end = request.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
    let body = &request[end + 4..];
    (body.len() >= length).then(|| body.to_vec())
}
