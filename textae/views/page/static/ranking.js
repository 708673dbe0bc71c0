// Which documents match a query best: BM25 over the words that the page holds, as textae.search.lexical computes it.

const FEWEST_LETTERS = 3; // of a term that stands for a longer word

class Ranking {
  constructor(analysis) {
    this.analysis = analysis;
    this.postings = new Map(); // of each term [document, times, document, times, …]
    this.lengths = []; // terms of each document
    this.total = 0;
  }

  /** Take in the next document. */
  add(text) {
    const times = new Map();
    let length = 0;
    for (const word of this.analysis.words(text)) {
      const term = this.analysis.termOf(word);
      if (term === null) continue;
      times.set(term, (times.get(term) ?? 0) + 1);
      length++;
    }
    for (const [term, count] of times) {
      const list = this.postings.get(term);
      if (list) list.push(this.lengths.length, count);
      else this.postings.set(term, [this.lengths.length, count]);
    }
    this.lengths.push(length);
    this.total += length;
  }

  /** The terms that each word of a query looks for; those of an unknown word, which no document holds, are near ones. */
  query(text) {
    const wanted = new Map(), unknown = [];
    for (const word of this.analysis.words(text, true)) {
      const term = this.analysis.term(word);
      if (term === null) continue;
      const same = wanted.get(term);
      if (same) same.times++;
      else {
        const known = this.postings.has(term);
        if (!known) unknown.push(word);
        wanted.set(term, { word, times: 1, terms: known ? [term] : this.#near(term) });
      }
    }
    return { parts: [...wanted.values()], unknown };
  }

  /** The terms that begin as a word does; where none do, the longest that the word begins with. */
  #near(word) {
    const longer = [...this.postings.keys()].filter((term) => term.startsWith(word));
    if (longer.length && word.length > 1) return longer;
    for (let length = word.length - 1; length >= FEWEST_LETTERS; length--) {
      const term = this.analysis.term(word.slice(0, length));
      if (this.postings.has(term)) return [term];
    }
    return [];
  }

  /** The documents that hold words of a query, the best first: { at, score, held }, the last how many words. */
  search({ parts }) {
    const { lengths, total, analysis: { rules: { k1, b } } } = this;
    const n = lengths.length;
    const scores = new Float64Array(n), held = new Uint16Array(n);
    for (const part of parts) {
      const counts = this.#counts(part);
      const factor = part.times * this.#idf(counts.size) * (k1 + 1);
      for (const [at, count] of counts) {
        scores[at] += (factor * count) / (count + k1 * (1 - b + (b * lengths[at] * n) / (total || 1)));
        held[at]++;
      }
    }
    const hits = [];
    for (let at = 0; at < n; at++) if (held[at]) hits.push({ at, score: scores[at], held: held[at] });
    return hits.sort((one, other) => other.score - one.score || one.at - other.at);
  }

  /** The terms of a query, each with its inverse document frequency. */
  worth({ parts }) {
    return new Map(parts.flatMap((part) => part.terms.map((term) => [term, this.#idf(this.#counts(part).size)])));
  }

  #idf(holders) { return Math.log1p((this.lengths.length - holders + 0.5) / (holders + 0.5)); }

  /** How often each document holds one of the terms of a part of a query. */
  #counts({ terms }) {
    const counts = new Map();
    for (const list of terms.map((term) => this.postings.get(term))) {
      for (let at = 0; at < list.length; at += 2) counts.set(list[at], (counts.get(list[at]) ?? 0) + list[at + 1]);
    }
    return counts;
  }
}
