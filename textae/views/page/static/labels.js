// Names on the map: of areas, then of topics, then words of the ground, and at last titles. Never two in one place.

const ROOM = { area: [12, 8], topic: [9, 5], word: [14, 10], title: [6, 2] }; // pixels around a name
const MOST_TITLES = 60, FEW = 500; // titles that are shown, once so few documents are in view

/** The first words of a name, on two lines where one would be long. */
function lines(name, words) {
  const parts = name.split(", ").slice(0, words).map((part) => shortened(part, 28));
  const whole = parts.join(", ");
  if (whole.length <= 18 || parts.length < 2) return whole;
  const half = Math.ceil(parts.length / 2);
  return `${parts.slice(0, half).join(", ")},\n${parts.slice(half).join(", ")}`;
}

class Labels {
  constructor(holder, corpus, ground, near) {
    Object.assign(this, { holder, corpus, ground, near });
    this.made = new Map();
    const named = (kind) => (topic, at) => topic.middle && {
      key: `${kind} ${at}`, kind, at, documents: topic.documents, x: topic.middle[0], y: topic.middle[1],
      text: lines(topic.name, kind === "area" ? 2 : 3), area: kind === "area" ? at : topic.area,
    };
    const larger = (one, other) => other.documents - one.documents;
    const { areas } = corpus.about;
    this.areas = areas.length > 1 ? areas.map(named("area")).filter(Boolean).sort(larger) : [];
    for (const area of this.areas) area.leaves = [];
    const areaAt = new Map(this.areas.map((area) => [area.at, area]));
    corpus.topics.forEach(({ area }, leaf) => areaAt.get(area)?.leaves.push(leaf));
    this.topics = corpus.topics.map(named("topic")).filter(Boolean).sort(larger);
    this.words = this.#words();
  }

  /** The cells of the ground where there is land, the densest first, each with words that name nothing else. */
  #words() {
    const { areas, ground: { box: [left, top, right, bottom], words } } = this.corpus.about;
    const side = Math.round(Math.sqrt(words.length));
    this.cell = (right - left) / side;
    const cells = words.map((said, at) => {
      const x = left + ((at % side) + 0.5) * this.cell;
      const y = top + ((Math.floor(at / side) + 0.5) * (bottom - top)) / side;
      return { key: `word ${at}`, kind: "word", x, y, said, density: this.ground.at(x, y) };
    }).filter(({ said, density }) => said.length && density > this.ground.coast);
    const taken = new Set([...areas, ...this.corpus.topics].flatMap(({ name }) => name.split(", ")));
    for (const cell of cells.sort((one, other) => other.density - one.density)) {
      const own = cell.said.filter((word) => !taken.has(word)).slice(0, 2);
      own.forEach((word) => taken.add(word));
      cell.text = own.map((word) => shortened(word, 20)).join(", ");
    }
    return cells.filter(({ text }) => text);
  }

  /** What may be named, the most important first. */
  #candidates(camera, atlas) {
    const { zoom } = camera;
    const { offTopics } = atlas.legend;
    const topics = this.topics.slice(0, 10 + 14 * zoom).filter(({ at }) => !offTopics.has(at));
    const areas = this.areas.filter(({ leaves }) => leaves.some((leaf) => !offTopics.has(leaf)));
    const wide = zoom < 2.2 ? [...areas, ...topics] : [...topics, ...(zoom < 5 ? areas : [])];
    const words = this.cell * camera.scale > 75 ? this.words : [];
    return [...wide, ...words, ...this.#titles(camera, atlas)];
  }

  #titles(camera, atlas) {
    const { corpus } = this;
    if (!corpus.titles) return [];
    const [left, top] = [camera.worldX(0), camera.worldY(0)];
    const [right, bottom] = [camera.worldX(camera.width), camera.worldY(camera.height)];
    if ((right - left) * (bottom - top) * corpus.n > 60 * FEW && camera.zoom < 4) return [];
    const found = [];
    this.near.within(left, top, right, bottom, (at) => found.length <= 3 * FEW && found.push(at));
    if (found.length > 3 * FEW) return [];
    const seen = found.filter((at) => atlas.shows(at) && corpus.title(at));
    if (seen.length > FEW) return [];
    const first = (at) => (at === atlas.selected ? 256 : corpus.strengths[at]);
    seen.sort((one, other) => first(other) - first(one) || one - other);
    return seen.slice(0, 4 * MOST_TITLES).map((at) => ({
      key: `title ${at}`, kind: "title", text: shortened(corpus.title(at), 42), x: corpus.x(at), y: corpus.y(at),
    }));
  }

  /** Place the names of what is in view, and neither filtered nor covered. */
  place(camera, atlas, colours) {
    const seen = this.#candidates(camera, atlas).filter((label) => {
      label.px = camera.screenX(label.x);
      label.py = camera.screenY(label.y);
      return label.px > 0 && label.py > 0 && label.px < camera.width && label.py < camera.height;
    });
    this.#make(seen);
    const taken = [...atlas.boxes];
    const shown = new Set();
    let titles = 0;
    for (const label of seen) {
      const { kind, key } = label;
      const { node, width, height } = this.made.get(key);
      const wanted = label.px + (kind === "title" ? 8 : -width / 2);
      const left = kind === "title" ? wanted : Math.min(Math.max(wanted, 6), camera.width - width - 6);
      const top = Math.min(Math.max(label.py - height / 2, 4), camera.height - height - 4);
      const [aside, above] = ROOM[kind];
      const box = [left - aside, top - above, left + width + aside, top + height + above];
      if (kind === "title" && (titles === MOST_TITLES || box[2] > camera.width)) continue;
      if (taken.some((one) => one[0] < box[2] && box[0] < one[2] && one[1] < box[3] && box[1] < one[3])) continue;
      taken.push(box);
      shown.add(key);
      titles += kind === "title";
      node.style.transform = `translate(${left.toFixed(1)}px, ${top.toFixed(1)}px)`;
      if (kind === "area") node.style.color = colours[label.area];
    }
    this.#show(shown);
  }

  /** Make the elements that are not there, and measure them all at once. */
  #make(labels) {
    const fresh = labels.filter((label) => !this.made.has(label.key));
    for (const label of fresh) {
      const node = foreign(label.text, "span", label.kind);
      this.holder.append(node);
      this.made.set(label.key, { node });
    }
    for (const label of fresh) {
      const one = this.made.get(label.key);
      [one.width, one.height] = [one.node.offsetWidth, one.node.offsetHeight];
    }
  }

  #show(shown) {
    for (const [key, { node }] of this.made) {
      node.classList.toggle("on", shown.has(key));
      if (!shown.has(key) && this.made.size > 600 && /^(title|word)/.test(key)) {
        node.remove();
        this.made.delete(key);
      }
    }
  }
}
