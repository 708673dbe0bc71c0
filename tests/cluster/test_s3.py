"""A dataset in an object store that speaks S3's protocol: moto's server, on this machine."""

import subprocess
import sys
import urllib.request

import pytest
from cluster.test_dataset import DOCUMENTS, Here, indexed, pulled, written
from shared import QUICK, TINY, answers, contents, free_port, real_shell, wait_for

from textae import Document
from textae.cluster.corpus import add, learn, remove, there
from textae.cluster.dataset import Dataset
from textae.types import no_progress

pytest.importorskip("pyarrow")
pytest.importorskip("flask_cors", reason="moto's server is not installed: pip install moto flask flask-cors")
pytest.importorskip("moto", reason="moto's server is not installed: pip install moto flask flask-cors")

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true"}


@pytest.fixture
def bucket(monkeypatch):
    """The port of a server, and a bucket there."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(lambda: answers(port) or server.poll() is not None)
        urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/bucket", method="PUT")).close()
        yield f"s3://bucket/notes?endpoint_override=127.0.0.1:{port}&scheme=http&region=us-east-1", server
    finally:
        server.kill()
        server.wait()


def test_a_dataset_in_a_bucket_has_the_bytes_of_the_index(tmp_path, bucket) -> None:
    address, server = bucket
    dataset = Dataset(address)
    learn(dataset, written(dataset, DOCUMENTS, 25), Here(), no_progress, model=TINY, train=QUICK)
    assert contents(pulled(dataset, tmp_path / "again")) == contents(indexed(tmp_path / "index", DOCUMENTS))
    assert add(dataset, written(dataset, [Document("new", "a comet")], 1), Here(), no_progress) == 1
    assert remove(dataset, ["stars-0"]) == 1
    assert list(there(dataset, dataset.manifest()))[-1] == "new"
    assert real_shell("doctor", "--out", address, **KEYS).out == f"{address}: sound\n"
    server.kill()
    server.wait()
    assert "NETWORK_CONNECTION" in real_shell("doctor", "--out", address, **KEYS).error
