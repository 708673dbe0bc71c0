// The panel beside the map: a document, hits, what was drawn around, or what an empty place would say.

const LISTED = 100; // documents of a list, and by so many more

class Panel {
  constructor(atlas) {
    this.atlas = atlas;
    this.corpus = atlas.corpus;
    this.kind = null;
    this.back = null; // the list that a document was opened from: { label, show }
    this.extras = []; // functions of a document's place, each giving an element for its panel or null
    byId("close").onclick = () => this.close();
  }

  /** What is shown of a document's text and fields. */
  record(at) { return this.corpus.record(at); }

  show(kind, ...content) {
    this.kind = kind;
    byId("content").replaceChildren(...content.filter(Boolean));
    byId("panel").hidden = false;
    byId("panel").scrollTop = 0;
    this.atlas.covered();
  }

  close() {
    const { kind } = this;
    if (!kind) return;
    this.kind = this.back = null;
    byId("panel").hidden = true;
    this.atlas.covered();
    this.atlas.select(null);
    if (kind === "selection") this.atlas.highlight(null);
    if (this.atlas.search.hits) this.atlas.search.clear();
  }

  /** Close what shows something that is not any more. */
  leave(kind) {
    if (this.back?.kind === kind) this.back = null;
    if (this.kind === kind) this.close();
  }

  // Parts that several panels have.

