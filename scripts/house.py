"""Write the papers of a house, some forty small documents: PDFs, notes, letters, mails, a table, a calendar, a page."""

import os
import sys
import zipfile
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

MANUALS = {
    "boiler-manual": [
        ["Boiler HT 24", "Keep this manual beside the boiler.", "Only a gas fitter may open the case."],
        ["Daily use", "Set the room temperature with the left knob.", "The right knob is for hot water."],
        ["Low pressure", "The gauge should stand between 1 and 2 bar.",
         "Below 1 bar, open the filling tap slowly until the needle rises.", "Then close the tap."],
        ["Error codes", "E1: no flame. Wait a minute and press reset.", "E4: the flue is blocked. Call the fitter."],
    ],
    "roof-survey": [
        ["Survey of the roof", "He climbed up on a dry day in March.", "Slates, flashing and gutters were seen."],
        ["Slates", "Nineteen slates on the north side are cracked.", "Moss holds water and lifts the lower rows."],
        ["Chimney", "The lead flashing has come loose.", "Rain runs down the bricks into the attic."],
    ],
    "insurance-policy": [
        ["Home insurance", "This policy covers fire, burst pipes and theft.", "The excess is 200 for each claim."],
        ["Storm and hail", "Damage by hail is covered if the roof was sound.", "Send pictures within two weeks."],
        ["What is not covered", "Slow leaks, mould and pests are excluded.", "Water from the ground is excluded, too."],
    ],
}  # fmt: skip
NOTES = {
    "boiler": (
        "2024-10-02",
        "The fitter cleaned the burner and renewed the seals.\n\n## Next time\n\nAsk him to bleed "
        "the radiators on the top floor: they stay cold above the middle.",
    ),
    "radiators": ("2024-11-17", "Banging pipes in the morning.\n\nThe brass key for the vents hangs in the cellar."),
    "roof": (
        "2025-04-08",
        "Two roofers looked at it.\n\n## Offers\n\nThe first wants to patch the north side.\n"
        "The second would lay new battens and felt under all of it.",
    ),
    "gutters": ("2023-11-25", "Leaves block the downpipe behind the garage every November."),
    "windows": ("2022-06-12", "The putty is dry.\n\nLinseed oil putty needs a week before it takes paint."),
    "cellar": (
        "2024-02-03",
        "White crust on the wall: salt from the damp brick.\n\nA French drain might lead it away.",
    ),
    "attic": ("2023-01-20", "Mineral wool between the joists, ten inches thick.\n\nMice have been at the corner."),
    "fuse-box": ("2021-09-09", "The oven has its own breaker.\n\nThe second from the left is for the bathroom."),
    "garden": (
        "2025-05-30",
        "Prune the apple tree in late winter.\n\nSlugs eat the lettuce; copper tape keeps them off.",
    ),
    "paint": ("2022-07-01", "The hall is in chalk white, the kitchen in a green whose tin is under the stairs."),
    "doors": ("2020-03-15", "The back door sticks in wet weather.\n\nPlane the lower edge by a hair in summer."),
    "heat-pump": ("2025-09-14", "The neighbours replaced their furnace.\n\nIt hums outside but the bill is a third."),
}
LETTERS = {
    "2025-hail": (
        "2025-07-03",
        [
            "To the insurance company",
            "On the second of July stones as large as walnuts fell.",
            "Seven skylights broke. I enclose pictures and the estimate of the glazier.",
        ],
    ),
    "2024-chimney-sweep": (
        "2024-08-21",
        [
            "Notice of inspection",
            "The sweep will come on the fifth of September.",
            "Please keep the stove cold on the evening before.",
        ],
    ),
    "2023-deed": (
        "2023-05-11",
        ["About the boundary", "The hedge stands on our land by the plan of 1961.", "We agree that both sides cut it."],
    ),
}
MAILS = {
    "plumber": ("2024-10-01", "Your appointment", "I will be there on Wednesday at eight. Please clear the cupboard."),
    "solar": (
        "2025-06-19",
        "Panels for the south side",
        "Twelve modules fit beside the dormer. They pay back in nine years.",
    ),
    "neighbour": ("2025-02-10", "The noise at night", "Could it be your pump? It rattles when the frost is hard."),
    "bank": ("2023-12-05", "Your mortgage", "The fixed rate ends in spring. We would like to offer another term."),
}
BILLS = [
    ("gas-2024", "Gas for the year 2024, 14,200 kilowatt hours", 1_460), ("water-2024", "Water and sewage", 388),
    ("sweep-2024", "Chimney sweep, inspection of the flue", 64), ("glazier-2025", "Seven panes for skylights", 1_935),
    ("paint-2022", "Two tins of eggshell and brushes", 121), ("roof-2019", "Replacing ridge tiles after a storm", 780),
]  # fmt: skip
EVENTS = [("20260504", "Boiler service"), ("20260912", "Renew the house insurance"), ("20261107", "Clear the gutters")]
PAGE = """<html><head><title>How to stop a dripping tap</title></head><body><nav>Home Shop Login</nav>
<h1>How to stop a dripping tap</h1><p>Turn the water off under the sink.</p>
<h2>Change the washer</h2><p>Unscrew the cap, lift the stem and put in a new rubber ring.</p></body></html>"""


