// What colours mean, and what is shown: the topics as a tree, and the values of the field that colours the map.

class Legend {
  constructor(atlas) {
    this.atlas = atlas;
    this.corpus = atlas.corpus;
    this.offTopics = new Set();
    this.offValues = new Set();
    this.field = -1; // the topics; else the place of a colouring
    this.values = null; // of each document, the place of its colour
    this.#menu();
    this.#tree();
    this.#note();
    byId("all").onclick = () => this.showAll();
  }

  // Which documents are shown.

  allows(at) {
    return !this.offTopics.has(this.corpus.topicOf[at]) && !(this.offValues.size && this.offValues.has(this.#class(at)));
  }

  get filters() { return this.offTopics.size + this.offValues.size > 0; }

  showAll() {
    this.offTopics.clear();
    this.offValues.clear();
    this.#changed();
  }

  /** The entry of the legend that a document belongs to: scales have parts. */
  #class(at) {
    const value = this.values[at];
    return this.steps && value < this.steps ? Math.floor((value * this.bins) / this.steps) : value;
  }

  /** Only these of all entries; or all, where it was only these before. */
  #only(off, all, wanted) {
    const kept = new Set(wanted);
    const already = all.every((one) => off.has(one) !== kept.has(one));
    off.clear();
    if (!already) all.filter((one) => !kept.has(one)).forEach((one) => off.add(one));
    this.#changed();
  }

