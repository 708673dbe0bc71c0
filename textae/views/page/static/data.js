"use strict";
// What the page holds: blocks of compressed bytes, each opened when it is first needed.

// Blocks stand before this script (places, topics) or behind it; the latter are there when the page has been read.
const pageRead = new Promise((resolve) => {
  if (document.readyState !== "loading") resolve();
  else document.addEventListener("DOMContentLoaded", resolve, { once: true });
});

/** The bytes of a block, which is gone from the page then; null where there is none. */
async function unpack(id) {
  const block = document.getElementById(id);
  if (!block) return null;
  const packed = block.textContent;
  block.remove();
  const bytes = Uint8Array.fromBase64
    ? Uint8Array.fromBase64(packed)
    : Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const unpackText = async (id) => new TextDecoder().decode(await unpack(id));
const unpackJson = async (id) => JSON.parse(await unpackText(id));

/** The documents, by their place from 0 to n - 1: where they are, what they are called, what they say. */
class Corpus {
  static async open() {
    const [about, bytes] = await Promise.all([unpackJson("about"), unpack("places")]);
    return new Corpus(about, bytes.buffer);
  }

  constructor(about, buffer) {
    const n = about.documents;
    this.about = about;
    this.n = n;
    this.xs = new Uint16Array(buffer, 0, n); // 65,535 is the side of the square that is 1 elsewhere
    this.ys = new Uint16Array(buffer, 2 * n, n);
    this.topicOf = new Uint16Array(buffer, 4 * n, n);
    this.strengths = new Uint8Array(buffer, 6 * n, n);
    this.topics = about.areas.flatMap((area, at) => area.topics.map((topic) => ({ ...topic, area: at })));
    this.titles = this.ids = null;
    this.named = pageRead.then(() => this.#name());
    this.parts = new Map();
    this.colourings = new Map();
  }

  async #name() {
    const [titles, ids] = await Promise.all([unpackText("titles"), unpackText("ids")]);
    this.titles = titles.split("\n");
    this.ids = ids.split("\n");
  }

  x(at) { return this.xs[at] / 65535; }
  y(at) { return this.ys[at] / 65535; }
  topic(at) { return this.topics[this.topicOf[at]]; }
  id(at) { return this.ids ? this.ids[at] : ""; }
  title(at) { return this.titles ? this.titles[at] || this.ids[at] : ""; }

  /** The place of the document with an id; undefined where the map has none. */
  placeOf(id) {
    this.places ??= new Map(this.ids.map((one, at) => [one, at]));
    return this.places.get(id);
  }

  /** How texts become terms. */
  analysis() {
    return (this.analysed ??= pageRead.then(() => unpackText("words")).then((table) => new Analysis(table)));
  }

  get hasTexts() { return this.about.characters !== 0; }
  get partCount() { return Math.ceil(this.n / this.about.perPart); }

  /** A block of documents: [text, fields, characters of the whole text] of each, and the address of a picture or its thumbnail. */
  part(number) {
    if (!this.parts.has(number)) {
      const none = !this.hasTexts && !this.about.withFields;
      this.parts.set(number, none ? Promise.resolve([]) : pageRead.then(() => unpackJson(`texts-${number}`)));
    }
    return this.parts.get(number);
  }

  /** What the page holds of a document: { text, fields, characters, picture }, the last as `thumbnail` takes it or undefined. */
  async record(at) {
    const { perPart, thumbnail: shape } = this.about;
    const [text, fields, characters, own] = (await this.part(Math.floor(at / perPart)))[at % perPart] ?? ["", {}, 0];
    const alt = this.title(at), src = own ?? this.served(this.id(at));
    const picture = src && (shape ? { digits: own, shape, alt } : { src, alt });
    return { text, fields, characters, picture };
  }

  /** The address of a document's picture on the server that gave the page; undefined without pictures or server. */
  served(id) {
    const { commit, pictures } = this.about;
    return commit && pictures ? `/api/pictures/${encodeURIComponent(id)}` : undefined;
  }

  /** The place of each document's colour among those of a field. */
  colouring(number) {
    if (!this.colourings.has(number)) {
      this.colourings.set(number, pageRead.then(() => unpack(`colouring-${number}`)));
    }
    return this.colourings.get(number);
  }
}
