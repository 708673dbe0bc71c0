"""Near-duplicates: no pair of codes is missed, and texts decide."""

import shutil
from collections import Counter
from itertools import combinations
from unittest.mock import patch
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textae import Document, Engine
from textae.encoding.analyzer import searchable
from textae.errors import QueryError
from textae.explore import duplicates, near_pairs
from textae.explore.duplicates import (
    PICTURES_ALIKE,
    Member,
    groups,
    near_duplicates,
    pixel_similarity,
    resemblance,
    shingles,
    text_similarity,
)
from textae.explore.near_pairs import pairs


def silent(stage, done, total) -> None:
    pass


def all_pairs(bits, radius: int) -> list[tuple[int, int]]:
    """The pairs within the radius in no particular order, each of them as `pairs` gives it."""
    return [tuple(pair) for some in pairs(bits, radius, silent) for pair in some.tolist()]


def brute_force(bits, radius: int) -> list[tuple[int, int]]:
    rows = [int.from_bytes(row.tobytes(), "big") for row in bits]
    return [(i, j) for i, j in combinations(range(len(rows)), 2) if (rows[i] ^ rows[j]).bit_count() <= radius]


@st.composite
def crowded_codes(draw, most: int = 40):
    """Codes around a few centres, some of them equal."""
    n_bytes, n, seed = draw(st.sampled_from([1, 2, 3, 8, 9, 32])), draw(st.integers(0, most)), draw(st.integers(0, 999))
    rng = np.random.default_rng(seed)
    centres = rng.integers(0, 2, (draw(st.integers(1, 5)), 8 * n_bytes))
    turned = rng.random((n, 8 * n_bytes)) < rng.choice([0, 0.02, 0.1], (n, 1))
    return np.packbits(centres[rng.integers(0, len(centres), n)] ^ turned, axis=1).astype(np.uint8)


def code(*turned: int, n_bits: int = 64):
    """A code of zeros but for these bits."""
    bits = np.zeros(n_bits, np.uint8)
    bits[list(turned)] = 1
    return np.packbits(bits)


class TestPairs:
    @given(crowded_codes(), st.integers(0, 70))
    def test_they_are_those_of_brute_force(self, bits, radius) -> None:
        assert sorted(all_pairs(bits, radius)) == brute_force(bits, radius)

    def test_a_radius_of_more_bits_than_there_are_holds_every_pair(self) -> None:
        bits = np.array([[0], [255], [7]], np.uint8)
        assert sorted(all_pairs(bits, 10**20)) == [(0, 1), (0, 2), (1, 2)]

    @pytest.mark.parametrize("equal", [1, 2, 3])
    @given(bits=crowded_codes(), radius=st.integers(0, 5), at_a_time=st.sampled_from([1, 7, 1 << 18]))
    def test_with_however_many_equal_substrings_and_in_whatever_parts(self, equal, bits, radius, at_a_time) -> None:
        plan = patch.object(near_pairs, "_cheapest", lambda *_: (0.0, equal))
        with plan, patch.object(near_pairs, "_AT_A_TIME", at_a_time):
            assert sorted(all_pairs(bits, radius)) == brute_force(bits, radius)

    @given(st.integers(0, 6), st.integers(1, 6))
    def test_a_pair_at_the_radius_is_found_whichever_bits_differ(self, radius, seed) -> None:
        rng = np.random.default_rng(seed)
        bits = rng.integers(0, 256, (3_000, 32), dtype=np.uint8)  # too many for the plan to compare all
        turned = rng.choice(256, radius, replace=False)
        bits[2_900] = bits[17] ^ code(*turned, n_bits=256)
        bits[2_901] = ~bits[17]
        assert all_pairs(bits, radius) == [(17, 2_900)]

    def test_a_million_pairs_of_equal_codes_come_in_parts(self) -> None:
        parts = list(pairs(np.zeros((1_500, 8), np.uint8), 3, silent))
        assert sum(map(len, parts)) == 1_500 * 1_499 // 2
        assert max(map(len, parts)) < 600_000

    def test_many_codes_are_put_into_tables_and_few_are_all_compared(self) -> None:
        bits = np.random.default_rng(1).integers(0, 256, (5_000, 32), dtype=np.uint8)
        told = []
        list(pairs(bits, 4, lambda *report: told.append(report)))
        assert told == [("comparing codes", table, 5) for table in range(1, 6)]  # radius + 1 substrings
        told.clear()
        list(pairs(bits[:100], 4, lambda *report: told.append(report)))
        assert told == [("comparing codes", 1, 1)]

    def test_codes_that_crowd_are_told_apart_by_more_substrings(self) -> None:
        rng = np.random.default_rng(1)
        crowd = np.packbits(rng.random((16_000, 256)) < 0.02, axis=1)  # most substrings of 50 bits are all zeros
        told = []
        list(pairs(crowd, 3, lambda *report: told.append(report)))
        assert told[-1][2] > 4

    def test_a_radius_that_asks_for_too_much_is_told_the_largest_that_does_not(self) -> None:
        bits = np.random.default_rng(1).integers(0, 256, (5_000, 32), dtype=np.uint8)
        with patch.object(near_pairs, "MOST_COMPARED", 1.05e6):  # ten tables, at 20 comparisons a code
            with pytest.raises(
                QueryError,
                match=r"radius 90 .* some 12 million comparisons of codes, .* limit is 1 million; .* at most 9$",
            ):
                all_pairs(bits, 90)
            assert all_pairs(bits, 9) == []

    def test_a_radius_below_0(self) -> None:
        with pytest.raises(QueryError, match="the radius must be at least 0 bits, got -1"):
            all_pairs(np.zeros((2, 8), np.uint8), -1)


