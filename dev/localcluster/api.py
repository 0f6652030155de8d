"""The few requests to the API server that waiting needs: no kubectl start-up each time."""

import http.client
import json
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .errors import Failure


class Api:
    """A client with the administrator's certificate."""

    def __init__(self, server: str, certs: Path, timeout: float = 5.0) -> None:
        context = ssl.create_default_context(cafile=str(certs / "ca.crt"))
        context.load_cert_chain(certs / "admin.crt", certs / "admin.key")
        self._address = urlsplit(server)
        self._context = context
        self._timeout = timeout

    def get(self, path: str) -> dict[str, Any] | None:
        """The object at a path, or None where there is none or nobody answers."""
        status, body = self._request(path)
        return json.loads(body) if status == http.client.OK else None

    def ready(self) -> bool:
        """Whether the API server says that it is ready."""
        return self._request("/readyz")[0] == http.client.OK

    def _request(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPSConnection(
            self._address.hostname or "", self._address.port,
            timeout=self._timeout, context=self._context,
        )
        try:
            connection.request("GET", path, headers={"Accept": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            connection.close()


def condition(item: dict[str, Any] | None, kind: str) -> str:
    """The status of an object's condition: True, False or Unknown."""
    for found in ((item or {}).get("status") or {}).get("conditions") or []:
        if found["type"] == kind:
            return str(found["status"])
    return "Unknown"


def wait_until(
    what: str,
    check: Callable[[], bool],
    *,
    alive: Callable[[], None],
    timeout: float,
    log: Path | None = None,
) -> None:
    """Waits until the check passes. `alive` raises when waiting has no point."""
    deadline = time.monotonic() + timeout
    while not check():
        alive()
        if time.monotonic() > deadline:
            raise Failure(
                f"{what}: not after {timeout:.0f} s", log=log,
                todo="see the log; if the machine is very busy, try again",
            )
        time.sleep(0.05)
