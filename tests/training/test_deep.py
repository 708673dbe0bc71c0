"""The deep auto-encoder: what it is before fine-tuning, what it learns, and that an index with it works like any."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from shared import TOPICS, contents, some_documents

from textae import Document, Engine, ModelSpec, TextaeError, TrainSpec
from textae.config import PRETRAINING
from textae.encoding.bags import Bags
from textae.encoding.encoders import DeepEncoder, Encoder, Quantization, TextEncoder, encoder_of
from textae.training.holdout import split_holdout
from textae.training.networks.dbn import stack_rbms
from textae.training.networks.layers import BINARY, COUNTS, Examples, Layer, Stack, at_random, mismatch
from textae.training.networks.rbm import Descent
from textae.training.networks.stacked import DeepAutoEncoder
from textae.training.stacked import learn_deep, train_stack, word_counts
from textae.training.text import Learned

CPU = torch.device("cpu")
N_TERMS, SIZES = 30, (12, 8, 3)
SMALL = ModelSpec(dims=3, bits=16, hidden=(12, 8), dropout=0.2, inputs=N_TERMS)
DEEP = PRETRAINING[1:]


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def bags(n: int = 40, seed: int = 1) -> tuple[Bags, np.ndarray]:
    """Documents of a dozen words on one of two topics, of ten words each, and of ten that both share."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    dense = np.zeros((n, N_TERMS), np.uint16)
    for row, label in enumerate(labels):
        np.add.at(
            dense[row], np.concatenate([rng.integers(10 * label, 10 * label + 10, 8), rng.integers(20, 30, 4)]), 1
        )
    rows, terms = np.nonzero(dense)
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))]).astype(np.int64)
    return Bags(starts, terms.astype(np.int32), dense[rows, terms]), labels


def learned(spec: TrainSpec, model: ModelSpec = SMALL, n: int = 40) -> Learned[TextEncoder]:
    return learn_deep(bags(n)[0], N_TERMS, model, spec, lambda stage, done, total: None)


class TestShares:
    def test_by_hand(self) -> None:
        both = Bags(np.array([0, 2, 3]), np.array([0, 2, 1], np.int32), np.array([1, 3, 2], np.uint16))
        examples = word_counts(both, 3, CPU)
        length = examples.length
        assert (examples.take(torch.tensor([1, 0])) / length).tolist() == [[0, 1, 0], [0.25, 0, 0.75]]
        assert length == 3
        assert examples.n == 2


