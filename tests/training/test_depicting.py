"""Learning from pictures: what each kind of auto-encoder learns, its arrays beside torch, and pictures of all sorts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from textae import Document, Engine, ModelSpec, TextaeError, TrainSpec
from textae.config import DENOISING, LSA, NONE, PICTURE_PRESETS, RBM, REMEMBERED, REPEATED, UNPOOLINGS, preset_of
from textae.encoding.convolution import convolved, deconvolved, pooled, repeated
from textae.encoding.decoder import Decoder
from textae.encoding.encoders import PixelEncoder, Quantization, encoder_of
from textae.encoding.layers import logistic
from textae.encoding.pixels import Pixels
from textae.training.augmentation import distorted
from textae.training.image import fit_pca, learn_pictures
from textae.training.networks.contrastive import ContrastiveAutoEncoder
from textae.training.networks.conv import ConvAutoEncoder, convolution, deconvolution, max_pooling, repeating
from textae.training.networks.layers import BINARY, LOGISTIC, Layer, Stack, at_random
from textae.training.networks.stacked import DeepAutoEncoder
from textae.training.text import Learned
from textae.types import Picture

SMALL = ModelSpec(dims=8, bits=16, hidden=(16,), dropout=0.0)
KINDS = {
    "alike": (SMALL, LSA),
    "alike, spoilt": (replace(SMALL, dropout=0.3, corruption="salt-and-pepper"), LSA),
    "rbm": (replace(SMALL, hidden=(16, 12)), RBM),
    "denoising": (replace(SMALL, dropout=0.3), DENOISING),
    "rounded": (replace(SMALL, dims=16, rounded=True), RBM),
    "conv": (replace(SMALL, hidden=(3, 4), unpool=REPEATED, dropout=0.2), NONE),
    "conv, remembered": (replace(SMALL, hidden=(3,), unpool=REMEMBERED, code_l2=0.1), NONE),
}
SHAPES = ((8, 8, 1), (28, 28, 1), (32, 32, 3), (5, 9, 1))


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pixels(n: int, shape=(8, 8, 1), seed: int = 1) -> Pixels:
    return Pixels(np.random.default_rng(seed).integers(0, 256, (n, int(np.prod(shape))), dtype=np.uint8))


def strokes(n: int, seed: int = 1) -> tuple[Pixels, np.ndarray]:
    """Pictures of 8 × 8 with a stroke that stands or lies, somewhere, and grain."""
    rng = np.random.default_rng(seed)
    pictures, lies = rng.integers(0, 60, (n, 8, 8)), np.arange(n) % 2
    for picture, lying, at in zip(pictures, lies, rng.integers(1, 7, n), strict=True):
        (picture if lying else picture.T)[at] = 250
    return Pixels(pictures.reshape(n, 64).astype(np.uint8)), lies


def learned(some: Pixels, kind: str, shape=(8, 8, 1), epochs: int | None = 2, seed: int = 1) -> Learned[PixelEncoder]:
    model, pretrain = KINDS[kind]
    spec = TrainSpec(seed, "cpu", epochs, pretrain=pretrain)
    start = PixelEncoder.pca(*fit_pca(some, model.dims))
    return learn_pictures(some, shape, start, model, spec, lambda *told: None)


class TestConvolution:
    def test_by_hand(self) -> None:
        # every 3 × 3 window over a padded 2 × 2 picture holds all of it: 1 + 2 + 3 + 4, and the bias
        picture = np.float32([[1, 2], [3, 4]]).reshape(1, 2, 2, 1)
        slid = convolved(picture, np.ones((1, 1, 3, 3), np.float32), np.float32([5]))
        assert slid.ravel().tolist() == [15, 15, 15, 15]

    def test_pooling_and_repeating_by_hand(self) -> None:
        picture = np.float32([[1, 2, 9], [3, 4, 9], [9, 9, 9]]).reshape(1, 3, 3, 1)
        assert pooled(picture).ravel().tolist() == [4]
        assert repeated(np.float32([1, 2]).reshape(1, 1, 2, 1), 2, 5).reshape(2, 5).tolist() == [[1, 1, 1, 2, 2]] * 2

    @settings(max_examples=20)
    @given(st.integers(2, 9), st.integers(2, 9), st.integers(1, 3), st.integers(1, 3), st.sampled_from([1, 3, 5]))
    def test_numpy_does_what_torch_does(self, height, width, n_in, n_out, size) -> None:
        picture = torch.randn(2, n_in, height, width, generator=seeded(height * width))
        kernels, bias = torch.randn(n_out, n_in, size, size, generator=seeded(2)), torch.randn(n_out)
        down = torch.randn(n_in)

        def last(tensor: torch.Tensor) -> np.ndarray:
            return tensor.permute(0, 2, 3, 1).numpy()

        slid = convolution(picture, kernels, bias)
        assert convolved(last(picture), kernels.numpy(), bias.numpy()) == pytest.approx(last(slid), abs=1e-4)
        back = deconvolution(slid, kernels, down)
        assert deconvolved(last(slid), kernels.numpy(), down.numpy()) == pytest.approx(last(back), abs=1e-3)
        assert np.array_equal(pooled(last(slid)), last(max_pooling(slid)[0]))
        small = max_pooling(slid)[0]
        assert np.array_equal(repeated(last(small), height, width), last(repeating(small, slid.shape)))


def networks(shape) -> dict[str, tuple[torch.nn.Module, PixelEncoder, Decoder, torch.Tensor, torch.Tensor]]:
    """Each kind of network of any weights, with its arrays, and the codes and logits that torch gives."""
    height, width, channels = shape
    n_pixels = height * width * channels
    seen = torch.from_numpy(pixels(7, shape).brightness())
    planes = Quantization(np.zeros(8, np.float32), np.eye(8, dtype=np.float32))
    found = {}
    alike = ContrastiveAutoEncoder(n_pixels, ModelSpec(8, 8, (12, 10)), seeded())
    found["alike"] = (alike, alike.encoder(planes), alike.decoder(), alike.encode, alike.decode)
    for code in ("linear", LOGISTIC):
        deep = DeepAutoEncoder(at_random((n_pixels, 12, 8), BINARY, seeded(), code))
        found[code] = (deep, deep.pixel_encoder(planes), deep.decoder(), deep.encode, deep.decode)
    for unpool in UNPOOLINGS:
        conv = ConvAutoEncoder((channels, height, width), (3, 4), 8, unpool, seeded())

        def encode(rows, conv=conv):
            return conv.encode(rows.unflatten(1, shape).permute(0, 3, 1, 2))[0]

        def decode(codes, conv=conv):
            return conv.decode(codes).permute(0, 2, 3, 1).flatten(1)

        found[unpool] = (conv, conv.encoder(planes), conv.decoder(), encode, decode)
    with torch.no_grad():
        for network, *_ in found.values():
            for parameter in network.parameters():
                parameter += 0.1 * torch.randn(parameter.shape, generator=seeded(3))
        again = {
            "alike": (alike.encoder(planes), alike.decoder()),
            **{c: (found[c][0].pixel_encoder(planes), found[c][0].decoder()) for c in ("linear", LOGISTIC)},
            **{u: (found[u][0].encoder(planes), found[u][0].decoder()) for u in UNPOOLINGS},
        }
        return {
            name: (network, *again[name], encode(seen), decode(encode(seen)))
            for name, (network, _, _, encode, decode) in found.items()
        }


@pytest.mark.parametrize("shape", SHAPES)
def test_the_arrays_do_in_numpy_what_torch_does(shape) -> None:
    for name, (_, encoder, decoder, codes, logits) in networks(shape).items():
        found = encoder.encode(pixels(7, shape))
        assert found.floats == pytest.approx(codes.numpy(), abs=1e-4), name
        assert np.array_equal(found.bits, np.packbits(found.floats > 0, axis=1))
        assert found.has_code.all()
        assert decoder.logits(codes.numpy()) == pytest.approx(logits.numpy(), abs=1e-4), name
        again = encoder_of(encoder.arrays())
        assert again.encode(pixels(7, shape)).floats.tobytes() == found.floats.tobytes()
        kept = Decoder.from_arrays(decoder.arrays())  # in half precision
        assert kept.logits(codes.numpy()) == pytest.approx(logits.numpy(), abs=0.05)
        assert encoder.encode(pixels(0, shape)).floats.shape == (0, 8)


class TestPCA:
    def test_by_hand(self) -> None:
        # two pixels that go together, a third that stays: one axis, (1, 1, 0) / √2, around (½, ½, 1)
        axes, mean = fit_pca(Pixels(np.array([[0, 0, 255], [255, 255, 255]], np.uint8)), 1)
        assert mean.tolist() == [0.5, 0.5, 1]
        assert np.abs(axes).ravel() == pytest.approx([0.5**0.5, 0.5**0.5, 0], abs=1e-6)

    def test_all_axes_rebuild_every_picture(self) -> None:
        some = pixels(30)
        axes, mean = fit_pca(some, 100)
        assert axes.shape == (64, 64)
        seen = some.brightness() - mean
        assert seen @ axes @ axes.T == pytest.approx(seen, abs=1e-5)


class TestDistortion:
    def test_what_is_the_same_everywhere_stays(self) -> None:
        grey = torch.full((4, 3, 6, 5), 0.25)
        assert torch.allclose(distorted(grey, seeded()), grey)

    def test_a_picture_moves_a_little_each_in_its_own_way_and_the_same_again(self) -> None:
        dot = torch.zeros(50, 1, 15, 15)
        dot[:, :, 6:9, 6:9] = 1
        seen = distorted(dot, seeded())
        assert torch.equal(seen, distorted(dot, seeded()))
        assert len({picture.numpy().tobytes() for picture in seen}) == 50
        places = torch.arange(15.0)
        row = (seen.sum(3).squeeze(1) * places).sum(1) / seen.sum((1, 2, 3))
        column = (seen.sum(2).squeeze(1) * places).sum(1) / seen.sum((1, 2, 3))
        for middle in (row, column):
            assert 0.3 < middle.std() < 2
            assert (middle - 7).abs().max() < 3
        assert seen.amax((1, 2, 3)).min() > 0.5

    def test_no_picture_is_mirrored(self) -> None:
        left = torch.zeros(40, 1, 10, 10)
        left[:, :, :, :3] = 1
        seen = distorted(left, seeded())
        assert (seen[..., :5].sum((1, 2, 3)) > seen[..., 5:].sum((1, 2, 3))).all()


class TestRounding:
    def test_the_decoder_reads_bits_and_the_gradient_passes(self) -> None:
        # logistic(ln 3) = 3/4 is read as 1: the pixel is given 2 · 1 - 1, and not 2 · 3/4 - 1
        layer = Layer(
            torch.tensor([[2.0]]), torch.tensor([-1.0]), torch.tensor([np.log(3) - 2]).float(), BINARY, LOGISTIC
        )
        network = DeepAutoEncoder(Stack((layer,), ()))
        on = torch.ones(1, 1)
        loss = network.loss(on, on, 0.0)
        assert network.encode(on).item() == pytest.approx(3 / 4)
        assert loss.item() == pytest.approx(np.log(1 + np.exp(-1)))
        loss.backward()
        # d loss / d logit = logistic(1) - 1, times the weight 2, times 3/4 · 1/4 of the logistic code
        assert network.up_biases[0].grad.item() == pytest.approx((1 / (1 + np.exp(-1)) - 1) * 2 * 3 / 16)

    def test_the_bits_are_the_code_rounded(self) -> None:
        found = learned(pixels(40), "rounded").encoder.encode(pixels(9, seed=2))
        assert np.array_equal(np.unpackbits(found.bits, axis=1), np.rint(found.floats))


@pytest.mark.parametrize("kind", KINDS)
class TestEveryKind:
    def test_same_seed_same_bytes_and_another_seed_others(self, kind) -> None:
        def as_bytes(seed: int) -> bytes:
            found = learned(pixels(20), kind, seed=seed)
            arrays = found.encoder.arrays() | found.decoder.arrays()
            return b"".join(arrays[name].tobytes() for name in sorted(arrays))

        assert as_bytes(1) == as_bytes(1) != as_bytes(2)

    @pytest.mark.parametrize("n", [1, 2, 3, 50])
    def test_a_few_pictures(self, kind, n) -> None:
        found = learned(pixels(n), kind)
        codes = found.encoder.encode(pixels(n))
        assert np.isfinite(codes.floats).all()
        assert np.isfinite(found.decoder.logits(codes.floats)).all()

    @pytest.mark.parametrize("grey", [0, 99, 255])
    def test_pictures_that_are_all_the_same(self, kind, grey) -> None:
        same = Pixels(np.full((12, 64), grey, np.uint8))
        codes = learned(same, kind, epochs=3).encoder.encode(same)
        assert np.isfinite(codes.floats).all()
        assert len({row.tobytes() for row in codes.bits}) == 1

    def test_colours(self, kind) -> None:
        some = pixels(10, (6, 7, 3))
        codes = learned(some, kind, (6, 7, 3)).encoder.encode(some)
        assert np.isfinite(codes.floats).all()
        assert codes.bits.shape == (10, 2)

    def test_progress_counts_up_to_the_end(self, kind) -> None:
        told: list[tuple[str, int, int | None]] = []
        model, pretrain = KINDS[kind]
        some = pixels(300)
        start = PixelEncoder.pca(*fit_pca(some, model.dims))
        spec = TrainSpec(device="cpu", epochs=3, pretrain=pretrain)
        learn_pictures(some, (8, 8, 1), start, model, spec, lambda *step: told.append(step))
        assert told == [("learning", done, len(told)) for done in range(1, len(told) + 1)]

    def test_a_rate_far_too_great_is_told(self, kind) -> None:
        model, pretrain = KINDS[kind]
        some = pixels(40)
        start = PixelEncoder.pca(*fit_pca(some, model.dims))
        spec = TrainSpec(device="cpu", epochs=6, pretrain=pretrain, learning_rate=1e38)
        with pytest.raises(TextaeError, match="learning diverged"):
            learn_pictures(some, (8, 8, 1), start, model, spec, lambda *step: None)


class TestWhatIsLearned:
    def test_pictures_that_show_the_same_come_together_wherever_it_stands(self) -> None:
        some, lies = strokes(200)
        asked, asked_lies = strokes(60, seed=2)
        model = ModelSpec(dims=16, bits=32, hidden=(64,), dropout=0.0)
        axes, mean = fit_pca(some, 16)
        start = PixelEncoder.pca(axes, mean)
        found = learn_pictures(some, (8, 8, 1), start, model, TrainSpec(device="cpu", epochs=40), lambda *step: None)

        def precision(encoder: PixelEncoder) -> float:
            codes, queries = (encoder.encode(part).floats for part in (some, asked))
            codes, queries = (part / np.linalg.norm(part, axis=1, keepdims=True) for part in (codes, queries))
            nearest = np.argsort(-queries @ codes.T, axis=1)[:, :50]
            return float((lies[nearest] == asked_lies[:, None]).mean())

        assert precision(found.encoder) > precision(start) + 0.15
        assert precision(found.encoder) > 0.75

    @pytest.mark.parametrize("kind", ["rbm", "denoising", "conv"])
    def test_pictures_are_rebuilt(self, kind) -> None:
        some, _ = strokes(200)
        found = learned(some, kind, epochs=None)
        seen = some.brightness()
        told = logistic(found.decoder.logits(found.encoder.encode(some).floats))
        usual = np.square(seen - seen.mean(axis=0)).sum(axis=1).mean()
        assert np.square(seen - told).sum(axis=1).mean() < 0.9 * usual


class TestPresets:
    def test_the_default_is_for_both_and_some_are_for_pictures_alone(self) -> None:
        assert preset_of("default") != preset_of("default", pictures=True)
        assert preset_of("conv", pictures=True)[0].unpool == REPEATED
        with pytest.raises(TextaeError, match="the preset 'krizhevsky2011' is for pictures, and these are texts; give"):
            preset_of("krizhevsky2011")

    def test_as_published(self) -> None:
        deep, very_deep = (PICTURE_PRESETS[name][0] for name in ("hinton2006", "krizhevsky2011"))
        assert (*deep.hidden, deep.dims) == (1_000, 500, 250, 30)
        assert (*very_deep.hidden, very_deep.dims) == (8_192, 4_096, 2_048, 1_024, 512, 256)
        assert (very_deep.rounded, very_deep.bits) == (True, 256)

    def test_too_small_to_be_halved_so_often(self) -> None:
        model = replace(SMALL, hidden=(2, 2, 2, 2), unpool=REPEATED)
        start = PixelEncoder.pca(*fit_pca(pixels(5), 8))
        with pytest.raises(TextaeError, match="pictures of 8 × 8 cannot be halved 4 times; give --hidden of fewer"):
            learn_pictures(pixels(5), (8, 8, 1), start, model, TrainSpec(pretrain=NONE), lambda *step: None)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "strokes.npz"
    some, lies = strokes(60)
    np.savez(path, images=some.values.reshape(-1, 8, 8), labels=lies)
    return path


class TestShell:
    @pytest.mark.parametrize(
        "arguments",
        [
            ["--hidden", "16", "--dims", "8", "--corruption", "salt-and-pepper", "--drop", "0.2"],
            ["--preset", "hinton2006", "--hidden", "16,12", "--dims", "8"],
            ["--preset", "vincent2008", "--hidden", "16,12", "--dims", "8", "--corruption", "gaussian"],
            ["--preset", "krizhevsky2011", "--hidden", "32,24", "--dims", "16", "--bits", "16"],
            ["--preset", "conv", "--hidden", "2,3", "--dims", "8", "--unpool", "remembered"],
        ],
    )
    def test_every_preset_is_learned_and_searched(self, shell, pictures, tmp_path, arguments) -> None:
        index = tmp_path / "i"
        said = shell("index", pictures, "--index", index, "--passes", 2, "--quiet", "--device", "cpu", *arguments)
        assert (said.code, said.err) == (0, "")
        with Engine.open(index) as engine:
            assert engine.snapshot.reader.damage() == []
            for mode in engine.snapshot.modality.systems:
                assert len(engine.similar("strokes.npz:7", 5, mode)) == 5
        assert shell("train", "--index", index, "--quiet", "--seed", 2).code == 0

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["--code-l2", "0.1"], "has unit length and cannot be held near 0"),
            (["--preset", "krizhevsky2011", "--bits", "64"], "has as many bits as numbers"),
            (["--preset", "conv", "--pretrain", "rbm"], "starts from random weights; give --pretrain none"),
            (["--unpool", "repeated"], "starts from random weights; give --pretrain none"),
            (["--preset", "hinton2006", "--dims", "300"], "is larger than the layer of 250 before it"),
        ],
    )
    def test_what_cannot_be_learned(self, shell, pictures, tmp_path, arguments, says) -> None:
        assert says in shell("index", pictures, "--index", tmp_path / "i", *arguments).error

    def test_texts_are_not_convolved(self, shell, tmp_path) -> None:
        note = tmp_path / "note.txt"
        note.write_text("a ship sails")
        said = shell("index", note, "--index", tmp_path / "i", "--preset", "conv")
        assert "the preset 'conv' is for pictures, and these are texts" in said.error
        said = shell("index", note, "--index", tmp_path / "i", "--pretrain", "none", "--unpool", "repeated")
        assert "a convolutional auto-encoder is for pictures, and these are texts" in said.error


def test_pca_has_as_many_numbers_as_the_code(tmp_path) -> None:
    some, _ = strokes(20)
    documents = [Document(str(i), "", picture=Picture(8, 8, 1, row.tobytes())) for i, row in enumerate(some.values)]
    with Engine.create(tmp_path) as engine:
        engine.index(documents, model=replace(SMALL, dims=70), train=TrainSpec(epochs=1, device="cpu"))
        assert engine.snapshot.codes.floats.shape == (20, 70)
        assert engine.snapshot.reader.arrays["pca/axes"].shape == (64, 64)
