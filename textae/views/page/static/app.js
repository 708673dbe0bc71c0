// The page as an application: what is asked is answered by the server that gave it, from the whole index.

const ASKED = 50, EXPLAINED = 20; // documents that are asked for
const PAUSE = 2000; // milliseconds without a key, after which what is typed is a new query for the back button
const NOTHING = { q: "", mode: "hybrid", where: "", must: "", like: [], unlike: [], expand: false, explain: false };

/** What the server answers; an error says in one line why there is no answer. */
async function fetched(path, parameters = {}, signal = undefined, body = undefined) {
  const said = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one) said.append(name, one);
  }
  const method = body ? "POST" : "GET";
  let answer, answered;
  try {
    answer = await fetch(said.size ? `${path}?${said}` : path, { method, body, signal, credentials: "same-origin" });
    answered = await answer.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(answer ? "the server gave no sensible answer" : "the server does not answer; is it running?");
  }
  if (!answer.ok) throw new Error(answered.error ?? `the server answered ${answer.status}`);
  return answered;
}

/** Search in the index, and the map in the light of what is found. */
class IndexSearch extends Search {
  constructor(atlas) {
    super(atlas);
    this.found = [];
    this.names = new Map(); // titles of documents by their ids, for what is asked by ids
    this.place = null; // of the query, on the map
    const { pictures } = this.corpus.about;
    this.modes = pictures === null ? TEXT_MODES : PICTURE_MODES;
    if (pictures !== null) NOTHING.mode = "code";
    this.asked = { ...NOTHING };
    this.form = new AskForm(this);
    this.results = new Results(this);
    this.input.maxLength = 10000;
    const inviting = pictures === null ? "Search by meaning" : "Paste or drop a picture";
    this.input.placeholder = inviting;
    this.input.setAttribute("aria-label", inviting);
    if (pictures !== null) this.#takePictures();
    this.typed = -Infinity;
    this.input.onfocus = null; // the server has the words
    this.input.oninput = () => {
      clearTimeout(this.waiting);
      this.begun ||= performance.now() - this.typed > PAUSE;
      this.typed = performance.now();
      this.waiting = setTimeout(() => this.#typed(), 250);
    };
    byId("search").onsubmit = (event) => {
      event.preventDefault();
      clearTimeout(this.waiting);
      if (this.asked.q === this.input.value.trim() && this.hits?.length) this.step(1);
      else this.#typed();
    };
    atlas.overlays.push((context, camera, look) => this.#mark(context, camera, look));
    addEventListener("popstate", () => this.begin(new URLSearchParams(location.hash.slice(1))));
  }

  /** Ask for pictures like one that is pasted into the page, or dropped on it. */
  #takePictures() {
    const take = (event, { files }) => {
      if (!files.length) return;
      event.preventDefault();
      [this.given] = files;
      this.ask({ q: "", like: [], unlike: [] });
    };
    addEventListener("paste", (event) => take(event, event.clipboardData));
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => take(event, event.dataTransfer));
  }

  #typed() {
    this.ask({ q: this.input.value.trim() }, this.begun);
    this.begun = false;
  }

  get query() { return this.asked.q; }

  /** Ask what an address says. */
  async begin(start) {
    const asked = { ...NOTHING };
    for (const [name, none] of Object.entries(NOTHING)) {
      if (Array.isArray(none)) asked[name] = start.getAll(name);
      else if (typeof none === "boolean") asked[name] = start.has(name);
      else asked[name] = start.get(name) ?? none;
    }
    if (!(asked.mode in this.modes)) asked.mode = NOTHING.mode;
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
    const asked = { ...this.asked, ...changed };
    if (step && JSON.stringify(this.asked) !== JSON.stringify(asked)) this.#step();
    this.asked = asked;
    if (this.input.value.trim() !== this.asked.q) this.input.value = this.asked.q;
    this.form.show();
    this.atlas.remember();
    this.turn++;
    this.at = -1;
    this.asking?.abort();
    const { q, like, unlike } = this.asked;
    if (q || like.length) this.given = null;
    if (!q && !like.length && !this.given) {
      if (unlike.length) this.asked.unlike = [];
      return this.#nothing();
    }
    return this.#answer(this.turn);
  }

  /** Leave what is asked now in the history, also where the address was not written yet. */
  #step() {
    const said = new URLSearchParams(location.hash.slice(1));
    Object.keys(NOTHING).forEach((name) => said.delete(name));
    this.say(said);
    history.replaceState(null, "", said.size ? `#${said}` : location.pathname + location.search);
    history.pushState(null, "", location.href);
  }

  async #answer(turn) {
    this.asking = new AbortController();
    const busy = setTimeout(() => byId("search").classList.add("busy"), 120);
    try {
      const [found] = await Promise.all([this.#hits(), this.#placed(), this.#understand(), this.corpus.named]);
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

  /** The terms of the query, which are marked in titles and texts. */
  async #understand() {
    this.analysis = await this.corpus.analysis();
    const terms = this.analysis.words(this.asked.q, true).map((word) => this.analysis.term(word));
    this.terms = new Map(terms.filter((term) => term !== null).map((term) => [term, 1]));
  }

  #hits() {
    const { q, mode, where, must, like, unlike, expand, explain } = this.asked;
    const asked = { k: explain ? EXPLAINED : ASKED, mode, where, must, unlike, explain };
    const { signal } = this.asking;
    if (this.given) return fetched("/api/similar", { k: ASKED, mode, where }, signal, this.given);
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
    this.found = found.hits.map((hit) => ({ ...hit, inFile: hit.place, place: this.corpus.placeOf(hit.id) }));
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
    this.hits = this.place = this.terms = null;
    this.found = [];
    byId("found").textContent = "";
    byId("search").classList.remove("busy");
    this.form.mistake("");
    this.atlas.highlight(null);
    this.atlas.panel.leave("hits");
  }

  clear() {
    this.given = null;
    this.ask({ q: "", like: [], unlike: [] });
  }

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

/** The map that the server has is newer than this one. */
function showNews() {
  if (byId("news")) return;
  document.querySelector("main").append(element("p", { id: "news", role: "status" }, "The index has changed. ",
    element("button", { type: "button", className: "link", textContent: "Show the new map", onclick: () => location.reload() })));
}

Atlas.search = (atlas) => new IndexSearch(atlas);
