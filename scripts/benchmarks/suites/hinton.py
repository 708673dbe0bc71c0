"""The deep auto-encoder of 2006 beside LSA: what Hinton & Salakhutdinov (Science 2006) measured, on 20 Newsgroups.

Messages of the test part are queries, the training part is ranked, and the same group is relevant. The curves are
those of the paper (figure 4): precision and recall after 1, 3, 7, … documents up to all. The paper's set is Reuters'
RCV1 with 402,207 training documents; this one is 36 times smaller, and single words give most of its 20 groups away.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import BY_DATE, newsgroups
from benchmarks.harness.options import quick, quick_option, seeds_option
from benchmarks.harness.rows import ROOT, write
from textae.config import PRESETS, ModelSpec, TrainSpec
from textae.encoding.analyzer import searchable
from textae.encoding.arrays import Floats
from textae.encoding.encoders import project
from textae.encoding.weighting import term_frequencies
from textae.engine import Engine
from textae.evaluation.label_judge import Curve
from textae.evaluation.run import by_labels
from textae.types import Document

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOCS = ROOT / "docs"
SEED = 1
EPOCHS, QUICK_EPOCHS = 50, 5
"""As many as in the paper: of each layer, and of fine-tuning."""
SHOWN = (0, 1, 2, 5, 10, 20, 30, 40, 50, 100, 200)
"""The passes whose errors have a column."""

FAMILIES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "computers": ("#0072B2", ("comp.graphics", "comp.os.ms-windows.misc", "comp.sys.ibm.pc.hardware",
                              "comp.sys.mac.hardware", "comp.windows.x")),
    "sale, machines": ("#E69F00", ("misc.forsale", "rec.autos", "rec.motorcycles")),
    "sport": ("#009E73", ("rec.sport.baseball", "rec.sport.hockey")),
    "science": ("#CC79A7", ("sci.crypt", "sci.electronics", "sci.med", "sci.space")),
    "religion": ("#D55E00", ("alt.atheism", "soc.religion.christian", "talk.religion.misc")),
    "politics": ("#555555", ("talk.politics.guns", "talk.politics.mideast", "talk.politics.misc")),
}  # fmt: skip
"""Groups by subject, each with a colour of Okabe & Ito's, which colour-blind people can tell apart; the groups of a
subject are lighter and darker."""


@click.command()
@click.option(
    "--epochs",
    type=click.IntRange(1),
    default=EPOCHS,
    show_default=True,
    help="Of pre-training each layer, and of fine-tuning.",
)
@seeds_option(1)
@quick_option
def hinton(epochs: int, seeds: tuple[int, ...]) -> None:
    """Precision and recall, errors layer by layer and codes of two numbers: the auto-encoder of 2006 beside LSA."""
    train, test = newsgroups("train"), newsgroups("test")
    for seed in seeds:
        curves, codes = measured(train, test, QUICK_EPOCHS if quick() else epochs, seed)
        if seed == seeds[0] and not quick():
            draw_curves(curves, DOCS / "hinton-precision-recall.png")
            draw_codes(codes, labels(test), DOCS / "hinton-2d.png")


def measured(
    train: Sequence[Document], test: Sequence[Document], epochs: int, seed: int
) -> tuple[dict[str, Curve], dict[str, Floats]]:
    """Write the rows of a seed; its curves by system, and the codes of test documents on the plane by system."""
    model, spec = PRESETS["hinton2006"]
    spec, size = replace(spec, seed=seed, epochs=epochs), len(train)
    curves = {}

    def measure(name: str, engine: Engine, mode: str) -> None:
        curves[name] = curve(engine, mode, test)
        write_curve(name, curves[name], size, seed)

    with tempfile.TemporaryDirectory() as folder:
        with learned(folder, "lsa-50", train, replace(model, dims=50, hidden=()), TrainSpec(seed, epochs=0)) as engine:
            measure("LSA-50", engine, "lsa")
        for dims in (10, 2):
            with learned(folder, f"ae-{dims}", train, replace(model, dims=dims), spec) as engine:
                measure(f"AE-{dims}", engine, "code")
                measure(f"LSA-{dims}", engine, "lsa")
                if dims == model.dims:
                    write_errors(engine, model, size, seed)
                errors = {"training": rebuilding_error(engine, train), "test": rebuilding_error(engine, test)}
                write("reconstruction error, nats a word", f"{BY_DATE}, AE-{dims}", size, errors, seed)
                codes = planar_codes(engine, test) if dims == 2 else {}
    return curves, codes


def rebuilding_error(engine: Engine, documents: Sequence[Document]) -> float:
    """The cross-entropy of a word of a document that is rebuilt from its code, in nats: the mean over the documents.

    Documents without a word that the encoder knows are left out.
    """
    model = engine.snapshot.model
    bags = model.vectorizer.transform(map(searchable, documents))
    shown = engine.snapshot.decoder.words(model.encoder.encode(bags).floats)  # (n, n_terms)
    known = bags.below(shown.shape[1])
    nats = -term_frequencies(known) * np.log(shown[known.row_of, known.terms])
    return float(nats.sum() / np.count_nonzero(np.diff(known.starts)))


def labels(documents: Sequence[Document]) -> NDArray[np.str_]:
    """The group of each document: (n,)."""
    return np.array([str(document.fields["label"]) for document in documents])


def learned(folder: str, name: str, train: Sequence[Document], model: ModelSpec, spec: TrainSpec) -> Engine:
    """Index documents in a folder."""
    engine = Engine.create(Path(folder) / name)
    engine.index(train, model=model, train=replace(spec, device="cpu"))
    return engine


def planar_codes(engine: Engine, documents: Sequence[Document]) -> dict[str, Floats]:
    """The codes of documents on the plane, by method: (n, 2); LSA's are not normalised, as in the paper."""
    bags, snapshot = engine.snapshot.model.vectorizer.transform(map(searchable, documents)), engine.snapshot
    words = snapshot.reader.arrays["lsa/words"]
    lsa = project(bags.below(len(words)), snapshot.model.idf[: len(words)], words)
    return {"LSA-2": lsa, "AE-2": snapshot.model.encoder.encode(bags).floats.astype(np.float32)}


