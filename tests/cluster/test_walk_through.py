"""The page on scale, from an empty folder: documents, Spark, a dataset, an index, Milvus, and the same hits."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from shared import ENVIRONMENT

import textae

for needed in ("pyarrow", "pyspark.sql", "milvus_lite"):
    pytest.importorskip(needed, reason="Spark or Milvus is not installed: pip install 'textae[spark,milvus]'")


@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, and there is none")
def test_from_an_empty_folder_to_milvus(tmp_path) -> None:
    page = (Path(textae.__file__).parents[1] / "docs" / "scale.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"## From an empty folder.*?```sh\n(.*?)```", page, re.DOTALL)
    install, _, steps = block.partition("\n")
    assert install.startswith("pip install")
    script = f'set -e\ntextae() {{ "$PYTHON" -m textae "$@"; }}\npython() {{ "$PYTHON" "$@"; }}\n{steps}'
    own = {"PATH": os.environ["PATH"], "PYTHON": sys.executable, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=ENVIRONMENT | own, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("same\n", 0), done.stderr
    assert "asyncio" in (tmp_path / "served.txt").read_text(encoding="utf-8")
