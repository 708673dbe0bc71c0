"""The language of conditions: what an expression asks, what is refused and where, and which documents meet it."""

import random
import re
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared import LONG
from whoosh import query

from textae import Document
from textae.encoding.analyzer import Analysis, searchable, words
from textae.encoding.vectorizer import Vectorizer
from textae.encoding.vocabulary import Vocabulary
from textae.errors import QueryError
from textae.index.fields import FieldIndex, Range
from textae.search.filters import Filter, evaluate, texts_of
from textae.search.parser import Condition, parse


def Words(text: str) -> query.Term:
    return query.Term(None, text)


def Prefix(text: str) -> query.Prefix:
    return query.Prefix(None, text)


def Everything() -> query.Every:
    return query.Every(None)


def Between(name: str, of: Range) -> query.TermRange:
    return query.TermRange(name, of.low, of.high, of.exclude_low, of.exclude_high)


def Whole(name: str, value: str) -> query.Phrase:
    return query.Phrase(name, [value])


InField, FieldPrefix, Present, And, Or, Not = query.Term, query.Prefix, query.Every, query.And, query.Or, query.Not

FIELDS = ("id", "title", "year", "topic", "a.b", "sub-topic", "odd: name (1)")


@dataclass(frozen=True)
class ReadingOrder:
    starts: np.ndarray
    terms: np.ndarray


@dataclass(frozen=True)
class Segment:
    """Documents as an index holds them, made here from nothing but the definitions."""

    n_rows: int
    fields: FieldIndex
    tokens: ReadingOrder

    def term_rows(self, number: int) -> np.ndarray:
        rows = np.repeat(np.arange(self.n_rows, dtype=np.int32), np.diff(self.tokens.starts))
        return np.unique(rows[self.tokens.terms == number])


def segment(documents: list[Document], language: str | None = "english") -> tuple[Segment, Vectorizer]:
    analysis = Analysis.of(language)
    read = [[analysis.term(word) for word in words(searchable(document))] for document in documents]
    vocabulary = Vocabulary.of(sorted({term for terms in read for term in terms if term is not None}))
    numbers = [[-1 if term is None else vocabulary.number(term) for term in terms] for terms in read]
    starts = np.concatenate([[0], np.cumsum(list(map(len, numbers)))]).astype(np.int64)
    fields = FieldIndex.of((document.id, document.title, document.fields) for document in documents)
    tokens = ReadingOrder(starts, np.array([number for row in numbers for number in row], np.int32))
    return Segment(len(documents), fields, tokens), Vectorizer(analysis, vocabulary)


DOCUMENTS = [
    Document("noise", "Smoothing a noisy signal.", "On noise", {"year": 1995, "topic": "signals"}),
    Document("stars", "The stars are noisy; a signal from the sky", "", {"year": 2010, "topic": ["stars", "sky maps"]}),
    Document("bread", "Bread and butter. Smooth dough.", "Sour dough", {"year": "2012-05-03", "odd: name (1)": "x"}),
    Document("empty", "", "", {"topic": None}),
]


def found(expression: str, documents: list[Document] = DOCUMENTS) -> list[str]:
    """The ids of the documents that meet an expression."""
    part, vectorizer = segment(documents)
    met = evaluate(parse(expression, "--must", FIELDS), part, vectorizer)
    assert met.dtype == np.bool_
    return [document.id for document, meets in zip(documents, met, strict=True) if meets]


def must(expression: str) -> Condition:
    return parse(expression, "--must", FIELDS)


A, B, C, D = map(Words, "abcd")


