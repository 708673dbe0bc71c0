// Search in what the page holds: the words of titles and texts, ranked as the index ranks them.

class Search {
  constructor(atlas) {
    this.atlas = atlas;
    this.corpus = atlas.corpus;
    this.hits = null; // the best first; null where nothing is searched
    this.turn = 0; // counts searches, so that an old one stops
    this.terms = null; // what is looked for, and what each term is worth
    this.input = byId("query");
    this.input.onfocus = () => this.read();
    this.input.oninput = () => {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.run(this.input.value), 180);
    };
    byId("search").onsubmit = (event) => {
      event.preventDefault();
      clearTimeout(this.waiting);
      if (this.query === this.input.value.trim() && this.hits?.length) this.step(1);
      else this.run(this.input.value);
    };
    this.input.onkeydown = (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        this.step(event.key === "ArrowDown" ? 1 : -1);
      }
    };
  }

  /** Ask what the address asks. */
  async begin(start) {
    if (!start.get("q")) return;
    this.input.value = start.get("q");
    await this.run(start.get("q"));
  }

  /** Write into an address what is asked. */
  say(said) {
    if (this.query) said.set("q", this.query);
  }

  /** Find the documents that match a query, and light up the best of them and all that hold each of its words. */
  async run(query) {
    this.query = query.trim();
    const turn = ++this.turn;
    if (!this.query) return this.clear();
    const ranking = await this.read();
    if (turn !== this.turn) return;
    const asked = ranking.query(this.query);
    this.terms = ranking.worth(asked);
    this.hits = ranking.search(asked);
    this.#first(this.corpus.placeOf(this.query));
    this.at = -1;
    this.whole = this.hits.filter(({ held }) => held === asked.parts.length).length;
    byId("found").textContent = number.format(this.hits.length);
    announce(`${amount(this.hits.length, "document")} found`);
    const lit = this.hits.filter(({ held }, rank) => rank < HITS || held === asked.parts.length).map(({ at }) => at);
    this.atlas.highlight(lit);
    this.list = new HitList(this, asked);
    await this.list.begin();
    if (turn !== this.turn) return;
    this.atlas.reveal(lit);
    this.atlas.remember();
  }

  /** Put the document that a query is the id of before all others. */
  #first(place) {
    if (place === undefined) return;
    const named = this.hits.find(({ at }) => at === place) ?? { at: place, held: 0 };
    this.hits = [named, ...this.hits.filter((hit) => hit !== named)];
  }

  clear() {
    this.turn++;
    this.hits = this.terms = null;
    this.query = this.input.value = "";
    byId("found").textContent = "";
    this.atlas.highlight(null);
    this.atlas.panel.leave("hits");
    this.atlas.remember();
  }

  /** Go to the next hit, or the one before. */
  step(by) {
    if (!this.hits?.length) return;
    this.at = (this.at + by + this.hits.length) % this.hits.length;
    this.list.mark(this.at);
    this.atlas.lookAt(this.hits[this.at].at);
  }

  /** A text in pieces, the words that are looked for as marks. */
  marked(text) {
    if (!this.terms?.size) return [text];
    const pieces = [];
    let done = 0, from = 0, to = 0;
    const close = () => {
      if (to > from) pieces.push(text.slice(done, from), element("mark", { textContent: text.slice(from, to) }));
      done = Math.max(done, to);
    };
    for (const [start, end] of this.analysis.places(text, this.terms)) {
      if (start < to) to = Math.max(to, end); // names and pairs overlap
      else {
        close();
        [from, to] = [start, end];
      }
    }
    close();
    return [...pieces, text.slice(done)];
  }

  /** Read all words of the page, once. */
  read() { return (this.reading ??= this.#read()); }

  async #read() {
    const { corpus, corpus: { n, about: { perPart } } } = this;
    await corpus.named;
    this.analysis = await corpus.analysis();
    const ranking = new Ranking(this.analysis);
    let breathed = performance.now();
    for (let at = 0; at < n; at++) {
      const [text = ""] = (await corpus.part(Math.floor(at / perPart)))[at % perPart] ?? [];
      const title = corpus.titles[at] || (text ? "" : corpus.ids[at]);
      ranking.add(`${title}\n${text}`);
      if (performance.now() - breathed < 30) continue;
      if (this.query) byId("found").textContent = `${Math.round((100 * at) / n)} %`;
      await breath();
      breathed = performance.now();
    }
    return ranking;
  }
}