class TestShingles:
    def test_by_hand(self) -> None:
        assert len(shingles("one two three four five", 2)) == 4
        assert len(shingles("one two one two one", 2)) == 2
        assert len(np.intersect1d(shingles("one two three", 2), shingles("zero two three", 2))) == 1
        assert len(np.intersect1d(shingles("one two", 2), shingles("two one", 2))) == 0

    def test_their_hashes_are_the_same_on_every_machine(self) -> None:
        one, two, odd = crc32(b"one"), crc32(b"two"), 0x9E3779B97F4A7C15
        assert shingles("One, two", 2).tolist() == [(one * odd + two) * odd % (1 << 64) >> 32]

    def test_case_typography_and_punctuation_do_not_count(self) -> None:
        assert shingles("The ﬁrst, the LAST: one!").tolist() == shingles("the first the last\none").tolist()

    def test_a_text_of_few_words_is_one_run(self) -> None:
        assert len(shingles("two words", 4)) == 1
        assert shingles("two words", 4).tolist() == shingles("two words", 2).tolist()

    @pytest.mark.parametrize("text", ["", " \n", "?!"])
    def test_a_text_without_words(self, text) -> None:
        assert shingles(text).tolist() == []

    @given(st.lists(st.sampled_from("abcd"), max_size=30), st.integers(1, 5))
    def test_there_are_as_many_as_different_runs(self, text, n) -> None:
        runs = {tuple(text[i : i + n]) for i in range(max(1, len(text) - n + 1))} if text else set()
        found = shingles(" ".join(text), n)
        assert (len(found), found.dtype) == (len(runs), np.uint32)
        assert (np.diff(found.astype(np.int64)) > 0).all()


SETS = st.sets(st.integers(0, 12)).map(lambda numbers: np.array(sorted(numbers), np.uint32))


class TestResemblance:
    def test_by_hand(self) -> None:
        # {ab, bc, cd} and {bc, cd, de}: 2 of 4
        assert resemblance(shingles("a b c d", 2), shingles("b c d e", 2)) == 0.5

    @given(SETS, SETS)
    def test_it_is_jaccard(self, left, right) -> None:
        a, b = set(left.tolist()), set(right.tolist())
        assert resemblance(left, right) == (len(a & b) / len(a | b) if a | b else 1)