class TestParse:
    @pytest.mark.parametrize(
        ("expression", "condition"),
        [
            ("a", A),
            ("a b", And((A, B))),
            ("a AND b", And((A, B))),
            ("a b OR c", And((A, Or((B, C))))),
            ("a AND b OR c", Or((And((A, B)), C))),
            ("a OR b AND c", Or((A, And((B, C))))),
            ("(a OR b) AND c", And((Or((A, B)), C))),
            ("(a OR b) AND NOT c OR d", Or((And((Or((A, B)), Not(C))), D))),
            ("NOT a b", And((Not(A), B))),
            ("NOT(a OR b)", Not(Or((A, B)))),
            ("a OR NOT b", Or((A, Not(B)))),
            ("((a))", A),
            ("and or not", And((Words("and"), Words("or"), Words("not")))),
            ('"a b" c*', And((Words("a b"), Prefix("c")))),
            ("e-mail", Words("e-mail")),
            ("*:*", Everything()),
            ("topic:a", InField("topic", "a")),
            ("topic:a b", And((InField("topic", "a"), B))),
            ('topic:"a b"', InField("topic", "a b")),
            ("topic:-a", InField("topic", "-a")),
            ("topic:http://a/b?c=d", InField("topic", "http://a/b?c=d")),
            ("topic:NOT", InField("topic", "NOT")),
            ("topic:(a OR NOT id:b)", Or((InField("topic", "a"), Not(InField("id", "b"))))),
            ("topic:=a", Whole("topic", "a")),
            ('topic:="a b" c', And((Whole("topic", "a b"), C))),
            ("(NOT topic:=c++)", Not(Whole("topic", "c++"))),
            ("topic:os.p*", FieldPrefix("topic", "os.p")),
            ("topic:*", Present("topic")),
            ("a.b:a sub-topic:b", And((InField("a.b", "a"), InField("sub-topic", "b")))),
            ('"odd: name (1)":a', InField("odd: name (1)", "a")),
            ("year:[2010 TO 2012]", Between("year", Range("2010", "2012"))),
            ("year:{2010 to 2012}", Between("year", Range("2010", "2012", exclude_low=True, exclude_high=True))),
            ("year:[2010 TO *]", Between("year", Range("2010", None))),
            ("year:[TO 2012}", Between("year", Range(None, "2012", exclude_high=True))),
            ("year:[* TO *]", Present("year")),
            ('year:["a b" TO c d]', Between("year", Range("a b", "c d"))),
            ("year:>2010", Between("year", Range("2010", None, exclude_low=True))),
            ("year:>=2010", Between("year", Range("2010", None))),
            ("year:<-5", Between("year", Range(None, "-5", exclude_high=True))),
            ('year:<="2012-05-03 10:00"', Between("year", Range(None, "2012-05-03 10:00"))),
            ("year:([1 TO 2] OR [5 TO 6])", Or((Between("year", Range("1", "2")), Between("year", Range("5", "6"))))),
        ],
    )
    def test_what_is_asked(self, expression, condition) -> None:
        assert must(expression) == condition
        assert must(f" ( {expression} )\n") == condition

    @pytest.mark.parametrize(
        ("expression", "what", "at"),
        [
            ("", "there is no condition", 1),
            ("  ", "there is no condition", 3),
            ("a AND (b OR c", "this parenthesis is not closed", 7),
            ("a) b", "this parenthesis closes nothing", 2),
            ("a ()", "nothing between the parentheses", 3),
            ("a AND", "a condition must follow AND", 3),
            ("a OR OR b", "a condition must follow OR", 3),
            ("(a OR) b", "a condition must follow OR", 4),
            ("OR a", "a condition must come before OR", 1),
            ("a (AND b)", "a condition must come before AND", 4),
            ("a NOT", "a condition must follow NOT", 3),
            ("NOT NOT a", "NOT NOT", 1),
            ('a "b c', "this quote is not closed", 3),
            ('a b"', "this quote is not closed", 4),
            ('a ""', "there is no word", 3),
            ('topic:" "', "nothing between the quotes", 7),
            ("a && b", "there is no word", 3),
            ("a*b", "a star can only be the end of a word", 2),
            ("*a", "a star can only be the end of a word", 1),
            ("topic:a*b", "a star can only be the end of a word", 8),
            ("a *", "there is no word", 3),
            ("e-mai*", "a star ends one word", 1),
            ('"a b*"', "a star has no meaning inside a phrase", 1),
            ("wo?d", "a question mark stands for no letter", 3),
            ("word~2", "not found by likeness", 5),
            ('"a b"~2', "a blank must part two conditions", 6),
            ("word^2.5", "no weights", 5),
            ("a -b", "NOT is written out", 3),
            ("a(b)", "a blank must part two conditions", 2),
            ('a"b c"', "a blank must part two conditions", 2),
            ("x" * 65, "more than 64 characters", 1),
            ("year:", "a value must follow year:", 1),
            ("year: 2010", "a value must follow year:", 1),
            ("(year:)", "a value must follow year:", 2),
            ("year:>", "a value must follow >", 6),
            ("year:> 2010", "a value must follow >", 6),
            ("year:>20*", "a value must follow >", 6),
            ("year:==2010", "a comparison follows its field", 7),
            ("year:= 2010", "a value must follow =", 6),
            (">2010", "a comparison follows its field", 1),
            ("year:[2010 TO 2005]", "nothing can lie in this range", 6),
            ("year:{5 TO 5}", "nothing can lie in this range", 6),
            ("year:[]", "a range is written", 6),
            ("year:[2010 2012]", "a range is written", 6),
            ("year:[2010 TO 2012", "a range is written", 6),
            ("year:[20* TO 2012]", "an end of a range is", 6),
            ('year:["" TO 2012]', "an end of a range is", 6),
            ("[2010 TO 2012]", "a range follows its field", 1),
            ("year:*:*", "a value must follow year:", 1),
            ("(" * 101 + "a" + ")" * 101, "more than 100 parentheses", 101),
        ],
    )
    def test_a_mistake_and_its_place(self, expression, what, at) -> None:
        with pytest.raises(QueryError, match=re.escape(what)) as raised:
            must(expression)
        assert f"at character {at} of --must: " in str(raised.value)

    def test_the_place_is_shown(self) -> None:
        with pytest.raises(QueryError) as raised:
            must("a b year:[2010 TO 2012 OR something else that is long")
        assert str(raised.value) == (
            "a range is written [2010 TO 2012], at character 10 of --must: '[2010 TO 2012 OR someth…'"
        )

    def test_an_unknown_field(self) -> None:
        with pytest.raises(QueryError) as raised:
            must("a yaer:2010")
        assert str(raised.value) == (
            "no document has a field 'yaer'; did you mean 'year'? there are a.b, id, odd: name (1), sub-topic, title, "
            "topic, year; quotes make a word of what has a colon, at character 3 of --must: 'yaer:2010'"
        )

    def test_of_many_fields_some_are_named(self) -> None:
        with pytest.raises(QueryError, match=r"there are f0, f1, .*, f106 and 490 more, at character 1 of --where"):
            parse("zzz:1", "--where", [f"f{number}" for number in range(500)])

    @pytest.mark.parametrize("bare", ["b", '"b\nc"', "b*", "[1 TO 2]"])
    def test_where_wants_fields(self, bare) -> None:
        with pytest.raises(QueryError, match="this has no field; write it as in topic:stars, or use --must") as raised:
            parse(f"year:2010 {bare}", "--where", FIELDS)
        assert "at character 11 of --where" in str(raised.value)
        assert parse("year:2010 topic:(a OR b)", "--where", FIELDS)


