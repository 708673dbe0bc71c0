// What was found, in the panel beside the map.

const HITS = 50; // of a list, and by so many more
const PASSAGE = 200, BEFORE = 30; // characters of a passage, and of it before the first word
const LOOKED_AT = 32768; // characters of a text in which a passage is looked for

/** A hit in a list: its title, its score, and the passage of its text that matches best. */
function hitRow(search, { at, rank, title, score, passage, place }, open, ...more) {
  const { atlas } = search;
  const point = () => atlas.hover(place ?? null), leave = () => atlas.hover(null);
  const name = foreign("", "span", "title");
  name.append(...search.marked(shortened(title, 160)));
  const head = element("button", { className: "head", type: "button", "data-hit": at, onclick: open, onfocus: point,
    onblur: leave }, element("span", { className: "rank", textContent: rank }), name,
  element("span", { className: "score", title: "Score", textContent: score?.toFixed(3) ?? "" }));
  if (place === undefined) head.classList.add("away");
  return element("li", { onpointerenter: point, onpointerleave: leave }, head,
    passage ? element("p", { className: "snippet", dir: "auto" }, ...passage) : null, ...more);
}

/** The hits of a search in the page. */
class HitList {
  constructor(search, { parts, unknown }) {
    Object.assign(this, { search, parts, unknown, rows: [] });
    this.list = element("ol", { className: "hits" });
    this.more = element("button", { type: "button", className: "link", onclick: () => this.#add() });
  }

  async begin() {
    const { search, search: { hits, atlas: { panel } } } = this;
    const { turn } = search;
    await this.#add();
    if (turn !== search.turn) return;
    panel.back = { kind: "hits", label: `${number.format(hits.length)} found`, show: () => this.#show() };
    this.#show();
  }

  #show() {
    const { search: { hits, atlas } } = this;
    atlas.panel.show("hits", element("h2", { textContent: hits.length ? "Closest documents" : "Nothing was found" }),
      ...this.#notes(), this.list, this.more);
  }

  /** How many there are, words of no effect, and what the page does not hold. */
  #notes() {
    const { parts, unknown, search: { hits, whole, corpus: { about: { characters } } } } = this;
    const near = new Set(parts.filter(({ terms }) => terms.length).map(({ word }) => word));
    const said = unknown.slice(0, 5).map((word) => element("p", { className: "quiet" }, "Not known: ",
      foreign(word, "b"), near.has(word) ? " · words that begin like it count" : ""));
    if (!parts.length) said.push(quiet("The query holds only stop words."));
    const all = parts.length > 1 ? ` · ${number.format(whole)} with all words` : "";
    said.push(quiet(`${amount(hits.length, "document")}${all}`));
    if (characters === 0) said.push(quiet("Only titles were searched."));
    else if (characters) said.push(quiet(`The first ${number.format(characters)} characters of texts were searched.`));
    return said;
  }

  async #add() {
    const { search, rows, search: { corpus, hits } } = this;
    const next = hits.slice(rows.length, rows.length + HITS);
    const records = await Promise.all(next.map(({ at }) => corpus.record(at)));
    next.forEach(({ at, score }, turn) => {
      const rank = rows.length, { text, picture } = records[turn];
      const row = hitRow(search, { at: rank, rank: rank + 1, title: corpus.title(at), score, place: at,
        passage: text && passage(text, search) }, () => this.#open(rank));
      if (picture) row.prepend(thumbnail(picture));
      rows.push(row);
      this.list.append(row);
    });
    this.more.textContent = `${number.format(hits.length - rows.length)} more`;
    this.more.hidden = rows.length === hits.length;
  }

  #open(rank) {
    const { search, search: { atlas } } = this;
    const { at } = search.hits[rank];
    search.at = rank;
    this.mark(rank);
    atlas.flyTo(at);
    atlas.select(at);
    atlas.panel.showDocument(at);
  }

  /** Show which hit is looked at. */
  async mark(rank) {
    const { search, rows, search: { atlas, corpus } } = this;
    if (atlas.panel.kind !== "hits") this.#show();
    while (rows.length <= rank) await this.#add();
    rows.forEach((row, one) => row.setAttribute("aria-current", one === rank));
    rows[rank].scrollIntoView({ block: "nearest" });
    announce(`${rank + 1} of ${search.hits.length}: ${corpus.title(search.hits[rank].at)}`);
  }
}

const quiet = (text) => element("p", { className: "quiet", textContent: text });

/** The part of a text whose words are worth most, in pieces; the beginning where none is looked for. */
function passage(text, search) {
  const places = search.analysis.places(text.slice(0, LOOKED_AT), search.terms);
  let from = 0, most = 0;
  places.forEach(([start], first) => {
    const inside = new Set();
    for (let at = first; places[at]?.[1] < start + PASSAGE - 2 * BEFORE; at++) inside.add(places[at][2]);
    const worth = [...inside].reduce((sum, term) => sum + search.terms.get(term), 0);
    if (worth > most) [from, most] = [start, worth];
  });
  let start = Math.max(0, from - BEFORE), end = Math.min(text.length, start + PASSAGE);
  const blank = text.slice(start, from).search(/\s/);
  if (start && blank >= 0) start += blank + 1;
  if (end < text.length) end = Math.max(from + 1, start + (text.slice(start, end).search(/\s\S*$/) + 1 || end - start));
  return search.marked(text.slice(start, end));
}
