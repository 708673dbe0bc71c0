// What the index answers, in the panel.

const WORDS = 8; // of a hit, whose share of the score is shown one by one

/** What was found, in the panel. */
class Results {
  constructor(search) {
    this.search = search;
    this.atlas = search.atlas;
    this.atlas.panel.extras.push((at) => this.#steering(search.corpus.id(at), search.corpus.title(at)));
    this.panel.record = (at) => this.#record(search.corpus.id(at));
    this.panel.told = (record) => [originalLink(record), ...Panel.prototype.told.call(this.panel, record),
      ...codeWords(record)].filter(Boolean);
  }

  get panel() { return this.atlas.panel; }

  show(found) {
    const { search } = this;
    this.last = found;
    this.rows = search.found.map((hit, at) => this.#row(hit, at));
    const label = `${number.format(search.found.length)} found`;
    this.panel.back = { kind: "hits", label, show: () => this.#list() };
    this.#list();
  }

  #list() {
    const { search, last, panel } = this;
    const here = search.found.filter((hit) => hit.place !== undefined).length;
    const away = search.found.length - here;
    panel.show("hits",
      element("h2", { textContent: search.found.length ? "Closest documents" : "Nothing was found" }),
      this.#asked(),
      ...this.#words(last),
      element("p", { className: "quiet", textContent: [
        `${number.format(search.found.length)} in ${last.milliseconds.toFixed(last.milliseconds < 10 ? 1 : 0)} ms`,
        away ? `${number.format(away)} not on this map` : "",
      ].filter(Boolean).join(" · ") }),
      element("ol", { className: "hits", onkeydown: (event) => this.#keys(event) }, ...this.rows));
  }

  /** The documents that hits are to be like, or unlike, and the conditions; each can be taken away. */
  #asked() {
    const { search } = this;
    const { asked } = search;
    const chip = (kind, text, rest) => element("li", { className: kind.replace(" ", "-") },
      element("span", { className: "kind", textContent: kind }), foreign(shortened(text, 60)),
      element("button", { type: "button", title: "Take away", onclick: () => search.ask(rest) },
        element("span", { "aria-hidden": "true", textContent: "×" }),
        element("span", { className: "unseen", textContent: `Take away: ${text}` })));
    const ids = (way, kind) => asked[way].map((id) => chip(kind, search.names.get(id) ?? id,
      { [way]: asked[way].filter((one) => one !== id) }));
    const chips = [...ids("like", "like"), ...ids("unlike", "not like"),
      asked.where ? chip("fields", asked.where, { where: "" }) : null,
      asked.must ? chip("text", asked.must, { must: "" }) : null].filter(Boolean);
    return chips.length ? element("ul", { className: "asked", "aria-label": "Asked for" }, ...chips) : null;
  }

  /** Words that have no effect, and what they may have been meant to be. */
  #words({ unknown = [], only_stop_words: onlyStopWords = false, ignored = [] }) {
    const { search } = this;
    const said = [];
    for (const { word, did_you_mean: near } of unknown.slice(0, 5)) {
      const line = element("p", { className: "quiet" }, "Not known: ", foreign(word, "b"));
      near.forEach((one, at) => line.append(at ? " or " : " · did you mean ", element("button", { type: "button",
        className: "link", onclick: () => search.ask({ q: search.asked.q.replace(word, one) }) }, foreign(one)), ""));
      if (near.length) line.append("?");
      said.push(line);
    }
    if (unknown.length > 5) said.push(quiet(`and ${number.format(unknown.length - 5)} more words that are not known`));
    if (onlyStopWords) said.push(quiet("The query holds only stop words."));
    if (ignored.length) said.push(quiet(`Stop words are no condition: ${ignored.join(", ")}`));
    return said;
  }

  #row(hit, at) {
    const { id, rank, score, place, snippet, marks, explanation, inFile, original } = hit;
    const src = this.search.corpus.served(id);
    const row = hitRow(this.search, { at, rank, score, place, title: hit.title || id,
      passage: snippet && withMarks(snippet, marks) }, () => this.open(at), explanation ? reasons(explanation) : null,
    inFile || original ? originalLink(hit) ?? quiet(inFile) : null, this.#steering(id, hit.title));
    if (src) row.prepend(thumbnail({ src, alt: hit.title || id }));
    return row;
  }

  #steering(id, title) {
    const { search } = this;
    return element("div", { className: "steer" },
      element("button", { type: "button", textContent: "More like this", onclick: () => search.steer(id, title, "like") }),
      search.asked.q || search.asked.like.length
        ? element("button", { type: "button", textContent: "Not like this", onclick: () => search.steer(id, title, "unlike") })
        : null);
  }

  /** Go to a hit on the map, and keep the list. */
  go(at) {
    const { search, panel, atlas } = this;
    if (panel.kind !== "hits") this.#list();
    search.at = at;
    const hit = search.found[at];
    this.rows.forEach((row, one) => row.setAttribute("aria-current", one === at));
    this.rows[at].scrollIntoView({ block: "nearest" });
    announce(`${at + 1} of ${search.found.length}: ${hit.title || hit.id}`);
    if (hit.place !== undefined) atlas.lookAt(hit.place);
    else atlas.select(null);
  }

  /** Read a hit, and see where it is. */
  open(at) {
    const { search, panel } = this;
    const hit = search.found[at];
    this.go(at);
    if (hit.place === undefined) this.#read(hit);
    else panel.showDocument(hit.place);
  }

  /** A document that is not on the map that is shown: it came later, or has no code. */
  async #read(hit) {
    const { panel } = this;
    const rest = element("div", {}, quiet("Opening the text…"));
    panel.show("document",
      element("button", { className: "link", type: "button", textContent: `‹ ${panel.back.label}`,
        onclick: () => this.#list() }),
      foreign(hit.title || hit.id, "h2"), foreign(hit.id, "p", "id"), quiet("It is not on this map."),
      this.#steering(hit.id, hit.title), rest);
    rest.replaceChildren(...panel.told(await this.#record(hit.id)));
  }

  /** A whole document, as a panel shows it; where the server has none, it says why. */
  async #record(id) {
    try {
      const { corpus } = this.search, src = corpus.served(id);
      const { text, fields, original, words } = await fetched(`/api/documents/${encodeURIComponent(id)}`);
      const said = Object.entries(fields).filter(([, value]) => value !== null && value !== "")
        .map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
      return { text, fields: Object.fromEntries(said), characters: text.length, original,
        words: words.map(({ word }) => word), picture: src && { src, alt: id } };
    } catch (error) {
      return { text: "", fields: {}, characters: 0, words: [], mistake: error.message };
    }
  }

  #keys(event) {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    this.search.step(event.key === "ArrowDown" ? 1 : -1);
    this.rows[this.search.at].querySelector(".head").focus({ preventScroll: true });
  }

  fail(why) {
    this.panel.back = null;
    const again = element("button", { type: "button", textContent: "Try again", onclick: () => this.search.ask({}, false) });
    this.panel.show("hits", element("h2", { textContent: "There is no answer" }), this.#asked(),
      element("p", { className: "mistake", role: "alert", textContent: `${why[0].toUpperCase()}${why.slice(1)}.` }),
      element("div", { className: "do" }, again));
  }
}

/** A link to the file of a document, which the server gives; null where it is in none. */
const originalLink = ({ original, inFile }) => (original ? element("p", { className: "quiet" },
  element("a", { className: "link", href: original, target: "_blank", rel: "noopener", dir: "auto",
    textContent: inFile ? `Original, ${inFile}` : "Original" })) : null);

/** What the code of a document says, and why there is no text where there is none. */
function codeWords({ words, mistake }) {
  const said = words.length ? [element("h3", { textContent: "What its code says" }), wordList(words)] : [];
  return mistake ? [element("p", { className: "mistake", role: "alert", textContent: `${mistake}.` }), ...said] : said;
}

/** A text in pieces, some of them marks: [start, end] in code points, as Python counts. */
function withMarks(text, marks) {
  const letters = [...text];
  const pieces = [];
  let done = 0;
  for (const [start, end] of marks) {
    pieces.push(letters.slice(done, start).join(""), element("mark", { textContent: letters.slice(start, end).join("") }));
    done = end;
  }
  return [...pieces, letters.slice(done).join("")];
}

/** Why a hit has its score: a bar for what each word gives, by being in the text and by what it means. */
function reasons({ keywords, codes, together, common, name, vectors }) {
  const rows = new Map();
  for (const [kind, shares] of [["keywords", keywords], ["codes", codes]]) {
    for (const { word, share } of shares) rows.set(word, { ...rows.get(word), [kind]: share });
  }
  const total = (shares) => Object.values(shares).reduce((whole, share) => whole + share, 0);
  const size = (shares) => Object.values(shares).reduce((whole, share) => whole + Math.abs(share), 0);
  const all = [...rows].sort((one, other) => size(other[1]) - size(one[1]));
  const ordered = all.length > WORDS + 1 ? [...all.slice(0, WORDS), otherWords(all.slice(WORDS))] : all;
  if (name >= 0.0005) ordered.unshift(["(its name)", { name }]);
  if (Math.abs(together) >= 0.0005) ordered.push(["(together)", { codes: together }]);
  if (vectors >= 0.0005) ordered.push(["(your own vectors)", { codes: vectors }]);
  const most = Math.max(...ordered.map(([, shares]) => size(shares)), 1e-9);
  const bar = (kind, share) => {
    const part = element("span", { className: `share ${kind}${share < 0 ? " less" : ""}` });
    part.style.width = `${((100 * Math.abs(share)) / most).toFixed(1)}%`;
    return part;
  };
  const signed = (share) => `${share < 0 ? "−" : "+"}${Math.abs(share).toFixed(3)}`;
  const list = element("dl", { className: "reasons" }, ...ordered.flatMap(([word, shares]) => [foreign(word, "dt"),
    element("dd", { title: Object.entries(shares).map(([kind, share]) => `${GIVES[kind]} ${signed(share)}`).join(", ") },
      element("span", { className: "track", "aria-hidden": "true" },
        ...Object.entries(shares).map(([kind, share]) => bar(kind, share))),
      element("span", { className: "amount", textContent: signed(total(shares)) }))]));
  const key = element("p", { className: "key quiet" }, ...Object.entries(GIVES).flatMap(([kind, name]) =>
    [element("i", { className: `share ${kind}` }), `${name}  `]));
  const heard = common.length ? element("p", { className: "quiet" }, "In common: ", foreign(common.join(", "))) : null;
  return element("div", { className: "why" }, list, key, heard);
}

/** What several words give, as one. */
function otherWords(rows) {
  const sum = (kind) => rows.reduce((whole, [, shares]) => whole + (shares[kind] ?? 0), 0);
  return [`(${number.format(rows.length)} other words)`, { keywords: sum("keywords"), codes: sum("codes") }];
}

const GIVES = { keywords: "in the text", codes: "in meaning", name: "in the name" };
