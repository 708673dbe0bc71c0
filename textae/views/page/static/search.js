// Search in what the page holds: titles and ids at once, texts as their blocks are opened.

class Search {
  constructor(atlas) {
    this.atlas = atlas;
    this.corpus = atlas.corpus;
    this.hits = null; // documents, the best first; null where nothing is searched
    this.turn = 0; // counts searches, so that an old one stops
    this.texts = []; // of each block its documents' texts, in small letters
    this.input = byId("query");
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

  /** Find the documents that hold all words of a query, and light them up. */
  async run(query) {
    this.query = query.trim();
    const turn = ++this.turn;
    this.at = -1;
    this.breathed = performance.now();
    if (!this.query) return this.clear();
    await this.corpus.named;
    const words = this.query.toLowerCase().split(/\s+/);
    const found = await this.#find(words, turn);
    if (turn !== this.turn) return;
    this.show(found, words);
  }

  show(found, words = []) {
    this.hits = found;
    byId("found").textContent = number.format(found.length);
    announce(`${amount(found.length, "document")} found`);
    this.atlas.highlight(found);
    this.atlas.panel.showHits(this, words);
    this.atlas.reveal(found);
    this.atlas.remember();
  }

  clear() {
    this.turn++;
    this.hits = null;
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
    this.atlas.panel.markHit(this.at);
    this.atlas.lookAt(this.hits[this.at]);
  }

  /** The documents that hold all words: those in their names first. Says how far it is, and stops for a new search. */
  async #find(words, turn) {
    const { corpus, corpus: { n, partCount, about: { perPart } } } = this;
    const name = (at) => `${corpus.titles[at]} ${corpus.ids[at]}`.toLowerCase();
    const named = [], told = [];
    for (let at = 0; at < n; at++) {
      const called = name(at);
      if (words.every((word) => called.includes(word))) named.push(at);
      if (at % 4096 === 4095 && await this.#overtaken(turn, at / n / 4)) return [];
    }
    const already = new Set(named);
    for (let part = 0; corpus.hasTexts && part < partCount; part++) {
      this.texts[part] ??= (await corpus.part(part)).map(([text]) => text.toLowerCase());
      this.texts[part].forEach((text, inside) => {
        const at = part * perPart + inside;
        if (already.has(at) || !words.some((word) => text.includes(word))) return;
        const called = name(at);
        if (words.every((word) => text.includes(word) || called.includes(word))) told.push(at);
      });
      if (await this.#overtaken(turn, 0.25 + (0.75 * part) / partCount)) return [];
    }
    return [...named, ...told];
  }

  /** Whether another search has begun; lets the page live where this one takes long. */
  async #overtaken(turn, share) {
    if (performance.now() - this.breathed > 30) {
      byId("found").textContent = `${Math.round(100 * share)} %`;
      await breath();
      this.breathed = performance.now();
    }
    return turn !== this.turn;
  }
}
