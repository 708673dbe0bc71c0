"""Servers of Milvus, in processes of their own: one that is killed and started again, and one that is too old.

The first is the engine of milvus-lite on a port, which clients reach as any server. The second is the package `milvus`
2.3, Milvus standalone; PyPI has none that is newer.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from shared import LONG, QUICK, TINY, answers, command, free_port, real_shell, some_documents, wait_for

from textae import Document, Engine
from textae.errors import StoreError
from textae.remote import milvus
from textae.remote.engine import RemoteEngine, push_to

pytest.importorskip("pymilvus", reason="pymilvus is not installed: pip install 'textae[milvus]'")
lite = pytest.importorskip("milvus_lite", reason="milvus-lite is not installed: pip install 'textae[milvus]'")

SYSTEMS = ("bm25", "bits", "hamming", "code", "hybrid")


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@contextlib.contextmanager
def serving(file: Path, port: int) -> Iterator[subprocess.Popen]:
    """The engine of milvus-lite on a port of this machine alone."""
    folder = Path(lite.__file__).parent / "lib"
    environment = os.environ | {"LD_LIBRARY_PATH": str(folder)}
    given = [folder / "milvus", file, f"127.0.0.1:{port}", "ERROR"]
    server = subprocess.Popen(given, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: answers(port) or server.poll() is not None)
        yield server
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def index(tmp_path) -> Iterator[Engine]:
    with Engine.create(tmp_path / "index") as engine:
        engine.index(some_documents(300), language="english", model=TINY, train=QUICK)
        yield engine


def same(local: Engine, address: str, text: str = "harbour sail", **how) -> bool:
    with RemoteEngine.open(address) as served:
        return all(served.search(text, mode=mode, **how) == local.search(text, mode=mode, **how) for mode in SYSTEMS)


def test_a_server_that_is_killed_has_what_was_pushed_when_it_is_back(tmp_path, index) -> None:
    port, file = free_port(), tmp_path / "served.db"
    address = f"milvus://127.0.0.1:{port}/notes"
    with serving(file, port) as server:
        assert push_to(address, index) == 300
        assert same(index, address)
        assert same(index, address, where="topic:ships AND year:>1950")
        server.send_signal(signal.SIGKILL)
        server.wait()
        error = real_shell("search", "harbour", "--index", address).error
        assert f"{address} does not answer as Milvus does: " in error
        error = real_shell("push", "--to", address, "--index", tmp_path / "index", "--quiet").error
        assert f"{address} does not answer as Milvus does: " in error
    with serving(file, port):
        assert same(index, address)
        first = index.search("harbour sail")[0].id
        index.remove([first])
        index.add([Document("new", "harbour sail harbour sail", "A new one")])
        assert push_to(address, index) == 300
        assert same(index, address)
        with RemoteEngine.open(address) as served:
            found = [hit.id for hit in served.search("harbour sail", 300, mode="bm25")]
            assert "new" in found
            assert first not in found


@pytest.mark.skipif(not LONG, reason="TEXTAE_LONG waits until pymilvus gives up, five minutes")
def test_a_push_to_a_server_that_is_killed_goes_on(tmp_path, index, monkeypatch) -> None:
    """`kill -9` of the server under load: what clients read is the commit before, then the new one."""
    monkeypatch.setattr("textae.remote.push._BATCH", 50)
    monkeypatch.setattr(milvus, "_TIMEOUT", 5.0)
    port, file = free_port(), tmp_path / "served.db"
    address = f"milvus://127.0.0.1:{port}/notes"
    with serving(file, port):
        push_to(address, index)
    before = index.search("harbour sail")
    index.add([Document("new", "harbour sail harbour sail", "A new one")])
    with serving(file, port) as server:
        real, calls = milvus.Milvus.insert, []

        def killing(self, rows) -> None:
            calls.append(rows)
            if len(calls) == 3:
                server.kill()
                server.wait()
            real(self, rows)

        monkeypatch.setattr(milvus.Milvus, "insert", killing)
        with pytest.raises(StoreError, match="does not answer as Milvus does"):
            push_to(address, index)
        monkeypatch.setattr(milvus.Milvus, "insert", real)
    with serving(file, port):
        with RemoteEngine.open(address) as served:
            assert served.search("harbour sail") == before
        assert 0 < push_to(address, index) < 301
        assert same(index, address)


STANDALONE = """
import signal, sys, threading
from milvus import MilvusServer, MilvusServerConfig
server = MilvusServer(MilvusServerConfig(data_dir=sys.argv[1]))
server.start()
print(server.listen_port, flush=True)
try:
    sys.stdin.read()
finally:
    server.stop()
"""


def test_a_server_that_is_too_old_is_refused_in_one_line(tmp_path, index) -> None:
    """Milvus before 2.4 has one vector a document. Its ports are in a network of its own: it binds all interfaces."""
    pytest.importorskip("milvus", reason="Milvus standalone is not installed: pip install milvus==2.3.5")
    script = tmp_path / "within.sh"
    push = " ".join(map(str, command("push", "--to", "milvus://127.0.0.1:19530/notes", "--index", tmp_path / "index")))
    script.write_text(
        'set -e; ip link set lo up; coproc server { "$1" -W ignore -c "$2" "$3"; }\n'
        f"read -r port <&${{server[0]}}; code=0; {push} --quiet || code=$?; exit $code\n"
    )
    within = ["unshare", "--net", "--map-root-user"]
    if subprocess.run([*within, "ip", "link", "set", "lo", "up"], capture_output=True).returncode:
        pytest.skip("this machine allows no network of a process's own (unshare --net, ip)")
    done = subprocess.run(
        [*within, "bash", script, sys.executable, STANDALONE, tmp_path / "milvus"],
        capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    assert done.returncode == 2, done
    assert done.stderr.splitlines() == [
        "textae: error: milvus://127.0.0.1:19530/notes is Milvus v2.3.5-lite, and an index needs 2.4 or newer"
    ]