class TestEvaluate:
    def test_words_in_all_their_forms_in_title_and_text(self) -> None:
        assert found("smoothed") == ["noise", "bread"]
        assert found("NOISES") == ["noise"]
        assert found("nowhere") == []

    def test_connectives(self) -> None:
        assert found("noisy signal") == ["noise", "stars"]
        assert found("stars OR dough") == ["stars", "bread"]
        assert found("signal NOT stars") == ["noise"]
        assert found("NOT signal") == ["bread", "empty"]
        assert found("*:*") == ["noise", "stars", "bread", "empty"]

    def test_phrases(self) -> None:
        assert found('"noisy signal"') == ["noise"]
        assert found('"signal noisy"') == []
        assert found('"smooth dough sour"') == []
        assert found('"bread butter"') == []

    def test_a_stop_word_in_a_phrase_fits_any_stop_word(self) -> None:
        assert found('"bread or butter"') == ["bread"]
        assert found('"the bread"') == []
        assert found('"noisy a signal"') == ["stars"]
        assert found('"stars are noisy"') == ["stars"]

    def test_a_phrase_does_not_run_from_one_document_into_the_next(self) -> None:
        two = [Document("1", "alpha beta"), Document("2", "gamma delta")]
        assert found('"beta gamma"', two) == []
        assert found('"beta the"', two) == []

    def test_unspaced_script_and_names_with_signs(self) -> None:
        texts = ("文档检索系统", "文索", "in C++ on .NET", "C on the net", "lang\u00adsam", "ﾃﾞﾊﾞｯｸﾞ")
        some = [Document(str(number), text) for number, text in enumerate(texts)]
        assert found("档检索", some) == found("文档*", some) == found("检", some) == ["0"]
        assert found("文索", some) == ["1"]
        assert found("C++", some) == found(".net", some) == found('"C++ on"', some) == found("c+*", some) == ["2"]
        assert found("net", some) == found("c", some) == ["2", "3"]
        assert found('"C on"', some) == ["3"]
        assert found("langsam", some) == found("lang\u00adsam*", some) == ["4"]
        assert found("デバッグ", some) == ["5"]

    def test_a_phrase_is_the_same_in_pieces(self, monkeypatch) -> None:
        monkeypatch.setattr("textae.search.filters._CHUNK", 3)
        many = [Document(str(number), "x y " * (number % 4) + "y z") for number in range(20)]
        assert found('"x y"', many) == [str(number) for number in range(20) if number % 4]
        assert found('"y y z"', many) == [str(number) for number in range(20) if number % 4]
        assert found('"z y"', many) == []

    def test_a_stop_word_alone_is_no_condition(self) -> None:
        everything = [document.id for document in DOCUMENTS]
        for expression in ("the", '"to be or not"', "NOT the", "the OR and", "NOT (the and)"):
            assert found(expression) == everything
        assert found("the dough") == found("dough OR the") == found("dough NOT the") == ["bread"]

    def test_prefixes(self) -> None:
        assert found("smoo*") == ["noise", "bread"]
        assert found("smoothing*") == ["noise", "bread"]  # its stem is shorter
        assert found("NOIS*") == ["noise", "stars"]
        assert found("zz*") == []

    def test_fields(self) -> None:
        assert found("year:[1990 TO 2011]") == ["noise", "stars"]
        assert found("year:>2010") == ["bread"]
        assert found("topic:stars") == ["stars"]
        assert found('topic:"sky maps"') == ["stars"]
        assert found("topic:s*") == ["noise", "stars"]
        assert found('topic:="sky maps"') == ["stars"]
        assert found("topic:=maps") == []
        assert found("NOT topic:*") == ["bread", "empty"]
        assert found('"odd: name (1)":X') == ["bread"]
        assert found("id:empty OR title:dough") == ["bread", "empty"]

    def test_what_is_asked_and_what_of_it_is_ignored(self) -> None:
        condition = must('the cat "to be" NOT (the OR dog*) topic:and')
        assert list(texts_of(condition)) == ["the", "cat", "to be", "the"]
        assert Filter(None, condition).ignored(Analysis.of("english")) == ["the", "to be"]
        assert Filter(None, condition).ignored(Analysis.of(None)) == []

    def test_no_documents(self) -> None:
        assert found('"a b" OR c* OR topic:x', []) == []


