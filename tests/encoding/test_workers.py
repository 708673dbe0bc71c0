"""What a worker of a cluster needs of the encoding room: few imports, and objects that travel."""

import pickle
import subprocess
import sys
from pathlib import Path

import cloudpickle
import numpy as np
import pytest
from shared import ENVIRONMENT, TOPICS, some_documents

import textae.encoding
from textae.encoding.analyzer import Analysis, Memo, searchable
from textae.encoding.bags import Tokens
from textae.encoding.classifier import Classifier
from textae.encoding.counting import Counter, TermCounts
from textae.encoding.decoder import Decoder
from textae.encoding.encoders import LINEAR, DeepEncoder, Encoder, PixelEncoder, Quantization
from textae.encoding.model import Model
from textae.encoding.pixels import Pixels
from textae.encoding.projection import principal_components
from textae.encoding.vectorizer import GrowingVectorizer, Vectorizer
from textae.encoding.vocabulary import Vocabulary
from textae.encoding.weighting import idf

TEXTS = [searchable(document) for document in some_documents(40)]
NEVER = {"torch", "scipy", "sklearn", "pandas", "sqlite3", "faiss", "click", "PIL", "pyarrow", "matplotlib"}
LATE = {"Stemmer", "whoosh"}


def python(program: str, *arguments: Path) -> str:
    """Run a program in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True, env=ENVIRONMENT
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_whole_room_imports_numpy_and_small_things() -> None:
    folder = Path(textae.encoding.__file__).parent
    modules = [f"textae.encoding.{path.stem}" for path in sorted(folder.glob("*.py")) if path.stem != "__init__"]
    loaded = python(f"import sys, {', '.join(modules)}; print(*sys.modules)").split()
    assert set(modules) <= set(loaded)
    assert not {name.split(".")[0] for name in loaded} & (NEVER | LATE)
    assert {name.split(".")[1] for name in loaded if name.startswith("textae.")} == {"encoding", "errors", "types"}


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)


def travelled(thing):
    """Give the thing as a worker has it: from the bytes that cloudpickle makes of it."""
    return pickle.loads(cloudpickle.dumps(thing))  # noqa: S301, our own bytes


@pytest.fixture(scope="module")
def counted(tmp_path_factory) -> tuple[Vocabulary, Tokens, np.ndarray]:
    counter = Counter(Analysis.of("english"), tmp_path_factory.mktemp("counted"))
    for text in TEXTS:
        counter.add(text)
    return counter.finish()


@pytest.fixture(scope="module")
def model(counted) -> Model:
    vocabulary, _, frequencies = counted
    learned, n = idf(np.append(frequencies, 0), len(TEXTS)), len(vocabulary)
    start = Encoder.lsa(normal(n, 8), learned[:-1])
    planes = Quantization(normal(12), normal(12, 32))
    encoder = Encoder(
        learned[:-1], normal(n, 8), ((normal(8, 8), normal(8)),), ((normal(8, 4), normal(4)),),
        normal(4), normal(4, 4), 0.4, planes,
    )  # fmt: skip
    return Model(Vectorizer(Analysis.of("english"), vocabulary), learned, encoder, start, 0)


class TestPickles:
    def test_an_analysis_without_its_stemmer_and_memory(self) -> None:
        analysis = Analysis.of("english")
        assert analysis.term_of["stars"] == "star"
        again = travelled(analysis)
        assert again == analysis
        assert "term_of" not in vars(again)
        assert [again.term_of[word] for word in ("stars", "the")] == ["star", None]

    def test_a_memo_as_its_function(self) -> None:
        memo = Memo(len)
        assert memo["four"] == 4
        again = travelled(memo)
        assert (len(again), again["four"], again["seven"]) == (0, 4, 5)
        term_of = travelled(Analysis.of("english").term_of)
        assert term_of["comets"] == "comet"

    def test_a_vectorizer_without_its_memory(self, counted) -> None:
        vectorizer = Vectorizer(Analysis.of("english"), counted[0])
        tokens = vectorizer.tokens(TEXTS)
        again = travelled(vectorizer)
        assert "numbers" not in vars(again)
        assert again.tokens(TEXTS).terms.tolist() == tokens.terms.tolist() == counted[1].terms.tolist()
        assert again.vocabulary.terms() == counted[0].terms()
        assert travelled(vectorizer.numbers)["star"] == vectorizer.numbers["star"]

    @pytest.mark.parametrize("patience", [0, 2_000])
    def test_a_growing_vectorizer_with_its_new_terms(self, patience, monkeypatch) -> None:
        monkeypatch.setattr(GrowingVectorizer, "PATIENCE", patience)
        vectorizer = GrowingVectorizer(Analysis.of(None), Vocabulary.of(["cat", "dog"]))
        assert vectorizer.tokens(["a zebra and cats"]).terms.tolist() == [2, 3, 4, 5]
        again = travelled(vectorizer)
        assert again.tokens(["zebra yak cat"]).terms.tolist() == [3, 6, 0]
        assert again.grown().terms() == ["cat", "dog", "a", "zebra", "and", "cats", "yak"]

    def test_counts_and_tokens(self, counted, tmp_path) -> None:
        counter = Counter(Analysis.of("english"), tmp_path)
        for text in TEXTS[:9]:
            counter.add(text)
        counts, tokens = counter.counts()
        again, own = travelled((counts, tokens))
        assert isinstance(again, TermCounts)
        assert (again.n_documents, list(again.terms)) == (9, list(counts.terms))
        assert again.frequencies.tolist() == counts.frequencies.tolist()
        assert own.terms.tolist() == tokens.terms.tolist()

    def test_encoders_decoders_and_classifiers(self, counted, model) -> None:
        bags, n = counted[1].bags(), len(counted[0])
        deep = DeepEncoder(
            ((normal(n, 6), normal(6)), (normal(6, 3), normal(3))), Quantization(normal(3), normal(3, 16))
        )
        pixels = Pixels(np.arange(64, dtype=np.uint8).reshape(2, 32))
        pictures = PixelEncoder(((normal(32, 5), normal(5)),), (LINEAR,), Quantization(normal(5), normal(5, 8)))
        for encoder, inputs in ((model.encoder, bags), (model.start, bags), (deep, bags), (pictures, pixels)):
            ours, theirs = encoder.encode(inputs), travelled(encoder).encode(travelled(inputs))
            assert ours.floats.tobytes() == theirs.floats.tobytes()
            assert ours.bits.tobytes() == theirs.bits.tobytes()
            assert travelled(ours).has_code.tolist() == ours.has_code.tolist()
        codes = model.encoder.encode(bags).floats
        decoder = Decoder(((normal(12, n), normal(n)),))
        assert travelled(decoder).words(codes).tobytes() == decoder.words(codes).tobytes()
        classifier = Classifier(normal(12, 3), normal(3), tuple(TOPICS))
        assert travelled(classifier).predict(codes) == classifier.predict(codes)
        projection = principal_components(codes)
        assert travelled(projection).coordinates(codes).tobytes() == projection.coordinates(codes).tobytes()

    def test_a_model(self, model) -> None:
        again = travelled(model)
        assert again.idf.tobytes() == model.idf.tobytes()
        assert again.vectorizer.tokens(TEXTS).terms.tolist() == model.vectorizer.tokens(TEXTS).terms.tolist()


def test_a_function_that_is_sent_to_a_worker_gives_the_same_codes(model, tmp_path) -> None:
    def job(texts: list[str]) -> tuple[bytes, bytes, list[int], set[str]]:
        import sys
        import tempfile
        from pathlib import Path

        codes = model.encoder.encode(model.vectorizer.transform(texts))
        with tempfile.TemporaryDirectory() as folder:
            counter = Counter(model.vectorizer.analysis, Path(folder))
            for text in texts:
                counter.add(text)
            counts, _ = counter.counts()
        loaded = {name.split(".")[0] for name in sys.modules}
        return codes.floats.tobytes(), codes.bits.tobytes(), counts.frequencies.tolist(), loaded

    task, result = tmp_path / "task", tmp_path / "result"
    task.write_bytes(cloudpickle.dumps((job, TEXTS)))
    python(
        "import pickle, sys; from pathlib import Path; task, result = map(Path, sys.argv[1:]);"
        "job, texts = pickle.loads(task.read_bytes()); result.write_bytes(pickle.dumps(job(texts)))",
        task,
        result,
    )
    *there, loaded = pickle.loads(result.read_bytes())  # noqa: S301
    *here, _ = job(TEXTS)
    assert there == here
    assert not loaded & NEVER
