// The page as an application: what is asked is answered by the server that gave it, from the whole index.

const MODES = {
  hybrid: "words and meaning", code: "meaning", bits: "meaning, in bits", bm25: "words (BM25)", tfidf: "words (tf-idf)",
  lsa: "LSA",
};
const ASKED = 50, EXPLAINED = 20; // documents that are asked for
const PAUSE = 2000; // milliseconds without a key, after which what is typed is a new query for the back button
const NOTHING = { q: "", mode: "hybrid", where: "", must: "", like: [], unlike: [], expand: false, explain: false };

/** What the server answers; an error says in one line why there is no answer. */
async function fetched(path, parameters = {}, signal = undefined) {
  const said = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one) said.append(name, one);
  }
  let answer, body;
  try {
    answer = await fetch(said.size ? `${path}?${said}` : path, { signal, credentials: "same-origin" });
    body = await answer.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(answer ? "the server gave no sensible answer" : "the server does not answer; is it running?");
  }
  if (!answer.ok) throw new Error(body.error ?? `the server answered ${answer.status}`);
  return body;
}

/** Search in the index, and the map in the light of what is found. */
class IndexSearch extends Search {
  constructor(atlas) {
    super(atlas);
    this.asked = { ...NOTHING };
    this.found = [];
    this.names = new Map(); // titles of documents by their ids, for what is asked by ids
    this.place = null; // of the query, on the map
    this.form = new AskForm(this);
    this.results = new Results(this);
    this.input.maxLength = 10000;
    this.input.placeholder = "Search by meaning";
    this.input.setAttribute("aria-label", "Search by meaning");
    this.typed = -Infinity;
    this.input.oninput = () => {
      clearTimeout(this.waiting);
      const begun = performance.now() - this.typed > PAUSE;
      this.typed = performance.now();
      this.begun ||= begun;
      this.waiting = setTimeout(() => {
        this.ask({ q: this.input.value.trim() }, this.begun);
        this.begun = false;
      }, 250);
    };
    byId("search").onsubmit = (event) => {
      event.preventDefault();
      clearTimeout(this.waiting);
      if (this.asked.q === this.input.value.trim() && this.hits?.length) this.step(1);
      else this.ask({ q: this.input.value.trim() });
    };
    atlas.overlays.push((context, camera, look) => this.#mark(context, camera, look));
    addEventListener("popstate", () => this.begin(new URLSearchParams(location.hash.slice(1))));
  }

  get query() { return this.asked.q; }
  set query(text) { if (this.asked) this.asked.q = text; }

  /** Ask what an address says. */
  async begin(start) {
    const asked = { ...NOTHING };
    for (const [name, none] of Object.entries(NOTHING)) {
      if (Array.isArray(none)) asked[name] = start.getAll(name);
      else if (typeof none === "boolean") asked[name] = start.has(name);
      else asked[name] = start.get(name) ?? none;
    }
    if (!(asked.mode in MODES)) asked.mode = NOTHING.mode;
    await this.ask(asked, false);
  }

  say(said) {
    for (const [name, value] of Object.entries(this.asked)) {
      if (Array.isArray(value)) value.forEach((one) => said.append(name, one));
      else if (value !== NOTHING[name]) said.set(name, value === true ? "" : value);
    }
  }

  /** Ask for something else in some respect; with a step, what was asked before is one step back. */
  async ask(changed, step = true) {
    const before = JSON.stringify(this.asked);
    this.asked = { ...this.asked, ...changed };
    if (step && JSON.stringify(this.asked) !== before) history.pushState(null, "", location.href);
    if (this.input.value.trim() !== this.asked.q) this.input.value = this.asked.q;
    this.form.show();
    this.atlas.remember();
    this.turn++;
    this.at = -1;
    this.asking?.abort();
    const { q, like, unlike } = this.asked;
    if (!q && !like.length) {
      if (unlike.length) this.asked.unlike = [];
      return this.#nothing();
    }
    return this.#answer(this.turn);
  }

  async #answer(turn) {
    this.asking = new AbortController();
    const busy = setTimeout(() => byId("search").classList.add("busy"), 120);
    try {
      const [found] = await Promise.all([this.#hits(), this.#placed(), this.corpus.named]);
      if (turn !== this.turn) return;
      this.form.mistake("");
      this.#show(found);
    } catch (error) {
      if (turn !== this.turn || error.name === "AbortError") return;
      this.hits = null;
      this.found = [];
      byId("found").textContent = "";
      this.atlas.highlight(null);
      if (this.form.mistake(error.message)) this.atlas.panel.leave("hits");
      else this.results.fail(error.message);
    } finally {
      clearTimeout(busy);
      if (turn === this.turn) byId("search").classList.remove("busy");
    }
  }

  #hits() {
    const { q, mode, where, must, like, unlike, expand, explain } = this.asked;
    const asked = { k: explain ? EXPLAINED : ASKED, mode, where, must, unlike, explain };
    const { signal } = this.asking;
    if (q) return fetched("/api/search", { q, ...asked, like, expand }, signal);
    const [first, ...others] = like;
    return fetched(`/api/similar/${encodeURIComponent(first)}`, { ...asked, like: others }, signal);
  }

  /** Where the query is on the map; a map of another commit than the page has is new. */
  async #placed() {
    this.place = null;
    if (!this.asked.q) return;
    const { x, y, commit } = await fetched("/api/place", { q: this.asked.q }, this.asking.signal).catch((error) => {
      if (error.name === "AbortError") throw error;
      return {}; // hits are worth showing without it
    });
    const { square: [left, top, side], commit: own } = this.corpus.about;
    if (commit && commit !== own) showNews();
    else if (Number.isFinite(x)) this.place = { x: (x - left) / side, y: (top - y) / side };
  }