def pdf(pages: list[list[str]]) -> bytes:
    """A PDF of text alone: on each page a heading, and lines below it (ISO 32000-1)."""
    objects, kids = (
        ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"],
        [],
    )
    for heading, *lines in pages:
        shown = f"/F1 20 Tf 50 780 Td ({heading}) Tj /F1 12 Tf " + " ".join(f"0 -30 Td ({line}) Tj" for line in lines)
        kids.append(f"{len(objects) + 1} 0 R")
        objects.append(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {len(objects) + 2} 0 R "
                       "/Resources << /Font << /F1 3 0 R >> >> >>")  # fmt: skip
        objects.append(f"<< /Length {len(shown) + 6} >>\nstream\nBT {shown} ET\nendstream")
    objects[1] = f"<< /Type /Pages /Count {len(pages)} /Kids [{' '.join(kids)}] >>"
    content, starts = "%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        starts.append(len(content))
        content += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{start:010} 00000 n \n" for start in starts)
    trailer = f"trailer\n<< /Size {len(starts) + 1} /Root 1 0 R >>\nstartxref\n{len(content)}\n%%EOF\n"
    return f"{content}xref\n0 {len(starts) + 1}\n0000000000 65535 f \n{table}{trailer}".encode("ascii")


def docx(path: Path, paragraphs: list[str]) -> None:
    """A letter whose first paragraph is its title (ECMA-376)."""
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    styles = ['<w:pPr><w:pStyle w:val="Title"/></w:pPr>', *[""] * (len(paragraphs) - 1)]
    body = "".join(
        f"<w:p>{style}<w:r><w:t>{text}</w:t></w:r></w:p>" for style, text in zip(styles, paragraphs, strict=True)
    )
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        f'<Default Extension="xml" ContentType="{kind}"/></Types>'
    )
    parts = {"[Content_Types].xml": types,
             "word/document.xml": f'<w:document xmlns:w="{word}"><w:body>{body}</w:body></w:document>'}  # fmt: skip
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (2025, 1, 1, 0, 0, 0)), content)


def write(folder: Path) -> None:
    """Write all papers; each is dated, as if it had been changed last on that day."""
    for name in ("manuals", "notes", "letters", "mail"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    dated: dict[Path, str] = {}

    def put(path: str, day: str, content: str | bytes) -> None:
        (folder / path).write_bytes(content if isinstance(content, bytes) else content.encode())
        dated[folder / path] = day

    for name, pages in MANUALS.items():
        put(f"manuals/{name}.pdf", "2024-01-02", pdf(pages))
    for name, (day, text) in NOTES.items():
        title = name.replace("-", " ").capitalize()
        put(f"notes/{name}.md", day, f"---\ntags: [house]\n---\n# {title}\n\n{text}\n")
    for name, (day, paragraphs) in LETTERS.items():
        docx(folder / "letters" / f"{name}.docx", paragraphs)
        dated[folder / "letters" / f"{name}.docx"] = day
    for name, (day, subject, text) in MAILS.items():
        mail = EmailMessage()
        mail["From"], mail["Subject"], mail["Message-ID"] = f"{name}@example.org", subject, f"<{name}@example.org>"
        mail["Date"] = datetime.fromisoformat(f"{day}T09:00:00+00:00")
        mail.set_content(text)
        put(f"mail/{name}.eml", day, bytes(mail))
    rows = "".join(f'{id},"{text}",{price}\n' for id, text, price in BILLS)
    put("bills.csv", "2025-08-01", f"id,text,price\n{rows}")
    events = "".join(f"BEGIN:VEVENT\nUID:{day}\nDTSTART:{day}\nSUMMARY:{what}\nEND:VEVENT\n" for day, what in EVENTS)
    put("dates.ics", "2026-01-05", f"BEGIN:VCALENDAR\n{events}END:VCALENDAR\n")
    put("dripping-tap.html", "2022-02-02", PAGE)
    for path, day in dated.items():
        seconds = datetime.fromisoformat(f"{day}T12:00:00").timestamp()
        os.utime(path, (seconds, seconds))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
