"""Asks a name server for one name, without a resolver's caches and fallbacks."""

import os
import socket
import struct

_NO_ERROR = 0


def resolves(server: str, name: str, timeout: float = 1.0) -> bool:
    """Whether the server knows an address for the name (RFC 1035, 4.1)."""
    identifier = os.urandom(2)
    header = identifier + struct.pack(">HHHHH", 0x0100, 1, 0, 0, 0)
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    query = header + labels + b"\0" + struct.pack(">HH", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(timeout)
        try:
            link.sendto(query, (server, 53))
            answer = link.recv(4096)
        except OSError:
            return False
    if len(answer) < len(header) or answer[:2] != identifier:
        return False
    flags: int
    answers: int
    flags, _, answers = struct.unpack(">HHH", answer[2:8])
    return flags & 0xF == _NO_ERROR and answers > 0