  #show(found) {
    this.found = found.hits.map((hit) => ({ ...hit, place: this.corpus.placeOf(hit.id) }));
    this.hits = this.found.map((hit) => hit.id);
    for (const { id, title } of this.found) this.names.set(id, title || id);
    byId("found").textContent = number.format(this.hits.length);
    announce(`${amount(this.hits.length, "document")} found`);
    this.atlas.highlight(this.found.map((hit) => hit.place).filter((place) => place !== undefined));
    this.results.show(found);
    this.#look();
  }

  /** Bring into sight what was found, without coming closer. */
  #look() {
    const { corpus, place, found, atlas: { camera } } = this;
    const first = found.filter((hit) => hit.place !== undefined).slice(0, 10);
    const seen = first.map((hit) => [corpus.x(hit.place), corpus.y(hit.place)]).concat(place ? [[place.x, place.y]] : []);
    if (!seen.length) return;
    const [xs, ys] = [0, 1].map((side) => seen.map((one) => one[side]).sort((one, other) => one - other));
    const middle = (ordered, share) => ordered[Math.round(share * (ordered.length - 1))];
    const box = [middle(xs, 0.1), middle(ys, 0.1), middle(xs, 0.9), middle(ys, 0.9)];
    const { left, right, top, bottom } = camera.insets;
    const inside = camera.screenX(box[0]) > left && camera.screenX(box[2]) < camera.width - right
      && camera.screenY(box[1]) > top && camera.screenY(box[3]) < camera.height - bottom;
    if (inside) return;
    camera.flyTo(camera.fitted(box, camera.scale));
    this.atlas.invalidate();
  }

  #nothing() {
    this.hits = this.place = null;
    this.found = [];
    byId("found").textContent = "";
    byId("search").classList.remove("busy");
    this.form.mistake("");
    this.atlas.highlight(null);
    this.atlas.panel.leave("hits");
  }

  clear() { this.ask({ q: "", like: [], unlike: [] }); }

  step(by) {
    if (!this.found.length) return;
    this.at = Math.max(0, Math.min(this.found.length - 1, this.at + by));
    this.results.go(this.at);
  }

  /** More, or less, of what a document says. */
  steer(id, title, way) {
    this.names.set(id, title || id);
    const other = way === "like" ? "unlike" : "like";
    const without = this.asked[other].filter((one) => one !== id);
    this.ask({ [way]: [...new Set([...this.asked[way], id])], [other]: without });
  }

  /** The query's own point: a ring with a cross. */
  #mark(context, camera, look) {
    if (!this.place) return;
    const x = camera.screenX(this.place.x), y = camera.screenY(this.place.y);
    for (const [width, colour] of [[5, look.halo], [2, look.accent]]) {
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.beginPath();
      context.arc(x, y, 8, 0, 2 * Math.PI);
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        context.moveTo(x + 4 * dx, y + 4 * dy);
        context.lineTo(x + 14 * dx, y + 14 * dy);
      }
      context.stroke();
    }
  }
}