class TestUnrolling:
    """Before fine-tuning the network does what going up and down the stack does."""

    @pytest.mark.parametrize("how", ["rbm", "random"])
    def test_the_unrolled_network_is_the_stack_up_and_down(self, how) -> None:
        examples = word_counts(bags()[0], N_TERMS, CPU)
        length = examples.length
        if how == "rbm":
            machines = stack_rbms(examples, SIZES, Descent(3), seeded(), lambda: None)
            stack = machines.of_length(length)
            visible = examples.take(torch.arange(9))
            assert torch.allclose(stack.up(visible), machines.up(visible), atol=1e-5)
        else:
            stack = at_random((N_TERMS, *SIZES), COUNTS, seeded())
            visible = examples.take(torch.arange(9))
        network = DeepAutoEncoder(stack)
        assert torch.allclose(network.encode(visible), stack.up(visible), atol=1e-5)
        assert torch.allclose(
            network.decode(network.encode(visible)).softmax(1), stack.down(stack.up(visible)), atol=1e-5
        )

    def test_by_hand(self) -> None:
        # logistic(ln 3 · 1) = 3/4, times 4 is the code 3; back: logistic(4 · 3 - 12) = 1/2, times ln 3
        first = Layer(torch.tensor([[np.log(3)]]).float(), torch.tensor([1.0]), torch.tensor([0.0]))
        second = Layer(torch.tensor([[4.0]]), torch.tensor([-12.0]), torch.tensor([0.0]), BINARY, "linear")
        network = DeepAutoEncoder(Stack((first, second), ()))
        assert network.encode(torch.ones(1, 1)).item() == pytest.approx(3)
        assert network.decode(torch.tensor([[3.0]])).item() == pytest.approx(1 + np.log(3) / 2)

    def test_encoder_and_decoder_learn_apart_and_leave_the_stack_as_it_was(self) -> None:
        stack = at_random((N_TERMS, *SIZES), COUNTS, seeded())
        network, before = DeepAutoEncoder(stack), stack.layers[0].weights.clone()
        visible = torch.rand(5, N_TERMS, generator=seeded())
        network.loss(visible, visible, 0.0).backward()
        up, down = network.up_weights[0].grad, network.down_weights[-1].grad
        assert up is not None and down is not None
        assert not torch.allclose(up, down.T)
        with torch.no_grad():
            network.up_weights[0] += 1
        assert torch.equal(network.down_weights[-1], before.T)
        assert torch.equal(stack.layers[0].weights, before)

    @pytest.mark.parametrize("visible", [COUNTS, BINARY])
    def test_the_gradient_is_that_of_finite_differences(self, visible) -> None:
        stack = at_random((6, 4, 2), visible, seeded())
        network = DeepAutoEncoder(stack).double()
        seen = torch.rand(3, 6, generator=seeded(), dtype=torch.float64)
        names = [name for name, _ in network.named_parameters()]
        assert len(names) == 8

        def loss(*parameters: torch.Tensor) -> torch.Tensor:
            state = dict(zip(names, parameters, strict=True))
            code = torch.func.functional_call(_Encode(network), {f"network.{k}": v for k, v in state.items()}, (seen,))
            assert isinstance(code, torch.Tensor)
            return code

        assert torch.autograd.gradcheck(
            loss, tuple(parameter.detach().requires_grad_() for parameter in network.parameters())
        )

    def test_the_loss_is_the_mismatch_and_the_squared_length_of_the_code(self) -> None:
        network = DeepAutoEncoder(at_random((N_TERMS, *SIZES), COUNTS, seeded()))
        seen = torch.rand(4, N_TERMS, generator=seeded())
        code = network.encode(seen)
        plain = mismatch(COUNTS, network.decode(code), seen)
        assert network.loss(seen, seen, 0.0).item() == pytest.approx(plain.item())
        expected = plain + 0.3 * code.square().sum() / 4
        assert network.loss(seen, seen, 0.3).item() == pytest.approx(expected.item())


class _Encode(torch.nn.Module):
    """The loss as the forward pass, so that it can be called with other parameters."""

    def __init__(self, network: DeepAutoEncoder) -> None:
        super().__init__()
        self.network = network

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        return self.network.loss(seen, seen, 0.1)


class TestEncoder:
    def encoder(self) -> DeepEncoder:
        """Two words, one logistic unit, one number: word 0 turns it on, word 1 off."""
        layers = (
            (np.float32([[2], [-2]]), np.float32([0])),
            (np.float32([[8]]), np.float32([-4])),
        )
        return DeepEncoder(layers, Quantization(np.float32([0]), np.float32([[1, -1, 1, 1, 1, 1, 1, 1]])))

    def of(self, *rows: dict[int, int]) -> Bags:
        starts = np.cumsum([0, *map(len, rows)])
        counts = np.array([n for row in rows for n in row.values()], np.uint16)
        return Bags(starts, np.array([term for row in rows for term in row], np.int32), counts)

    def test_by_hand(self) -> None:
        # shares 3/4 and 1/4: 2 (3/4 - 1/4) = 1, logistic(1), times 8, less 4
        codes = self.encoder().encode(self.of({0: 3, 1: 1}))
        assert codes.floats.tolist() == [[pytest.approx(8 / (1 + np.exp(-1)) - 4)]]
        assert codes.bits.tolist() == [[0b10111111]]

    def test_only_the_shares_of_known_words_count(self) -> None:
        codes = self.encoder().encode(self.of({0: 3, 1: 1}, {0: 6, 1: 2, 7: 9}))
        assert np.array_equal(codes.floats[0], codes.floats[1])

    def test_nothing_known_is_zero(self) -> None:
        codes = self.encoder().encode(self.of({}, {9: 1}, {0: 1}))
        assert codes.has_code.tolist() == [False, False, True]
        assert codes.floats.any(axis=1).tolist() == codes.bits.any(axis=1).tolist() == [False, False, True]

    def test_bits_are_seen_from_the_mean(self) -> None:
        quantization = Quantization(np.float32([9]), self.encoder().quantization.rotation)
        encoder = DeepEncoder(self.encoder().layers, quantization)
        assert encoder.encode(self.of({0: 3, 1: 1})).bits.tolist() == [[0b01000000]]

    def test_it_comes_back_from_its_arrays_as_what_it_was(self) -> None:
        encoder = self.encoder()
        again = encoder_of(encoder.arrays())
        assert isinstance(again, DeepEncoder)
        assert again.encode(self.of({0: 1})).floats.tobytes() == encoder.encode(self.of({0: 1})).floats.tobytes()
        assert isinstance(
            encoder_of(Encoder.lsa(np.eye(2, dtype=np.float32), np.ones(2, np.float32)).arrays()), Encoder
        )
        assert (encoder.dims, len(encoder.words)) == (1, 2)

    @pytest.mark.parametrize("sizes", [(3,), (12, 3), (12, 8, 4, 2)])
    def test_the_arrays_do_in_numpy_what_torch_does(self, sizes) -> None:
        examples = word_counts(bags()[0], N_TERMS, CPU)
        length = examples.length
        network, generator = DeepAutoEncoder(at_random((N_TERMS, *sizes), COUNTS, seeded())), seeded(5)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
            code = examples.each(network.encode)
            mean, rotation = code.mean(0), torch.randn(sizes[-1], 16, generator=generator)
            bits = (code - mean) @ rotation > 0
        quantization = Quantization(mean.numpy(), rotation.numpy())
        encoder, decoder = network.encoder(length, quantization), network.decoder()
        codes = encoder.encode(bags()[0])
        assert codes.floats == pytest.approx(code.numpy(), abs=1e-4)
        assert np.array_equal(codes.bits, np.packbits(bits.numpy(), axis=1))
        words = network.decode(code).softmax(1).detach().numpy()
        assert decoder.words(codes.floats) == pytest.approx(words, abs=1e-4)


