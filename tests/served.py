"""`textae serve` in a process of its own, for the tests of what it answers and of what a browser shows."""

import http.client
import json
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from shared import ENVIRONMENT, command


class Process:
    """`textae serve` in a process of its own.

    Attributes:
        address: that it printed.
        url: the address without the token.
        token: of the address, sent with every request.
    """

    def __init__(self, folder: Path, *arguments: object, before: Sequence[str] = ()) -> None:
        self.process = subprocess.Popen(
            [*before, *command("serve", "--index", folder, *arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=ENVIRONMENT,
            text=True,
        )
        self.address = self.process.stdout.readline().strip()
        self.url, _, self.token = self.address.partition("?token=")
        self.port = urlsplit(self.url).port
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def ask(self, path: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
        self.connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}", **headers})
        answer = self.connection.getresponse()
        return answer, answer.read()

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        answer, body = self.ask(path, **headers)
        return answer.status, body

    def commit(self, path: str) -> str:
        """The commit that an answer is of."""
        return json.loads(self.get(path)[1])["commit"]

    def stop(self, by: signal.Signals) -> tuple[int, str]:
        self.connection.close()
        self.process.send_signal(by)
        _, err = self.process.communicate(timeout=30)
        return self.process.returncode, err