/** How it is asked: the system, and what hits must be, below the search box. */
class AskForm {
  constructor(search) {
    this.search = search;
    this.mode = element("select", { id: "mode", onchange: () => search.ask({ mode: this.mode.value }) },
      ...Object.entries(MODES).map(([value, name]) => element("option", { value, textContent: name })));
    this.conditions = {
      where: this.#condition("where", "Fields", this.#example()),
      must: this.#condition("must", "Text", "\"exact phrase\" AND NOT word"),
    };
    this.expand = this.#choice("expand", "Also likely words", "Keywords also look for words that the decoder expects");
    this.explain = this.#choice("explain", "Explain", "Why each hit has its score");
    this.holder = element("div", { id: "asking", hidden: true, role: "group", "aria-label": "How to search" },
      element("label", {}, element("span", { textContent: "Rank by" }), this.mode),
      ...Object.values(this.conditions).map(({ row }) => row),
      element("div", { className: "choices" }, this.expand.row, this.explain.row));
    this.button = element("button", { type: "button", id: "show-asking", title: "How to search", "aria-expanded": "false",
      "aria-controls": "asking", onclick: () => this.open(this.holder.hidden) }, sliders(),
    element("span", { className: "unseen", textContent: "How to search" }));
    byId("search").append(this.button, this.holder);
    this.holder.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.open(false);
      this.button.focus();
    });
    document.addEventListener("pointerdown", (event) => {
      if (!byId("search").contains(event.target)) this.open(false);
    });
  }

  /** A condition on a field that this corpus has. */
  #example() {
    const { colourings } = this.search.corpus.about;
    const [first] = colourings.filter((one) => one.kind === "categories" && one.entries?.length);
    const value = first?.entries[0][0] ?? first?.entries[0].label ?? "value";
    return first && typeof value === "string" && /^\w+$/.test(value) ? `${first.field}:${value}` : "field:value";
  }

  #condition(name, label, placeholder) {
    const mistake = element("p", { className: "mistake", id: `${name}-mistake`, role: "alert" });
    const input = element("input", { type: "text", id: name, placeholder, maxLength: 10000, autocomplete: "off",
      spellcheck: false, "aria-describedby": mistake.id,
      onchange: () => this.search.ask({ [name]: input.value.trim() }),
      onkeydown: (event) => {
        if (event.key !== "Enter") return;
        event.preventDefault();
        this.search.ask({ [name]: input.value.trim() });
      } });
    return { input, mistake, row: element("label", {}, element("span", { textContent: label }), input, mistake) };
  }

  #choice(name, label, title) {
    const input = element("input", { type: "checkbox", id: name,
      onchange: () => this.search.ask({ [name]: input.checked }) });
    return { input, row: element("label", { title }, input, element("span", { textContent: label })) };
  }

  open(opened) {
    this.holder.hidden = !opened;
    this.button.setAttribute("aria-expanded", opened);
  }

  show() {
    const { asked } = this.search;
    this.mode.value = asked.mode;
    for (const [name, { input }] of Object.entries(this.conditions)) {
      if (document.activeElement !== input || input.value.trim() !== asked[name]) input.value = asked[name];
    }
    this.expand.input.checked = asked.expand;
    this.explain.input.checked = asked.explain;
    const some = ["mode", "where", "must", "expand", "explain"].some((name) => asked[name] !== NOTHING[name]);
    this.button.classList.toggle("some", some);
  }

  /** Say beside a condition what is wrong with it; whether it is one of theirs. */
  mistake(said) {
    let told = false;
    for (const [name, { input, mistake }] of Object.entries(this.conditions)) {
      const own = new RegExp(`\\bof ${name}: `).test(said);
      mistake.textContent = own ? said : "";
      input.setAttribute("aria-invalid", own);
      told ||= own;
    }
    if (told) this.open(true);
    return told;
  }
}