  #topic(at) {
    const { atlas, corpus } = this;
    const topic = corpus.topic(at);
    return element("button", { className: "of", type: "button", title: "Fly to the topic",
      onclick: () => topic.box && atlas.flyToBox(topic.box) },
    swatch(atlas.topicColour(corpus.topicOf[at])), foreign(topic.name));
  }

  /** A list of documents that opens them; `fly` also goes there. */
  list(documents, { fly = true } = {}) {
    const list = element("ol");
    const more = element("button", { type: "button", className: "link" });
    let shown = 0;
    const add = () => {
      documents.slice(shown, shown + LISTED).forEach((at) => list.append(this.#entry(at, fly)));
      shown = Math.min(shown + LISTED, documents.length);
      more.textContent = `${number.format(documents.length - shown)} more`;
      more.hidden = shown === documents.length;
    };
    more.onclick = add;
    add();
    return element("div", {}, list, more);
  }

  #entry(at, fly) {
    const row = element("button", { className: "row tall", type: "button", onclick: () => {
      if (fly) this.atlas.flyTo(at);
      this.atlas.select(at);
      this.showDocument(at);
    }, onpointerenter: () => this.atlas.hover(at), onpointerleave: () => this.atlas.hover(null) },
    swatch(this.atlas.colourOf(at)), foreign(shortened(this.corpus.title(at), 160), "span", "text"));
    row.dataset.document = at;
    if (this.corpus.about.pictures) this.record(at).then(({ picture }) => row.prepend(thumbnail(picture)));
    return element("li", {}, row);
  }

  // A document.

  async showDocument(at) {
    const { corpus, back } = this;
    await corpus.named;
    const title = foreign(corpus.title(at), "h2");
    const id = corpus.title(at) === corpus.id(at) ? null : foreign(corpus.id(at), "p", "id");
    const rest = element("div", {}, element("p", { className: "quiet", textContent: "Opening the text…" }));
    const link = back && element("button", { className: "link", type: "button", textContent: `‹ ${back.label}`,
      onclick: () => back.show() });
    this.show("document", link, title, id, this.#topic(at), ...this.extras.map((extra) => extra(at)), rest,
      ...this.#neighbours(at));
    const record = await this.record(at);
    rest.replaceChildren(...this.told(record));
    showFirstMark(rest.querySelector(".body"));
  }

  told({ text, fields, characters, picture }) {
    const hasTexts = text || this.corpus.hasTexts;
    const parts = picture ? [thumbnail(picture)] : [];
    if (this.corpus.about.pictures === 0) {
      parts.push(element("p", { className: "quiet", textContent: "This page had no room for pictures." }));
    }
    if (hasTexts && text) {
      const body = foreign("", "div", "body");
      body.append(...this.atlas.search.marked(text));
      parts.push(body);
    }
    if (!hasTexts) parts.push(element("p", { className: "quiet", textContent: "This page had no room for texts." }));
    else if (text.length < characters) {
      const shown = `The first ${number.format(text.length)} of ${number.format(characters)} characters.`;
      parts.push(element("p", { className: "quiet", textContent: shown }));
    }
    const names = Object.entries(fields);
    if (names.length) {
      parts.push(element("h3", { textContent: "Fields" }), element("dl", {},
        ...names.flatMap(([name, value]) => [foreign(name, "dt"), foreign(value, "dd")])));
    }
    return parts;
  }

  #neighbours(at) {
    const { corpus, atlas } = this;
    const near = atlas.neighbours(at, 8);
    if (!near.length) return [];
    return [element("h3", { textContent: "Nearest on the map" }), this.list(near, { fly: false })];
  }

  // What was drawn around.

  async showSelection(documents) {
    const { corpus, atlas } = this;
    await corpus.named;
    const said = amount(documents.length, "document");
    this.back = { kind: "selection", label: said, show: () => this.showSelection(documents) };
    const telling = element("div");
    this.show("selection", element("h2", { textContent: said }), this.#actions(documents), telling,
      ...this.#topicsOf(documents), element("h3", { textContent: "Documents" }), this.list(documents));
    announce(`${said} within the line`);
    const words = await tellingWords(corpus, documents);
    if (words.length) telling.append(element("h3", { textContent: "Most telling words" }), wordList(words));
    atlas.invalidate();
  }

  #actions(documents) {
    const { corpus } = this;
    const ids = () => documents.map((at) => corpus.ids[at]).join("\n");
    const copy = element("button", { type: "button", textContent: "Copy ids", onclick: async () => {
      copy.textContent = (await copied(ids())) ? "Copied" : "Could not copy";
    } });
    return element("div", { className: "do" }, copy, element("button", { type: "button", textContent: "Save as CSV",
      onclick: () => saved(csv(corpus, documents), "documents.csv") }));
  }

  #topicsOf(documents) {
    const { corpus, atlas } = this;
    const counts = new Map();
    documents.forEach((at) => counts.set(corpus.topicOf[at], (counts.get(corpus.topicOf[at]) ?? 0) + 1));
    const most = [...counts].sort((one, other) => other[1] - one[1] || one[0] - other[0]).slice(0, 8);
    if (!most.length) return [];
    return [element("h3", { textContent: counts.size > 8 ? `Topics, 8 of ${counts.size}` : "Topics" }), element("ol", {},
      ...most.map(([topic, count]) => {
        const bar = element("span", { className: "bar", colour: atlas.topicColour(topic), "aria-hidden": "true" });
        bar.style.width = `calc(${((100 * count) / most[0][1]).toFixed(1)}% - 30px)`;
        return element("li", {}, element("div", { className: "row" }, swatch(atlas.topicColour(topic)),
          foreign(corpus.topics[topic].name, "span", "text"),
          element("span", { className: "count", textContent: number.format(count) })), bar);
      }))];
  }

  // An empty place.

  async showPlace(x, y) {
    const { corpus, atlas } = this;
    await corpus.named;
    const { box: [left, top, right, bottom], words } = corpus.about.ground;
    const side = Math.round(Math.sqrt(words.length));
    const column = Math.floor(((x - left) / (right - left)) * side);
    const row = Math.floor(((y - top) / (bottom - top)) * side);
    const inside = column >= 0 && row >= 0 && column < side && row < side;
    const said = inside ? words[row * side + column] : [];
    const near = atlas.near.nearest(x, y, 8, (at) => atlas.shows(at)).map(([at]) => at);
    this.back = { kind: "place", label: "the empty place", show: () => this.showPlace(x, y) };
    const aboutIt = said.length ? "A document here would say" : "Of this place nothing is known.";
    const speaks = words.some((cell) => cell.length); // the ground of pictures has no words
    this.show("place", element("h2", { textContent: "An empty place" }),
      speaks ? element("p", { className: "quiet", textContent: aboutIt }) : null,
      said.length ? wordList(said) : null,
      near.length ? element("h3", { textContent: "Nearest documents" }) : null, near.length ? this.list(near) : null);
  }
}

/** Scroll a text to the first word that was looked for, with some lines before it. */
function showFirstMark(body) {
  const mark = body?.querySelector("mark");
  if (mark) body.scrollTop = mark.getBoundingClientRect().top - body.getBoundingClientRect().top - 60;
}

const wordList = (words) => element("ul", { className: "words" }, ...words.map((word) => foreign(word, "li")));

/** Whether a text came to the clipboard, also where the page came from a disk and has no clipboard of its own. */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = element("textarea", { value: text, className: "unseen" });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

function saved(text, name) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** Documents as RFC 4180 has a table; what a spreadsheet would take for a formula begins with an apostrophe. */
function csv(corpus, documents) {
  const cell = (value) => {
    const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const rows = documents.map((at) => {
    const { id, name } = corpus.topic(at);
    return [corpus.ids[at], corpus.titles[at], id, name].map(cell).join(",");
  });
  return `\uFEFF${["id,title,topic,topic_name", ...rows].join("\r\n")}\r\n`;
}
