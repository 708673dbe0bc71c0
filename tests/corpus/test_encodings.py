"""Bytes become text in whichever encoding they are; what is no text is refused."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textae.corpus.decoding import Decoded, codec, decode
from textae.corpus.reading import BINARY, RefusedError

GERMAN = "Jürgen wohnt in Köln. Die Prüfer fürchten größere Schäden an der Überdruckanlage.\n"
WRITTEN = {
    "cp1252": GERMAN,
    "cp1250": "Zażółć gęślą jaźń. Książka leży na półce obok łóżka, a wąż śpi.\n",
    "cp850": GERMAN,
    "mac_roman": "Le chauffage de la cave a été réparé, l'hiver où il gèle près de la fenêtre. Ça coûte très cher.\n",
    "cp1251": "Котёл был проверен в прошлом году, и инженер написал отчёт о давлении.\n",
    "koi8_r": "Котёл был проверен в прошлом году, и инженер написал отчёт о давлении.\n",
    "cp1253": "Ο λέβητας ελέγχθηκε πέρυσι και ο μηχανικός έγραψε την έκθεση.\n",
    "cp1255": "הדוד נבדק בשנה שעברה והמהנדס כתב דוח על הלחץ.\n",
    "cp932": "ボイラーの点検は来週の火曜日に行われます。技術者が報告書を書きました。\n",
    "euc_jp": "ボイラーの点検は来週の火曜日に行われます。技術者が報告書を書きました。\n",
    "iso2022_jp_ext": "ボイラーの点検は来週の火曜日に行われます。\n",
    "gb18030": "锅炉的检查将于下周二进行。工程师写了一份关于压力的报告。\n",
    "big5hkscs": "鍋爐的檢查將於下週二進行。工程師寫了一份關於壓力的報告。\n",
    "cp949": "보일러 점검은 다음 주 화요일에 진행됩니다. 기술자가 보고서를 작성했습니다.\n",
    "utf-16-le": GERMAN,
    "utf-16-be": GERMAN,
}


@pytest.mark.parametrize("encoding", WRITTEN)
def test_an_encoding_that_nothing_declares_is_guessed(encoding: str) -> None:
    text = WRITTEN[encoding]
    assert decode(text.encode(encoding)) == Decoded(text, encoding, guessed=True)
    late = "ASCII, line after line\n" * 10_000 + text  # behind the first 64 KiB
    assert decode(late.encode(encoding)).text == late


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "El año pasado la reunión fue en España. ¿Cómo está usted? Muchas gracias, señor.\n"),
        ("cp1252", "Le relevé a été envoyé. À bientôt\n"),
        ("cp1254", "İstanbul'daki toplantı ertelendi, ışıklar söndü. Görüşmek üzere, iyi çalışmalar.\n"),
        ("cp1250", "Őszi árvíztűrő tükörfúrógép. Kérjük, fizesse be a villanyszámlát péntekig.\n"),
        ("iso8859_2", "Příliš žluťoučký kůň úpěl ďábelské ódy. Prosím o zaplacení účtu.\n"),
        ("gb18030", "id,text\n1,北京市自来水费用账单\n2,上海市电费通知单\n"),
        ("gb18030", "关于合同的问题\n请在星期五之前签署合同并寄回。"),
        ("cp932", "請求書を添付しましたのでご確認ください。\n来週の会"),
        ("euc_jp", "請求書を添付しま"),
        ("cp949", "내일 오후 세 시에 회의가"),
        ("cp1253", "Ο λογαριασμός του ρεύματος\n"),
        ("cp1255", "חשבון החשמל\nנא לשלם את החשבון"),
    ],
)
def test_a_guess_fits_a_language_even_where_a_text_is_short(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding)) == Decoded(text, encoding, guessed=True)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("language", ["cp932", "gb18030", "cp949", "cp1251"])
def test_utf16_without_a_mark_is_guessed_in_scripts_of_many_letters(language: str, encoding: str) -> None:
    text = WRITTEN[language] * 2
    assert decode(text.encode(encoding)) == Decoded(text, encoding, guessed=True)
    with pytest.raises(RefusedError, match=BINARY):
        decode(f"\1{WRITTEN['cp932']}".encode(encoding))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_byte_order_mark_tells_the_encoding(encoding: str) -> None:
    marked = ("\ufeff" + GERMAN).encode(encoding)
    assert decode(marked) == decode(marked, "koi8-r") == Decoded(GERMAN, encoding)


@pytest.mark.parametrize(
    ("label", "letter", "encoding"),
    [
        ("ISO-8859-1", b"\x96", "–"),  # browsers: windows-1252
        ("shift_jis", b"\x87\x40", "①"),  # windows-31j
        ("x-sjis", b"\x93\xfa", "日"),
        ("gb2312", b"\xe9\x46", "镕"),  # not in GB 2312, but in GBK
        ("ks_c_5601-1987", b"\x8c\x63", "똠"),  # windows-949
        ("KOI8-R", b"\xeb", "К"),
        ("iso-2022-jp", b"\x1b(I1\x1b(B", "ｱ"),
        ("utf-7", b"+BBo-", "К"),  # of mail alone
    ],
)
def test_a_declared_encoding_is_read_as_browsers_and_mail_programs_do(label: str, letter: bytes, encoding: str) -> None:
    assert decode(b"a " + letter, label).text == "a " + encoding
    assert not decode(b"a " + letter, label).guessed


@pytest.mark.parametrize("label", ["", "unknown-8bit", "x-none", "base64", "punycode", "unicode_escape", "a\0b", "é"])
def test_a_label_of_no_encoding_declares_nothing(label: str) -> None:
    assert codec(label) == ""
    assert decode(GERMAN.encode(), label) == Decoded(GERMAN, "utf-8")


@pytest.mark.parametrize("label", ["us-ascii", "ANSI_X3.4-1968", "iso-8859-1", "x-cp1252"])
def test_utf8_that_declares_something_else_is_utf8(label: str) -> None:
    assert decode("Köln, größer".encode(), label).text == "Köln, größer"


@pytest.mark.parametrize("label", ["us-ascii", "utf-8"])
def test_a_declaration_that_is_not_true_is_not_believed(label: str) -> None:
    assert decode(GERMAN.encode("cp1252"), label) == Decoded(GERMAN, "cp1252", guessed=True)


@pytest.mark.parametrize(
    ("first", "encoding"),
    [
        ('<?xml version="1.0" encoding="koi8-r"?>\n', "koi8-r"),
        ("\n<?xml version='1.0' encoding='iso-8859-5' ?>", "iso8859-5"),
        ("#!/bin/sh\n# -*- coding: cp1251 -*-\n", "cp1251"),
        ("% vim: set fileencoding=cp866 :\n", "cp866"),
    ],
)
def test_a_first_line_declares_the_encoding(first: str, encoding: str) -> None:
    assert decode((first + "Отчёт").encode(encoding)) == Decoded(first + "Отчёт", encoding)


def test_few_letters_are_of_the_usual_encoding() -> None:
    for text in ("20 °C", "a café", "“so” it is", "© 2004 Smith & Co.", "price £5"):
        assert decode(text.encode("cp1252")) == Decoded(text, "cp1252", guessed=True)


def test_a_letter_cut_in_half_does_not_make_a_text_of_another_encoding() -> None:
    assert decode((GERMAN * 9).encode() + b"K\xc3") == Decoded(GERMAN * 9 + "K\ufffd", "utf-8", guessed=True)


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0",
        b"\x7fELF\2\1\1" + bytes(9) + b"\2\0>\0\1\0\0\0",
        codecs.BOM_UTF16_LE + bytes(100),
        bytes(range(1, 256)) * 4,
        b"one NUL\0 in a text",
    ],
)
def test_what_is_no_text_is_refused(content: bytes) -> None:
    with pytest.raises(RefusedError, match=BINARY):
        decode(content)


@given(st.binary(max_size=300), st.sampled_from(["", "utf-8", "utf-16", "big5", "utf-7", "iso-2022-jp", "hz", "x"]))
def test_no_bytes_raise_anything_else(content: bytes, label: str) -> None:
    try:
        decoded = decode(content, label)
    except RefusedError:
        return
    assert "\0" not in decoded.text or not decoded.guessed