def curve(engine: Engine, mode: str, queries: Sequence[Document]) -> Curve:
    """Precision and recall of a system after 1, 3, 7, … documents, as means over the queries."""
    return by_labels(engine.searcher, "label", queries, [mode], 1, None, SEED, curve=True).curves[mode]


def write_curve(name: str, curve: Curve, size: int, seed: int) -> None:
    """Write two rows, precision and recall by the number of documents."""
    for what, values in (("precision", curve.precision), ("recall", curve.recall)):
        figures = {str(cutoff): float(value) for cutoff, value in zip(curve.cutoffs, values, strict=True)}
        write(f"{what} after so many documents", f"{BY_DATE}, {name}", size, figures, seed)


def write_errors(engine: Engine, model: ModelSpec, size: int, seed: int) -> None:
    """Write a row for each pre-trained layer: the reconstruction error of its input, after some passes."""
    below = (model.inputs, *model.hidden, model.dims)
    for depth, errors in enumerate(engine.snapshot.reader.settings["layer_errors"]):
        shown = [number for number in SHOWN if number < len(errors)]
        figures = {f"pass {number}" if number else "start": float(errors[number]) for number in shown}
        unit = "nats a word" if depth == 0 else "nats"
        write("reconstruction error, layer by layer", f"{below[depth]}–{below[depth + 1]}, {unit}", size, figures, seed)


STYLES: Mapping[str, tuple[str, str, str]] = {
    "AE-10": ("#0072B2", "-", "o"),
    "AE-2": ("#56B4E9", "-", "s"),
    "LSA-10": ("#D55E00", "--", "^"),
    "LSA-50": ("#E69F00", "--", "v"),
    "LSA-2": ("#CC79A7", "--", "D"),
}


def draw_curves(curves: Mapping[str, Curve], path: Path) -> None:
    """Draw precision over the number of documents, which is the paper's figure, and over recall."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.4), sharey=True, layout="constrained")
    for name, (colour, line, marker) in STYLES.items():
        one = curves[name]
        style = {"color": colour, "linestyle": line, "marker": marker, "markersize": 4, "label": name}
        left.plot(one.cutoffs, 100 * one.precision, **style)
        right.plot(100 * one.recall, 100 * one.precision, **style)
    *some, last, every = curves["AE-10"].cutoffs
    counts = [*some, every] if every < 1.9 * last else [*some, last, every]
    for axes, ticks in ((left, counts), (right, [0.1 * 2**i for i in range(10)] + [100])):
        axes.set_xscale("log", base=2)
        axes.set_xticks(ticks, [f"{tick:,.3g}" if tick < 100 else f"{tick:,}" for tick in ticks], rotation=45)
        axes.minorticks_off()
        _plain(axes)
    left.set(xlabel="documents looked at", ylabel="precision: of the query's newsgroup, %", ylim=(0, None))
    right.set(xlabel="recall: of the newsgroup's documents, %")
    right.legend(frameon=False, loc="upper right")
    figure.suptitle("20 Newsgroups by date, 2,000 words: the deep auto-encoder of 2006 beside LSA", fontsize=11)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def draw_codes(codes: Mapping[str, Floats], groups: NDArray[np.str_], path: Path) -> None:
    """Draw the documents at their codes of two numbers, coloured by newsgroup."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(12, 7.2))
    figure.subplots_adjust(left=0.02, right=0.98, top=0.9, bottom=0.2, wspace=0.05)
    order = np.random.default_rng(SEED).permutation(len(groups))  # no group lies on top of all others
    shades = _shades()
    colours = np.array([shades[group] for group in groups[order]])
    for axes, (name, points) in zip(panels, codes.items(), strict=True):
        axes.scatter(*points[order].T, c=colours, s=5, linewidths=0, alpha=0.75)
        low, high = np.quantile(points, (0.001, 0.999), axis=0)
        margin = 0.05 * (high - low)
        (left, bottom), (right, top) = low - margin, high + margin
        axes.set(title=name, xticks=[], yticks=[], xlim=(left, right), ylim=(bottom, top))
        _plain(axes)
    for column, (family, (_, members)) in enumerate(FAMILIES.items()):
        handles = [axes.scatter([], [], color=[shades[group]], s=36, label=group) for group in members]
        figure.legend(
            handles=handles, title=family, loc="upper center", bbox_to_anchor=((column + 0.5) / len(FAMILIES), 0.185),
            frameon=False, fontsize=8.5, title_fontproperties={"weight": "bold", "size": 9}, handletextpad=0.2,
        )  # fmt: skip
    figure.suptitle("Documents that neither has seen (20 Newsgroups, test part), as two numbers", fontsize=12)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _shades() -> dict[str, Any]:
    """The colour of each group: that of its family, mixed with white or black."""
    from matplotlib.colors import to_rgb

    shades = {}
    for colour, members in FAMILIES.values():
        for tint, group in zip(np.linspace(-0.35, 0.55, len(members)), members, strict=True):
            rgb = np.array(to_rgb(colour))
            shades[group] = tuple(rgb + (1 - rgb) * tint if tint > 0 else rgb * (1 + tint))
    return shades


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.2)


COMMANDS = (hinton,)