/** What was found, in the panel. */
class Results {
  constructor(search) {
    this.search = search;
    this.atlas = search.atlas;
    this.atlas.panel.extras.push((at) => this.#steering(search.corpus.id(at), search.corpus.title(at)));
    this.panel.record = (at) => this.#record(search.corpus.id(at));
    this.panel.told = (record) => [...Panel.prototype.told.call(this.panel, record), ...codeWords(record)];
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
    const { search, atlas } = this;
    const title = foreign(shortened(hit.title || hit.id, 160), "span", "title");
    const head = element("button", { className: "head", type: "button", onclick: () => this.open(at),
      onfocus: () => atlas.hover(hit.place ?? null), onblur: () => atlas.hover(null) },
    element("span", { className: "rank", textContent: hit.rank }), title,
    element("span", { className: "score", title: "Score", textContent: hit.score.toFixed(3) }));
    head.dataset.hit = at;
    if (hit.place === undefined) head.classList.add("away");
    const parts = [head];
    if (hit.snippet) parts.push(element("p", { className: "snippet", dir: "auto" }, ...withMarks(hit.snippet, hit.marks)));
    if (hit.explanation) parts.push(reasons(hit.explanation));
    parts.push(this.#steering(hit.id, hit.title));
    return element("li", { onpointerenter: () => atlas.hover(hit.place ?? null), onpointerleave: () => atlas.hover(null) },
      ...parts);
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
      const { text, fields, words } = await fetched(`/api/documents/${encodeURIComponent(id)}`);
      const said = Object.entries(fields).filter(([, value]) => value !== null && value !== "")
        .map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
      return { text, fields: Object.fromEntries(said), characters: text.length, words: words.map(({ word }) => word) };
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

const quiet = (text) => element("p", { className: "quiet", textContent: text });

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
function reasons({ keywords, codes, together, common }) {
  const rows = new Map();
  for (const [kind, shares] of [["keywords", keywords], ["codes", codes]]) {
    for (const { word, share } of shares) rows.set(word, { ...rows.get(word), [kind]: share });
  }
  const total = ({ keywords: one = 0, codes: other = 0 }) => one + other;
  const size = ({ keywords: one = 0, codes: other = 0 }) => Math.abs(one) + Math.abs(other);
  const ordered = [...rows].sort((one, other) => total(other[1]) - total(one[1]));
  if (Math.abs(together) >= 0.0005) ordered.push(["(together)", { codes: together }]);
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

const GIVES = { keywords: "in the text", codes: "in meaning" };

/** The map that the server has is newer than this one. */
function showNews() {
  if (byId("news")) return;
  document.querySelector("main").append(element("p", { id: "news", role: "status" }, "The index has changed. ",
    element("button", { type: "button", className: "link", textContent: "Show the new map", onclick: () => location.reload() })));
}

function sliders() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M3 6h7M15 6h2M3 14h2M10 14h7M12.500 3.800v4.400M7.500 11.800v4.400");
  svg.append(path);
  return svg;
}

Atlas.search = (atlas) => new IndexSearch(atlas);