class Archive:
    """Documents, and which of them were read."""

    def __init__(self, bits: np.ndarray, texts: list[str]) -> None:
        self.bits, self._texts = bits, texts
        self.read: list[int] = []

    @classmethod
    def of(cls, *documents: tuple[np.ndarray, str]) -> "Archive":
        return cls(np.array([bits for bits, _ in documents]), [text for _, text in documents])

    def contents(self, rows) -> list[bytes]:
        assert 0 < len(rows) <= 1_000
        self.read += rows.tolist()
        return [shingles(self._texts[row]).tobytes() for row in rows]

    def groups(self, radius: int = 2, threshold: float = 0.5, without_code: tuple[int, ...] = ()):
        has_code = ~np.isin(np.arange(len(self.bits)), without_code)
        return groups(self.bits, has_code, radius, threshold, self.contents, text_similarity, silent)

    def rows(self, *given, **named) -> list[list[int]]:
        return [[member.row for member in group] for group in self.groups(*given, **named)]


LETTER = "dear madam we have looked at your request of last week and are glad to say that it was granted"
REPORT = "the harbour was closed in the night as a storm came up and three ships lost their anchors"


class TestGroups:
    def test_codes_propose_and_texts_decide(self) -> None:
        archive = Archive.of(
            (code(), LETTER),
            (code(40), REPORT),  # a near code, another text
            (code(1), LETTER + " today"),
            (code(1, 2, 3, 4), LETTER + " now"),  # too far from all
            (code(60, 61, 62), "alone"),
        )
        assert archive.rows() == [[0, 2]]
        assert sorted(archive.read) == [0, 1, 2]

    def test_members_are_told_how_they_resemble_the_first(self) -> None:
        archive = Archive.of((code(), "a b c d e f g h"), (code(1), "a b c d e f g h i"), (code(), "A b c d e f g h!"))
        assert archive.groups() == [(Member(0, 1.0), Member(1, 5 / 6), Member(2, 1.0))]

    def test_a_chain_is_a_group_though_its_ends_differ(self) -> None:
        archive = Archive.of((code(), "a b c d e f"), (code(1), "b c d e f g"), (code(1, 2, 3), "c d e f g h"))
        assert archive.groups(radius=2, threshold=0.5) == [((0, 1.0), (1, 2 / 4), (2, 1 / 5))]

    def test_the_largest_comes_first_then_the_one_that_begins_first(self) -> None:
        archive = Archive.of(
            (code(50, 51, 52, 53), "p q r s"),
            (code(), LETTER),
            (code(20, 21, 22, 23), REPORT),
            (code(), LETTER),
            (code(20, 21, 22, 23), REPORT),
            (code(50, 51, 52, 53), "p q r s"),
            (code(20, 21, 22, 23), REPORT),
        )
        assert archive.rows() == [[2, 4, 6], [0, 5], [1, 3]]

    def test_texts_of_one_code_find_each_their_own(self) -> None:
        archive = Archive.of((code(), LETTER), (code(), REPORT), (code(5), REPORT), (code(5), LETTER))
        assert archive.rows() == [[0, 3], [1, 2]]

    def test_exact_copies_are_found_at_radius_0_and_by_code_alone_nobody(self) -> None:
        archive = Archive.of((code(3), LETTER), (code(3), REPORT), (code(3), LETTER))
        assert archive.rows(radius=0, threshold=1) == [[0, 2]]

    def test_a_document_without_a_code_is_not_read(self) -> None:
        archive = Archive.of((code(), LETTER), (code(), LETTER), (code(), LETTER))
        assert archive.rows(without_code=(0,)) == [[1, 2]]
        assert sorted(archive.read) == [1, 2]

    @pytest.mark.parametrize("n", [0, 1, 3])
    def test_without_codes_there_is_no_group(self, n) -> None:
        archive = Archive(np.zeros((n, 8), np.uint8), [LETTER] * n)
        assert archive.groups(without_code=tuple(range(n))) == []

    def test_copies_cost_nothing_and_variants_one_resemblance_each(self) -> None:
        copies = [(code(), LETTER)] * 1_500
        variants = [(code(9, 10 + i % 50, *([60] * (i // 50))), f"{LETTER} {i}") for i in range(100)]
        archive = Archive.of(*copies, *variants)
        with patch.object(duplicates, "resemblance", wraps=resemblance) as taken:
            found = archive.groups(radius=4)
        assert [len(group) for group in found] == [1_600]
        assert taken.call_count == 100 + 101  # a tree of 101 texts, then each with the first
        assert Counter(archive.read) == Counter(range(1_600))

    def test_far_too_many_texts_with_one_code_are_refused(self) -> None:
        archive = Archive.of(*[(code(), f"only{i}") for i in range(20)])
        with (
            patch.object(duplicates, "MOST_CONTENTS_COMPARED", 100),
            pytest.raises(QueryError, match=r"more than 100 pairs .* these are topics, not copies; give a smaller"),
        ):
            archive.groups()

    @pytest.mark.parametrize("threshold", [-0.1, 1.5, float("nan")])
    def test_a_threshold_that_is_none(self, threshold) -> None:
        with pytest.raises(QueryError, match="must be from 0 to 1"):
            Archive.of((code(), LETTER)).groups(threshold=threshold)

    @given(
        crowded_codes(most=14),
        st.lists(st.lists(st.sampled_from("ab"), min_size=3, max_size=6).map(" ".join), min_size=14, max_size=14),
        st.integers(0, 9),
        st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    )
    def test_they_are_the_components_of_all_pairs(self, bits, texts, radius, threshold) -> None:
        archive = Archive(bits, texts)
        group_of = {row: {row} for row in range(len(bits))}
        for i, j in brute_force(bits, radius):
            if resemblance(shingles(texts[i]), shingles(texts[j])) >= threshold:
                for row in (together := group_of[i] | group_of[j]):
                    group_of[row] = together
        expected = sorted({tuple(sorted(group)) for group in group_of.values() if len(group) > 1})
        assert sorted(map(tuple, archive.rows(radius, threshold))) == expected


class TestPixels:
    """Of pictures pixels decide."""

    def test_likeness_is_one_less_the_distance_of_brightness(self) -> None:
        """Of 4 pixels one that differs by 51 of 255: √(.2² / 4) = .1."""
        between = pixel_similarity
        assert between(bytes([9, 9, 9, 9]), bytes([9, 9, 9, 60])) == pytest.approx(0.9)
        assert between(bytes(4), bytes([255] * 4)) == 0
        assert between(bytes(4), bytes(4)) == 1

    def test_pictures_of_near_codes_are_grouped_where_their_pixels_are_near(self) -> None:
        pixels = np.array([[0] * 9, [5] * 9, [200] * 9, [1] * 9], np.uint8)
        bits = np.array([[0], [1], [1], [255]], np.uint8)  # the last is far by its code

        def contents(rows):
            return [pixels[row].tobytes() for row in rows]

        has_code = np.ones(4, bool)
        found = groups(bits, has_code, 1, PICTURES_ALIKE, contents, pixel_similarity, silent)
        assert found == [(Member(0, 1.0), Member(1, pytest.approx(1 - 5 / 255)))]
        assert groups(bits, has_code, 1, 0.99, contents, pixel_similarity, silent) == []


def test_documents_without_a_code_are_counted(index_folder, tmp_path) -> None:
    with Engine.open(shutil.copytree(index_folder, tmp_path / "own")) as engine:
        n = len(engine.snapshot.numbers)
        engine.add([Document("copy", searchable(engine.snapshot.document("stars-0"))), Document("none", "zzxqy")])
        found = near_duplicates(engine.snapshot, resemblance=1.0)
        assert [[one.id for one in group] for group in found.groups] == [["stars-0", "copy"]]
        assert (found.compared, found.unknown, found.radius) == (n + 1, 1, engine.snapshot.codes.bits.shape[1] // 2)