  #toggle(off, some) {
    const hidden = some.every((one) => off.has(one));
    some.forEach((one) => (hidden ? off.delete(one) : off.add(one)));
    this.#changed();
  }

  #changed() {
    this.#mark();
    this.atlas.refilter();
    byId("all").hidden = !this.filters;
  }

  // Colours.

  get colouring() { return this.field < 0 ? null : this.corpus.about.colourings[this.field]; }

  async colourBy(field) {
    this.values = field < 0 ? null : await this.corpus.colouring(field);
    this.field = field;
    this.offValues.clear();
    const { colouring } = this;
    this.steps = colouring?.stops ? colouring.light.length - 1 : 0; // of a scale
    this.bins = colouring?.stops ? colouring.stops.length - 1 : 0; // its parts that can be shown by themselves
    byId("colour").value = field;
    this.#legend();
    this.#changed();
  }

  /** The colours of the map in a theme, and the place of a document's own among them. */
  colours(theme) { return this.colouring ? this.colouring[theme] : this.corpus.about.colours[theme]; }
  colourOf(at) { return this.values ? this.values[at] : this.corpus.topicOf[at]; }

  /** Give rows the colours of the theme. */
  tint() {
    const { theme } = this.atlas;
    for (const item of byId("topics").querySelectorAll("[role=treeitem]")) {
      const { area, topic } = item.dataset;
      const colour = topic === undefined
        ? this.corpus.about.areaColours[theme][area] : this.corpus.about.colours[theme][topic];
      item.querySelector(".swatch").style.setProperty("--colour", colour);
    }
    this.#legend();
    this.#mark();
  }

  #menu() {
    const menu = byId("colour");
    menu.append(element("option", { value: -1, textContent: "topic" }));
    this.corpus.about.colourings.forEach(({ field }, at) => {
      menu.append(element("option", { value: at, textContent: shortened(field, 40) }));
    });
    menu.onchange = () => this.colourBy(Number(menu.value));
  }

  #note() {
    const { fieldsLeftOut, withoutCode, characters, titleCharacters } = this.corpus.about;
    const notes = [];
    if (withoutCode) notes.push(`${amount(withoutCode, "document")} not on the map: of no word is anything known.`);
    if (characters === 0) notes.push("There was no room for texts.");
    else if (characters) notes.push(`Texts are cut to ${number.format(characters)} characters.`);
    if (titleCharacters !== null) notes.push(`Titles are cut to ${number.format(titleCharacters)} characters.`);
    if (fieldsLeftOut) {
      notes.push(`${amount(fieldsLeftOut, "field")} not offered: of one value, of too many, or of few documents.`);
    }
    byId("note").textContent = notes.join(" ");
  }

  // The legend of a field.

  #legend() {
    const holder = byId("values");
    holder.replaceChildren();
    this.entries = [];
    const { colouring } = this;
    if (!colouring) return;
    const colours = colouring[this.atlas.theme];
    if (colouring.stops) {
      const steps = colours.slice(0, -1);
      holder.append(element("div", { className: "scale", "aria-hidden": "true" },
        ...steps.map((colour) => element("i", { colour }))));
    }
    for (const { label, count, at, colour } of this.#said(colouring)) {
      if (!count) continue;
      const row = element("button", { className: "row", type: "button", onclick: (event) => {
        const all = this.entries.map((entry) => entry.at);
        if (event.shiftKey || event.target.classList.contains("swatch")) this.#toggle(this.offValues, [at]);
        else this.#only(this.offValues, all, [at]);
      } }, swatch(colours[colour]), foreign(label, "span", "text"),
      element("span", { className: "count", textContent: number.format(count) }));
      this.entries.push({ at, row });
      holder.append(row);
    }
  }

  /** What the legend says: labels, and of how many documents each is. */
  #said(colouring) {
    if (!colouring.stops) {
      const shown = colouring.entries.map(([label, count], at) => ({ label, count, at, colour: at }));
      const last = colouring.light.length - 1;
      const rest = [["all others", colouring.others, last - 1], ["none", colouring.without, last]];
      return [...shown, ...rest.map(([label, count, at]) => ({ label, count, at, colour: at }))];
    }
    const counts = new Map();
    for (let at = 0; at < this.corpus.n; at++) {
      const one = this.#class(at);
      counts.set(one, (counts.get(one) ?? 0) + 1);
    }
    const bins = Array.from({ length: this.bins }, (_, at) => ({
      label: `${colouring.stops[at][1]} – ${colouring.stops[at + 1][1]}`, count: counts.get(at) ?? 0, at,
      colour: Math.floor(((at + 0.5) * this.steps) / this.bins),
    }));
    return [...bins, { label: "none", count: counts.get(this.steps) ?? 0, at: this.steps, colour: this.steps }];
  }

  // The tree of topics (https://www.w3.org/WAI/ARIA/apg/patterns/treeview/).

  #tree() {
    let leaf = 0;
    const tree = byId("topics");
    this.corpus.about.areas.forEach((area, at) => {
      const leaves = area.topics.map(() => leaf++);
      const group = element("div", { role: "group" }, ...area.topics.map((topic, inside) =>
        this.#item(topic, [leaves[inside]], { "data-topic": leaves[inside], "data-area": at })));
      tree.append(this.#item(area, leaves, { "data-area": at, "aria-expanded": "false" }, group));
    });
    tree.querySelector("[role=treeitem]")?.setAttribute("tabindex", "0");
    tree.onkeydown = (event) => this.#key(event);
  }

  #item(topic, leaves, attributes, group = null) {
    const arrow = group ? element("span", { className: "arrow", "aria-hidden": "true", textContent: "▶" }) : null;
    const row = element("div", { className: "row" }, arrow, swatch(),
      foreign(topic.name, "span", "text"),
      element("span", { className: "count", textContent: number.format(topic.documents) }));
    row.title = topic.words.join(", ");
    const item = element("div", { role: "treeitem", tabIndex: -1, "aria-selected": "false",
      "aria-label": `${topic.name}, ${amount(topic.documents, "document")}`, ...attributes }, row, group);
    const chosen = (event) => {
      if (event.target === arrow) return this.#open(item, item.getAttribute("aria-expanded") !== "true");
      if (event.shiftKey || event.target.classList.contains("swatch")) return this.#toggle(this.offTopics, leaves);
      return this.choose(leaves, topic);
    };
    row.onclick = (event) => {
      this.#focus(item);
      chosen(event);
    };
    item.leaves = leaves;
    item.topic = topic;
    return item;
  }

  /** Show only some topics, and fly to them; again: show all. */
  choose(leaves, topic) {
    this.#only(this.offTopics, this.corpus.topics.map((_, at) => at), leaves);
    if (this.offTopics.size && topic.box) this.atlas.flyToBox(topic.box);
    else if (!this.offTopics.size) this.atlas.camera.flyHome();
    announce(this.offTopics.size ? `Only ${topic.name}, ${amount(topic.documents, "document")}` : "All topics");
  }

  #open(item, open) {
    if (item.hasAttribute("aria-expanded")) item.setAttribute("aria-expanded", open);
  }

  #focus(item) {
    byId("topics").querySelectorAll("[tabindex='0']").forEach((one) => one.setAttribute("tabindex", "-1"));
    item.setAttribute("tabindex", "0");
    item.focus({ preventScroll: false });
  }

  #key(event) {
    const item = document.activeElement.closest("[role=treeitem]");
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    const seen = [...byId("topics").querySelectorAll("[role=treeitem]")].filter((one) => one.offsetParent);
    const at = seen.indexOf(item);
    const parent = item.parentElement.closest("[role=treeitem]");
    const open = item.getAttribute("aria-expanded") === "true";
    const moves = {
      ArrowDown: () => this.#focus(seen[Math.min(at + 1, seen.length - 1)]),
      ArrowUp: () => this.#focus(seen[Math.max(at - 1, 0)]),
      Home: () => this.#focus(seen[0]),
      End: () => this.#focus(seen[seen.length - 1]),
      ArrowRight: () => (open ? this.#focus(seen[at + 1]) : this.#open(item, true)),
      ArrowLeft: () => (open ? this.#open(item, false) : parent && this.#focus(parent)),
      Enter: () => this.choose(item.leaves, item.topic),
      " ": () => (event.shiftKey ? this.#toggle(this.offTopics, item.leaves) : this.choose(item.leaves, item.topic)),
    };
    if (!moves[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    moves[event.key]();
  }

  /** Show in the rows what is on and off. */
  #mark() {
    for (const item of byId("topics").querySelectorAll("[role=treeitem]")) {
      const off = item.leaves.every((leaf) => this.offTopics.has(leaf));
      item.firstChild.classList.toggle("off", off);
      item.setAttribute("aria-selected", !off && this.offTopics.size > 0);
    }
    for (const { at, row } of this.entries ?? []) {
      row.classList.toggle("off", this.offValues.has(at));
      row.setAttribute("aria-pressed", !this.offValues.has(at));
    }
  }
}
