// From text to terms, as textae.encoding.analyzer has it: words, names with signs, and pairs of scripts without spaces.

class Analysis {
  /** The table holds the rules, which are patterns of characters, the stop words, and the words of each stem. */
  constructor(table) {
    const [rules, stops, ...stems] = table.split("\n");
    const { invisible, points, unspaced } = (this.rules = JSON.parse(rules));
    this.invisible = new RegExp(invisible, "gu");
    this.points = new RegExp(points, "gu");
    const joined = `(?:\\p{M}|[${JOINED}]|${invisible})`;
    this.piece = new RegExp(`${joined}+|[\\0-\\x7f]+(?!${joined})|[^]${joined}*`, "gu");
    const spaced = `(?![${unspaced}])[_\\p{L}\\p{N}]`;
    const named = `(?=[+#])(?<=(?<!${spaced}|[\\]!#$%&)+.;?@\\\\^}~])([A-Za-z][A-Za-z0-9]*))`; // C++17
    const plus = "\\+(?:\\+(?![A-Za-z+#$%=@\\\\^~])|(?![A-Za-z0-9+#$%=@\\\\^~]))";
    const sharp = "#(?![A-Za-z0-9+#$%=@\\\\^~])";
    this.name = new RegExp(
      `${named}(?:${plus}|${sharp})|(?=\\.)(?<!\\.|${spaced})\\.[A-Za-z][A-Za-z0-9]+(?!${spaced})`, "gu");
    this.unspaced = new RegExp(`(?!\\p{Nd})[${unspaced}]`, "u");
    this.run = new RegExp(
      `(?:(?!\\p{Nd})[${unspaced}]\\p{M}*)+|(?:(?:\\p{Nd}|(?![${unspaced}])[\\p{L}\\p{N}])\\p{M}*)+`, "gu");
    this.terms = new Map();
    for (const line of stems) {
      const [start, stem, ...words] = line.split(" ");
      for (const word of words) this.terms.set(start + word, start + stem);
    }
    for (const stop of stops.split(" ")) this.terms.set(stop, null);
    this.seen = new Map(); // words as written, and their terms: language repeats itself
  }

  /** A text in normal form, without what is invisible. */
  #normal(text) { return isAscii(text) ? text : text.replace(this.invisible, "").normalize("NFKC"); }

  /** A word without case and points, with the digits of ASCII. */
  fold(word) {
    if (isAscii(word)) return word.toLowerCase();
    const small = this.#normal(this.#normal(word).toLowerCase().toUpperCase().toLowerCase().replaceAll("ς", "σ"));
    return small.replace(this.points, "").replace(/\p{Nd}/gu, asciiDigit);
  }

  /** The term of a word; null for a stop word, and for what is too long to be a word. */
  term(word) {
    if (word.length > this.rules.longest && [...word].length > this.rules.longest) return null;
    const folded = this.fold(word);
    const term = this.terms.get(folded);
    return term === undefined ? folded : term;
  }

  /** The words of a text in normal form, as written; with `pairs`, unspaced script gives no single characters. */
  words(text, pairs = false) {
    const normal = this.#normal(text);
    const simple = isAscii(normal) && !MAY_BE_NAMED.test(normal); // as most texts are
    if (simple) return normal.match(/[A-Za-z0-9]+/g) ?? [];
    return Array.from(this.#found(normal, pairs), ([start, end]) => normal.slice(start, end));
  }

  /** Where the words of a text are whose terms are among some: [start, end, term] of each, in order. */
  places(text, terms) {
    const normal = this.#normal(text);
    const found = [];
    for (const [start, end] of this.#found(normal, false)) {
      const term = this.termOf(normal.slice(start, end));
      if (terms.has(term)) found.push([start, end, term]);
    }
    if (normal === text || !found.length) return found;
    const [first, last] = this.#origins(text);
    return found.map(([start, end, term]) => [first[start], last[end - 1], term]);
  }

  /** `term`, remembered. */
  termOf(word) {
    let term = this.seen.get(word);
    if (term === undefined) this.seen.set(word, (term = this.term(word)));
    return term;
  }

  *#found(normal, pairs) {
    let at = 0;
    const plain = function* (from, to) {
      for (const { 0: word, index } of normal.slice(from, to).matchAll(LETTERS)) {
        yield [from + index, from + index + word.length];
      }
    };
    const split = isAscii(normal) || !this.unspaced.test(normal)
      ? plain : (from, to) => this.#split(normal, plain(from, to), pairs);
    for (const { 0: name, 1: before, index } of normal.matchAll(this.name)) {
      const [start, end] = [index - (before?.length ?? 0), index + name.length];
      if (start < at) continue;
      yield* split(at, start);
      yield* before === undefined ? [[start, end], [start + 1, end]] : [[start, index], [start, end]];
      at = end;
    }
    yield* split(at, normal.length);
  }

  /** Words, those of unspaced script as characters and pairs of them. */
  *#split(normal, words, pairs) {
    for (const [from, to] of words) {
      for (const { 0: run, index } of normal.slice(from, to).matchAll(this.run)) {
        const start = from + index;
        if (!this.unspaced.test(String.fromCodePoint(run.codePointAt(0)))) {
          yield [start, start + run.length];
          continue;
        }
        const letters = Array.from(run.matchAll(LETTER), ({ 0: one, index: here }) =>
          [start + here, start + here + one.length]);
        if (!pairs || letters.length === 1) yield letters[0];
        for (let place = 1; place < letters.length; place++) {
          yield [letters[place - 1][0], letters[place][1]];
          if (!pairs) yield letters[place];
        }
      }
    }
  }

  /** For each character of a text's normal form, where in the text that begins and ends of which it is made. */
  #origins(text) {
    const first = [], last = [];
    for (const { 0: piece, index } of text.matchAll(this.piece)) {
      const whole = !isAscii(piece);
      const { length } = whole ? this.#normal(piece) : piece;
      for (let at = 0; at < length; at++) {
        first.push(whole ? index : index + at);
        last.push(whole ? index + piece.length : index + at + 1);
      }
    }
    return [first, last];
  }
}

// What joins the character before it in normal form, beside marks: parts of Hangul syllables, and the vowel am.
const JOINED = "\\u0e33\\u0eb3\\u1160-\\u11ff\\u3133\\u3135\\u3136\\u313a-\\u313f\\u314f-\\u3164\\u3167-\\u316d\\u316f"
  + "\\u3170\\u3182\\u3183\\u3187-\\u318e\\uff9e-\\uffa0\\uffa3\\uffa5\\uffa6\\uffaa-\\uffaf\\uffc2-\\uffc7"
  + "\\uffca-\\uffcf\\uffd2-\\uffd7\\uffda-\\uffdc";
const MAY_BE_NAMED = /[+#]|\.(?<![A-Za-z0-9_.]\.)[A-Za-z]/; // in a text of ASCII
const LETTERS = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu;
const LETTER = /[\p{L}\p{N}]\p{M}*/gu;
const isAscii = (text) => !/[^\0-\x7f]/.test(text);

/** The value of a decimal digit of any script: they come in tens. */
function asciiDigit(digit) {
  let zero = digit.codePointAt(0);
  while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--;
  return String((digit.codePointAt(0) - zero) % 10);
}
