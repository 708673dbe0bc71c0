"""Small files of the kinds that are no text: zip archives, office documents, PDF and Outlook's mail."""

import io
import tarfile
from pathlib import Path

import house

WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
CORE = (
    '<p:coreProperties xmlns:p="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:t="http://purl.org/dc/terms/">{}</p:coreProperties>'
)
SLIDE = '<p:sld xmlns:a="a" xmlns:p="p" xmlns:r="r">{}</p:sld>'
OPEN = '<o:document xmlns:o="o" xmlns:text="t" xmlns:draw="d" xmlns:presentation="p">{}</o:document>'


def zipped(path: Path, parts: dict[str, str | bytes]) -> Path:
    """A zip archive of these files."""
    path.write_bytes(house.zipped(parts))
    return path


def tarred(path: Path, mode: str, parts: dict[str, bytes]) -> Path:
    """A tar archive; `mode` is that of `tarfile.open`."""
    with tarfile.open(path, mode) as archive:
        for name, content in parts.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(content), 1_700_000_000
            archive.addfile(member, io.BytesIO(content))
    return path


def docx(path: Path, body: str, **parts: str) -> Path:
    """A Word document; `body` is its paragraphs."""
    named = {f"{name.replace('__', '/')}.xml": content for name, content in parts.items()}
    document = f"<w:document {WORD}><w:body>{body}</w:body></w:document>"
    return zipped(path, {"word/document.xml": document, **named})


def pdf(path: Path, pages: list[list[str]], information: str = "", trailer: str = "", sizes: str = "12") -> Path:
    """A PDF of lines in Helvetica; the first line of the first page may be larger."""
    path.write_bytes(house.pdf(pages, information, trailer, sizes))
    return path


def cfb(path: Path, streams: dict[str, bytes]) -> Path:
    """An OLE compound file (MS-CFB) of version 3, whose streams have at least 4,096 bytes, so that none is small."""
    sector, end, free, fat_sector = 512, 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
    n_directory = -(-(len(streams) + 1) * 128 // sector)
    fat, data, entries = [fat_sector], b"", []
    fat += [at + 1 for at in range(1, n_directory)] + [end]
    for name, content in streams.items():
        padded = content.ljust(4_096, b" ")
        padded += b" " * (-len(padded) % sector)
        first, count = len(fat), len(padded) // sector
        fat += [first + at + 1 for at in range(count - 1)] + [end]
        data += padded
        entries.append((name, 2, first, len(padded)))
    tree = [("Root Entry", 5, end, 0), *entries]
    directory = b""
    for number, (name, kind, first, size) in enumerate(tree):
        raw = name.encode("utf-16-le") + b"\0\0"
        right = number + 1 if 0 < number < len(entries) else free
        child = 1 if number == 0 else free
        links = b"".join(value.to_bytes(4, "little") for value in (free, right, child))
        directory += raw.ljust(64, b"\0") + len(raw).to_bytes(2, "little") + bytes([kind, 1]) + links + bytes(36)
        directory += first.to_bytes(4, "little") + size.to_bytes(8, "little")
    directory = directory.ljust(n_directory * sector, b"\0")
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + b"\x3e\0\3\0\xfe\xff\x09\0\x06\0" + bytes(6)
    head += b"".join(value.to_bytes(4, "little") for value in (0, 1, 1, 0, 4_096, end, 0, end, 0))
    head += (0).to_bytes(4, "little") + free.to_bytes(4, "little") * 108
    table = b"".join(value.to_bytes(4, "little") for value in fat).ljust(sector, b"\xff")
    path.write_bytes(head + table + directory + data)
    return path