class TestLearning:
    @pytest.mark.parametrize("how", DEEP)
    def test_documents_of_one_topic_come_together_and_are_rebuilt(self, how) -> None:
        some, labels = bags(200)
        spec = TrainSpec(device="cpu", epochs=60, pretrain=how)
        found = learn_deep(some, N_TERMS, ModelSpec(3, 16, (12,), 0.1, N_TERMS), spec, lambda *step: None)
        codes = found.encoder.encode(some)
        floats = codes.floats - codes.floats.mean(0)
        same = labels[:, None] == labels
        cosines = floats @ floats.T / np.linalg.norm(floats, axis=1) / np.linalg.norm(floats, axis=1)[:, None]
        assert cosines[same].mean() > cosines[~same].mean() + 0.5
        topic = found.decoder.words(codes.floats)[:, :20].reshape(-1, 2, 10).sum(2).argmax(1)
        assert (topic == labels).mean() > 0.95

    @pytest.mark.parametrize("how", DEEP)
    def test_same_seed_same_bytes_and_another_seed_others(self, how) -> None:
        def as_bytes(seed: int) -> bytes:
            found = learned(TrainSpec(seed, "cpu", 2, pretrain=how))
            arrays = found.encoder.arrays() | found.decoder.arrays()
            return b"".join(arrays[name].tobytes() for name in sorted(arrays))

        assert as_bytes(1) == as_bytes(1) != as_bytes(2)

    @pytest.mark.parametrize("how", DEEP)
    def test_progress_counts_up_to_the_end(self, how) -> None:
        told: list[tuple[str, int, int | None]] = []
        spec = TrainSpec(device="cpu", epochs=2, pretrain=how)
        learn_deep(bags(300)[0], N_TERMS, SMALL, spec, lambda *step: told.append(step))
        total = told[-1][2]
        assert told == [("learning", done, total) for done in range(1, len(told) + 1)]
        assert total == len(told)

    def test_the_errors_of_pre_training_are_kept(self) -> None:
        for how, layers in (("rbm", 3), ("denoising", 3), ("none", 0)):
            errors = learned(TrainSpec(device="cpu", epochs=4, pretrain=how)).errors
            assert [len(of_layer) for of_layer in errors] == [5] * layers

    def test_fine_tuning_keeps_the_epoch_that_rebuilds_held_out_documents_best(self) -> None:
        words = np.random.default_rng(1).multinomial(8, np.full(100, 0.01), 200)  # no topic: all that helps is by heart
        examples = Examples.of(torch.from_numpy(words).float(), COUNTS)
        model, spec = ModelSpec(4, 16, (32,), 0.0), TrainSpec(1, "cpu", pretrain="none", learning_rate=0.01)
        held = examples.take(torch.from_numpy(split_holdout(200, seeded())[0]))
        start, kept = (
            train_stack(examples, model, spec, (0, epochs), lambda *step: None)[0].loss(held, held, 0.0).item()
            for epochs in (0, 300)
        )
        assert len(held) == 10
        assert kept < start - 0.1  # the last epoch is worse than the start

    def test_a_code_that_is_held_near_0_is_nearer(self) -> None:
        spec = TrainSpec(device="cpu", epochs=60, pretrain="rbm")  # after 20 the codes hang on the seed
        free, held = (
            learned(spec, ModelSpec(3, 16, (12, 8), 0.0, N_TERMS, code_l2=code_l2)).encoder.encode(bags()[0]).floats
            for code_l2 in (0.0, 1.0)
        )
        assert np.square(held).sum(1).mean() < np.square(free).sum(1).mean() / 2

    @pytest.mark.parametrize("corruption", ["masking", "salt-and-pepper", "gaussian"])
    @pytest.mark.parametrize("how", DEEP)
    def test_every_corruption(self, how, corruption) -> None:
        model = ModelSpec(3, 24, (8,), 0.3, N_TERMS, corruption)
        codes = learned(TrainSpec(device="cpu", epochs=2, pretrain=how), model).encoder.encode(bags()[0])
        assert np.isfinite(codes.floats).all()
        assert codes.bits.shape == (40, 3)

    @pytest.mark.parametrize("how", DEEP)
    @pytest.mark.parametrize("n", [1, 2, 3])
    def test_a_few_documents(self, how, n) -> None:
        codes = learned(TrainSpec(device="cpu", epochs=2, pretrain=how), n=n).encoder.encode(bags(n)[0])
        assert np.isfinite(codes.floats).all()
        assert codes.has_code.all()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Give an index with a deep stack; read it only."""
    folder = tmp_path_factory.mktemp("deep") / "index"
    with Engine.create(folder) as engine:
        model = ModelSpec(dims=4, bits=32, hidden=(24, 12), dropout=0.1)
        engine.index(some_documents(90), model=model, train=TrainSpec(epochs=80, device="cpu", pretrain="rbm"))
    return folder


class TestIndex:
    @pytest.mark.parametrize("mode", ["code", "bits", "hybrid", "lsa", "lsa-2", "bm25", "tfidf"])
    @pytest.mark.parametrize("topic", TOPICS)
    def test_every_system_searches(self, folder, mode, topic) -> None:
        with Engine.open(folder) as engine:
            assert engine.snapshot.reader.damage() == []
            hits = engine.search(TOPICS[topic], k=5, mode=mode)
        assert sum(hit.fields["topic"] == topic for hit in hits) >= 4

    def test_lsa_is_that_of_an_index_that_starts_from_it(self, folder, tmp_path) -> None:
        with Engine.create(tmp_path / "lsa") as engine:
            engine.index(some_documents(90), model=ModelSpec(dims=4), train=TrainSpec(epochs=0, device="cpu"))
        found = []
        for index in (folder, tmp_path / "lsa"):
            with Engine.open(index) as engine:
                found.append([(hit.id, round(hit.score, 4)) for hit in engine.search("comet orbit", mode="lsa")])
        assert found[0] == found[1]

    def test_how_it_was_learned_is_told(self, folder) -> None:
        with Engine.open(folder) as engine:
            facts = engine.info()
        assert (facts["pretrain"], facts["corruption"], facts["dims"]) == ("rbm", "masking", 4)
        assert facts["hidden"] == [24, 12]
        pairs = [map(float, errors.split(" → ")) for errors in facts["layer_errors"]]
        assert [before > after for before, after in pairs] == [True] * 3

    def test_a_word_of_which_the_encoder_knows_nothing(self, folder) -> None:
        with Engine.open(folder) as engine:
            assert engine.search("qwertz", mode="code") == []
            assert engine.searcher.unknown("comet qwertz", "code") == ["qwertz"]

    def test_what_cannot_go_together_is_refused_before_more_is_read_than_a_document(self, tmp_path) -> None:
        def corpus():
            yield Document("1", "a text")  # which says that these are no pictures
            raise AssertionError("it was read")

        for model, train, told in (
            (
                ModelSpec(dims=9, hidden=(8,)),
                TrainSpec(pretrain="rbm"),
                "a code of 9 numbers is larger than the layer of 8",
            ),
            (ModelSpec(corruption="gaussian"), TrainSpec(), "gaussian corruption is for deep stacks"),
            (ModelSpec(code_l2=0.1), TrainSpec(), "cannot be held near 0"),
        ):
            with Engine.create(tmp_path) as engine, pytest.raises(TextaeError, match=told):
                engine.index(corpus(), model=model, train=train)


class TestShell:
    @pytest.fixture
    def table(self, tmp_path):
        rows = [{"id": d.id, "title": d.title, "text": d.text, **d.fields} for d in some_documents(60)]
        path = tmp_path / "corpus.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    def test_a_preset_is_learned_searched_and_the_same_again(self, shell, table, tmp_path) -> None:
        for name in ("one", "two"):
            said = shell("index", table, "--index", tmp_path / name, "--preset", "hinton2006", "--passes", 3, "--quiet")
            assert (said.code, said.err) == (0, "")
        one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
        assert one == two
        said = shell("search", "comet", "--mode", "code", "-k", 3, "--tsv", "--index", tmp_path / "one")
        assert (said.code, len(said.out.splitlines())) == (0, 3)
        facts = shell("info", "--index", tmp_path / "one").out
        assert "pretrain" in facts
        assert "[500, 250, 125]" in facts

    def test_what_is_given_comes_before_the_preset(self, shell, table, tmp_path) -> None:
        arguments = (
            "--preset",
            "vincent2008",
            "--dims",
            2,
            "--corruption",
            "gaussian",
            "--code-l2",
            "0.01",
            "--passes",
            1,
        )
        assert shell("index", table, "--index", tmp_path / "i", "--quiet", *arguments).code == 0
        with Engine.open(tmp_path / "i") as engine:
            facts = engine.info()
            assert engine.snapshot.codes.floats.shape == (60, 2)
        chosen = {name: facts[name] for name in ("pretrain", "corruption", "code_l2", "drop", "inputs", "dims")}
        assert chosen | {"inputs": 0} == {
            "pretrain": "denoising", "corruption": "gaussian", "code_l2": 0.01, "drop": 0.25, "inputs": 0, "dims": 2
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (
                ["--preset", "lenin1917"],
                "'lenin1917' is not one of 'default', 'hinton2006', 'vincent2008', 'krizhevsky2011', 'conv'",
            ),
            (["--pretrain", "magic"], "'magic' is not one of 'lsa', 'rbm', 'denoising', 'none'"),
            (
                ["--preset", "hinton2006", "--dims", "126"],
                "a code of 126 numbers is larger than the layer of 125 before it",
            ),
            (
                ["--corruption", "gaussian"],
                "gaussian corruption is for deep stacks; give masking, or another --pretrain",
            ),
            (["--code-l2", "0.1"], "cannot be held near 0; give a code-l2 of 0, or another --pretrain than lsa"),
            (["--preset", "hinton2006", "--code-l2", "-1"], "a code cannot be held near 0 by -1"),
            (["--preset", "hinton2006", "--code-l2", "nan"], "a code cannot be held near 0 by nan"),
        ],
    )
    def test_what_cannot_be_learned(self, shell, table, tmp_path, arguments, says) -> None:
        said = shell("index", table, "--index", tmp_path / "i", *arguments)
        assert says in said.error

    def test_labels_teach_what_starts_from_lsa_and_nothing_else(self, shell, table, tmp_path) -> None:
        quickly = ("--index", tmp_path / "i", "--quiet", "--passes", 1, "--device", "cpu")
        assert shell("index", table, *quickly, "--dims", 8, "--hidden", 8, "--pretrain", "none").code == 0
        before = contents(tmp_path / "i")
        said = shell("train", "--label", "topic", "--index", tmp_path / "i")
        assert "labels fine-tune what starts from LSA, and this would start from 'none'; give --pretrain" in said.error
        assert "is larger than the layer of 8" in shell("train", "--dims", 9, "--index", tmp_path / "i").error
        assert contents(tmp_path / "i") == before
        assert shell("train", *quickly, "--pretrain", "rbm").code == 0
        assert shell("train", *quickly, "--label", "topic", "--pretrain", "lsa").code == 0
        with Engine.open(tmp_path / "i") as engine:
            assert engine.info()["labels"] == 3
            assert "layer_errors" not in engine.info()

    def test_a_code_is_read_in_words(self, shell, folder) -> None:
        said = shell("decode", "stars-0", "--index", folder, "-k", 5)
        assert said.code == 0
        assert sum(word in said.out for word in TOPICS["stars"].split()) >= 3
        assert shell("sample", "--index", folder).code == 0