# A naive evaluator on small documents, from the definition of each condition.

SMALL = ("ant", "bee", "cow", "ants", "bees")
LEAVES = st.one_of(
    st.builds(Words, st.lists(st.sampled_from(SMALL), min_size=1, max_size=3).map(" ".join)),
    st.builds(Prefix, st.sampled_from(["a", "an", "bee", "c", "z"])),
    st.builds(InField, st.just("topic"), st.sampled_from([*SMALL, "ant bee"])),
    st.builds(FieldPrefix, st.just("topic"), st.sampled_from(["a", "bee", "z"])),
    st.builds(Present, st.just("topic")),
    st.builds(lambda low, width: Between("year", Range(str(low), str(low + width))), *[st.integers(0, 5)] * 2),
    st.just(Everything()),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=8,
)
SMALL_DOCUMENTS = st.lists(
    st.builds(
        lambda text, title, topic, year: Document("", " ".join(text), title, {"topic": topic, "year": year}),
        st.lists(st.sampled_from(SMALL), max_size=6),
        st.sampled_from(["", *SMALL]),
        st.none() | st.lists(st.sampled_from(SMALL), max_size=3).map(" ".join),
        st.none() | st.integers(0, 8),
    ),
    max_size=6,
)


def written(condition: Condition) -> str:
    """The expression of a condition."""
    match condition:
        case query.Term(fieldname=None, text=text):
            return f'"{text}"' if " " in text else text
        case query.Prefix(fieldname=None, text=text):
            return f"{text}*"
        case query.Term(fieldname=name, text=value):
            return f'{name}:"{value}"'
        case query.Prefix(fieldname=name, text=prefix):
            return f"{name}:{prefix}*"
        case query.Every(fieldname=str(name)):
            return f"{name}:*"
        case query.TermRange(fieldname=name, start=low, end=high):
            return f"{name}:[{low} TO {high}]"
        case query.Not(query=part):
            return f"NOT ({written(part)})"
        case query.And(subqueries=parts):
            return " AND ".join(f"({written(part)})" for part in parts)
        case query.Or(subqueries=parts):
            return " OR ".join(f"({written(part)})" for part in parts)
    return "*:*"


