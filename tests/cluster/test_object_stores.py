"""A dataset in object stores: servers that speak the protocols of S3 (moto) and GCS, on this machine."""

import json
import subprocess
import sys
import urllib.request
from importlib.util import find_spec

import pytest
from cluster.test_dataset import DOCUMENTS, Here, indexed, pulled, written
from shared import QUICK, TINY, answers, contents, free_port, real_shell, wait_for

from textae import Document
from textae.cluster.corpus import add, learn, remove, there
from textae.cluster.dataset import Dataset
from textae.types import no_progress

pytest.importorskip("pyarrow")

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true"}
SERVERS = {
    "s3": ("flask_cors moto", "moto flask flask-cors", ["-m", "moto.server", "-H", "127.0.0.1", "-p"]),
    "gs": (
        "gcp_storage_emulator", "gcp-storage-emulator",
        ["-m", "gcp_storage_emulator", "start", "--host", "127.0.0.1", "--in-memory", "--port"],
    ),
}  # fmt: skip
"""For each scheme, the modules and the packages of a server, and the arguments that start it."""


@pytest.fixture(params=SERVERS)
def bucket(request, monkeypatch):
    """The address of a dataset in an empty bucket, and the process of its server."""
    scheme = request.param
    modules, packages, arguments = SERVERS[scheme]
    if not all(map(find_spec, modules.split())):
        pytest.skip(f"a server for {scheme}:// is not installed: pip install {packages}")
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-W", "ignore", *arguments, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: answers(port) or server.poll() is not None)
        at, where = f"http://127.0.0.1:{port}", f"endpoint_override=127.0.0.1:{port}&scheme=http"
        if scheme == "s3":
            made, address = urllib.request.Request(f"{at}/bucket", method="PUT"), "s3://bucket/notes"
            where += "&region=us-east-1"
        else:
            named = json.dumps({"name": "bucket"}).encode()
            made = urllib.request.Request(f"{at}/storage/v1/b?project=p", named, {"Content-Type": "application/json"})
            address, where = "gs://anonymous@bucket/notes", where + "&retry_limit_seconds=2"
        urllib.request.urlopen(made).close()
        yield f"{address}?{where}", server
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
    said = real_shell("doctor", "--out", address, **KEYS)
    assert (said.code, len(said.err.splitlines())) == (2, 1)
    assert "NETWORK_CONNECTION" in said.err or "UNAVAILABLE" in said.err
