// How the index is asked: the system that ranks, and what hits must be.

const PICTURE_MODES = {
  code: "what they look like", bits: "what they look like, in bits", pixels: "pixels", pca: "PCA",
};
const TEXT_MODES = {
  hybrid: "words and meaning", code: "meaning", bits: "meaning, in bits", bm25: "words (BM25)", tfidf: "words (tf-idf)",
  lsa: "LSA",
};

/** How it is asked: the system, and what hits must be, below the search box. */
class AskForm {
  constructor(search) {
    this.search = search;
    this.mode = element("select", { id: "mode", onchange: () => search.ask({ mode: this.mode.value }) },
      ...Object.entries(search.modes).map(([value, name]) => element("option", { value, textContent: name })));
    this.conditions = {
      where: this.#condition("where", "Fields", this.#example()),
      must: this.#condition("must", "Text", "\"exact phrase\" AND NOT word"),
    };
    this.expand = this.#choice("expand", "Also likely words", "Keywords also look for words that the decoder expects");
    this.explain = this.#choice("explain", "Explain", "Why each hit has its score");
    this.holder = element("div", { id: "asking", hidden: true, role: "group", "aria-label": "How to search" },
      element("label", {}, element("span", { textContent: "Rank by" }), this.mode),
      this.conditions.where.row, ...(search.modes === TEXT_MODES
        ? [this.conditions.must.row, element("div", { className: "choices" }, this.expand.row, this.explain.row)] : []));
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

function sliders() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M3 6h7M15 6h2M3 14h2M10 14h7M12.500 3.800v4.400M7.500 11.800v4.400");
  svg.append(path);
  return svg;
}