def meets(document: Document, condition: Condition) -> bool:
    read = searchable(document).split()
    topic, year = (document.fields[name] for name in ("topic", "year"))
    match condition:
        case query.Term(fieldname=None, text=text):
            return f" {text} " in f" {' '.join(read)} "
        case query.Prefix(fieldname=None, text=text):
            return any(word.startswith(text) for word in read)
        case query.Term(text=value):
            return f" {value} " in f" {topic or ''} "
        case query.Prefix(text=prefix):
            return any(word.startswith(prefix) for word in (topic or "").split())
        case query.Every(fieldname=str()):
            return bool(topic)
        case query.TermRange(start=low, end=high):
            return year is not None and int(low) <= year <= int(high)
        case query.Not(query=part):
            return not meets(document, part)
        case query.And(subqueries=parts):
            return all(meets(document, part) for part in parts)
        case query.Or(subqueries=parts):
            return any(meets(document, part) for part in parts)
    return True


@given(CONDITIONS, SMALL_DOCUMENTS)
def test_evaluation_is_as_defined(condition, documents) -> None:
    part, vectorizer = segment(documents, language=None)
    parsed = must(written(condition))
    for each in (condition, parsed):
        assert evaluate(each, part, vectorizer).tolist() == [meets(document, condition) for document in documents]


PIECES = (
    *'()"*:[]{}<>=~^-+!?\\ \n\0文é', "AND", "OR", "NOT", "TO", " ", "  ", "a", "the", "b.c", "topic:", "year:",
    '"odd: name (1)":',
    "[1 TO 2]", "{* TO 5]", ">=", "2010", "2012-05-03", "*:*", "\ud800", "REQUIRE", "ANDNOT", "'", "http://x", "1e999",
)  # fmt: skip


def test_whatever_is_written_is_a_condition_or_a_query_error() -> None:
    rng = random.Random(1)
    part, vectorizer = segment(DOCUMENTS)
    accepted = 0
    for _ in range(100_000 if LONG else 3_000):
        expression = "".join(rng.choices(PIECES, k=rng.randint(1, 9)))
        option = rng.choice(["--must", "--where"])
        try:
            condition = parse(expression, option, FIELDS)
        except QueryError as error:
            assert len(str(error).splitlines()) == 1
        else:
            assert len(evaluate(condition, part, vectorizer)) == len(DOCUMENTS)
            accepted += 1
    assert accepted > 100


@given(st.text(max_size=30))
def test_any_text_is_a_condition_or_a_query_error(expression) -> None:
    try:
        must(expression)
    except QueryError as error:
        assert len(str(error).splitlines()) == 1
