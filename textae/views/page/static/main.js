// The map: what is drawn when, and what the pointer and the keys do.

const RINGS = 400; // documents that are marked one by one
const FEWEST = 20000; // points that are drawn while the map moves, however slow that is

class Atlas {
  static search = (atlas) => new Search(atlas);

  constructor(corpus) {
    this.corpus = corpus;
    this.map = byId("map");
    this.start = new URLSearchParams(location.hash.slice(1));
    this.lit = null; // the documents that are highlighted; null for all
    this.selected = this.hovered = null;
    this.pace = { count: corpus.n, last: 0, moves: false };
    this.camera = new Camera(corpus.about.home);
    this.near = new Near(corpus);
    this.ground = new Ground(corpus);
    this.points = this.#points(this.start.get("draw"));
    this.slots = shuffled(corpus.n);
    this.points.order(this.slots);
    this.rgba = new Uint8Array(4 * corpus.n);
    this.labels = new Labels(byId("labels"), corpus, this.ground, this.near);
    this.panel = new Panel(this);
    this.lasso = new Lasso(this);
    this.overlays = []; // functions of a context, the camera and the look, that draw above the points
    this.search = Atlas.search(this);
    this.legend = new Legend(this);
    new Pointer(this);
    new Keys(this);
    new ResizeObserver(() => this.resize()).observe(this.map);
    this.#say();
    this.#buttons();
    this.setTheme(this.start.get("theme") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
    this.resize();
    performance.mark("first draw");
    this.#begin();
  }

  /** The renderer: WebGL where a graphics card runs it, which a processor does more slowly than pixels by hand. */
  #points(wanted) {
    const { corpus } = this;
    const points = wanted === "canvas" ? null : WebglPoints.on(byId("points"), corpus, wanted === "webgl");
    const fast = points && wanted !== "webgl";
    this.contexts = Object.fromEntries(["ground", "marks"].map((id) =>
      [id, byId(id).getContext("2d", { alpha: id === "marks", willReadFrequently: !fast })]));
    if (points) return points;
    const fresh = byId("points").cloneNode(); // a canvas that was asked for WebGL gives no other context
    byId("points").replaceWith(fresh);
    return new CanvasPoints(fresh, corpus);
  }

  #say() {
    const { about } = this.corpus;
    const topics = about.areas.reduce((sum, area) => sum + area.topics.length, 0);
    byId("counts").textContent = `${amount(about.documents, "document")} · ${amount(topics, "topic")}`;
    this.map.setAttribute("aria-label",
      `Map of ${amount(about.documents, "document")} in ${amount(topics, "topic")}`);
    byId("wait").hidden = true;
  }

  #buttons() {
    byId("reset").onclick = () => this.home();
    byId("theme").onclick = () => this.setTheme(this.theme === "dark" ? "light" : "dark", true);
    byId("ask-help").onclick = () => byId("help").showModal();
    byId("zoom-in").onclick = () => this.zoomBy(1.8);
    byId("zoom-out").onclick = () => this.zoomBy(1 / 1.8);
    const legend = byId("legend"), button = byId("show-legend");
    const show = (shown) => {
      legend.hidden = !shown;
      button.setAttribute("aria-expanded", shown);
      this.covered();
    };
    button.onclick = () => {
      const { atHome } = this.camera;
      show(legend.hidden);
      if (atHome) this.home();
    };
    show(innerWidth > 640);
  }

  /** What the address asks for: the view, the colours, a query. */
  async #begin() {
    const { start, camera, legend } = this;
    const [x, y, zoom] = (start.get("at") ?? "").split(",").map(Number);
    if (zoom > 0 && Number.isFinite(x) && Number.isFinite(y)) {
      Object.assign(camera, { x, y, scale: camera.homeScale * Math.min(zoom, 200) });
    }
    const field = this.corpus.about.colourings.findIndex((one) => one.field === start.get("colour"));
    await this.corpus.named;
    this.invalidate();
    if (field >= 0) await legend.colourBy(field);
    await this.search.begin(start);
  }

  /** Write into the address what is seen, so that it can be sent or come back to. */
  remember() {
    if (location.protocol === "about:") return; // the frame of a notebook has no address
    clearTimeout(this.remembering);
    this.remembering = setTimeout(() => {
      const { camera, legend, search, start } = this;
      const said = new URLSearchParams();
      if (!camera.atHome) {
        said.set("at", [camera.x, camera.y, camera.zoom].map((one) => Number(one.toPrecision(5))).join(","));
      }
      if (legend.field >= 0) said.set("colour", legend.colouring.field);
      search.say(said);
      if (this.chosenTheme) said.set("theme", this.theme);
      if (start.has("draw")) said.set("draw", start.get("draw"));
      history.replaceState(null, "", said.size ? `#${said}` : location.pathname + location.search);
    }, 300);
  }

  // What is seen.

  setTheme(theme, chosen = false) {
    this.theme = theme;
    this.chosenTheme ||= chosen || this.start.has("theme");
    document.documentElement.dataset.theme = theme;
    const style = getComputedStyle(document.documentElement);
    const read = (name) => style.getPropertyValue(`--${name}`).trim();
    this.look = {
      sea: read("sea"), land: [0, 1, 2].map((turn) => read(`land-${turn}`)), coast: read("coast"), halo: read("halo"),
      accent: read("accent"), mark: read("mark"), faint: channels(read("faint")), lasso: `${read("accent")}22`,
    };
    this.look.areas = this.corpus.about.areaColours[theme].map((colour) =>
      `color-mix(in oklab, ${colour} 45%, ${read("ink")})`);
    this.legend.tint();
    this.refilter();
    this.remember();
  }

  topicColour(topic) { return this.corpus.about.colours[this.theme][topic]; }
  colourOf(at) { return this.legend.colours(this.theme)[this.legend.colourOf(at)]; }

  /** Whether a document is neither filtered nor outside of what is lit up. */
  shows(at) { return this.legend.allows(at) && (!this.litSet || this.litSet.has(at)); }

  /** Light up some documents, and dim the others; null for none of it. */
  highlight(documents) {
    this.lit = documents;
    this.litSet = documents && new Set(documents);
    if (!documents) this.lasso.clear();
    this.refilter();
  }

  /** Colour the points anew. */
  refilter() {
    const { corpus, legend, rgba, slots, look } = this;
    const palette = legend.colours(this.theme).map(channels);
    const some = legend.filters || this.litSet;
    for (let slot = 0; slot < slots.length; slot++) {
      const at = slots[slot];
      const shown = !some || this.shows(at);
      const [red, green, blue] = shown ? palette[legend.colourOf(at)] : look.faint;
      rgba[4 * slot] = red;
      rgba[4 * slot + 1] = green;
      rgba[4 * slot + 2] = blue;
      rgba[4 * slot + 3] = shown ? 140 + 0.45 * corpus.strengths[at] : 36;
    }
    this.points.colours(rgba);
    this.drawn = null;
    if (some) {
      let shown = 0;
      for (let at = 0; at < corpus.n; at++) shown += this.shows(at);
      announce(`${number.format(shown)} of ${amount(corpus.n, "document")} shown`);
    }
    this.invalidate();
    this.remember();
  }

  // Where it is looked.

  home() { this.#fly(this.camera.fitted(this.camera.home)); }
  zoomBy(factor) {
    const { camera } = this;
    const { insets: { left, right, top, bottom } } = camera;
    camera.zoomAt((camera.width + left - right) / 2, (camera.height + top - bottom) / 2, factor, 110);
    this.invalidate();
  }
  flyToBox(box) { this.#fly(this.camera.fitted(box, this.camera.homeScale * 12)); }
  flyTo(at) {
    const { corpus, camera } = this;
    const [x, y] = [corpus.x(at), corpus.y(at)];
    this.#fly(camera.fitted([x, y, x, y], Math.max(camera.scale, camera.homeScale * 5)));
  }
  /** Show the whole map where none of some documents can be seen. */
  reveal(documents) {
    if (documents.length && !documents.some((at) => this.#isSeen(this.corpus.x(at), this.corpus.y(at)))) this.home();
  }
  /** Fly where a box can be seen as a whole, if it cannot. */
  keepInView([left, top, right, bottom]) {
    if (this.#isSeen(left, top) && this.#isSeen(right, bottom)) return;
    this.#fly(this.camera.fitted([left, top, right, bottom], this.camera.scale));
  }
  #isSeen(x, y) {
    const { camera, camera: { insets } } = this;
    const [px, py] = [camera.screenX(x), camera.screenY(y)];
    return px > insets.left && py > insets.top && px < camera.width - insets.right && py < camera.height - insets.bottom;
  }
  lookAt(at) {
    this.select(at);
    this.flyTo(at);
  }
  #fly(view) {
    this.camera.flyTo(view);
    this.invalidate();
  }

  select(at) {
    this.selected = at;
    this.linked = at === null ? [] : this.neighbours(at, 8);
    this.invalidate();
  }

  neighbours(at, k) {
    const { corpus, near } = this;
    return near.nearest(corpus.x(at), corpus.y(at), k, (one) => one !== at && this.legend.allows(one)).map(([one]) => one);
  }

  hover(at) {
    if (at === this.hovered) return;
    this.hovered = at;
    this.invalidate();
  }

  /** The document under a pixel, if any. */
  under(px, py, reach = 9) {
    const { camera, near } = this;
    const found = near.nearest(camera.worldX(px), camera.worldY(py), 1, (at) => this.shows(at), reach / camera.scale);
    return found.length ? found[0][0] : null;
  }

  // Drawing.

  /** The panels have come or gone: what they cover is not looked at. */
  covered() {
    document.body.classList.toggle("reading", !byId("panel").hidden);
    const { camera, map } = this;
    const { width, height } = map.getBoundingClientRect();
    if (this.look && (width !== camera.width || height !== camera.height)) return this.resize();
    camera.insets = this.#insets();
    this.#keepSelected();
    return this.invalidate();
  }

  /** The pixels that a panel covers on each side of the map; what lies beside the map covers none. */
  #insets() {
    const map = this.map.getBoundingClientRect();
    const boxes = ["legend", "panel"].map((id) => byId(id).getBoundingClientRect())
      .filter(({ width, left, top }) => width && left < map.right && top < map.bottom);
    this.boxes = boxes.map(({ left, top, right, bottom }) =>
      [left - map.left, top - map.top, right - map.left, bottom - map.top]);
    const insets = { left: 0, right: 0, top: 0, bottom: 0 };
    for (const [left, top, right] of this.boxes) {
      if (right - left > map.width - 40) insets.bottom = Math.max(insets.bottom, map.height - top);
      else if (left < map.width / 2) insets.left = right;
      else insets.right = map.width - left;
    }
    this.map.style.setProperty("--bottom", `${insets.bottom}px`);
    const zoom = byId("zoom");
    this.boxes.push([zoom.offsetLeft, zoom.offsetTop, zoom.offsetLeft + zoom.offsetWidth,
      zoom.offsetTop + zoom.offsetHeight]);
    return insets;
  }

  #keepSelected() {
    if (this.selected === null) return;
    const [x, y] = [this.corpus.x(this.selected), this.corpus.y(this.selected)];
    if (!this.camera.moving) this.keepInView([x, y, x, y]);
    else this.flyTo(this.selected);
  }

  resize() {
    const { width, height } = this.map.getBoundingClientRect();
    if (!width || !height) return;
    const { camera } = this;
    const whole = camera.width === 1 || camera.atHome;
    camera.resize(width, height, this.#insets(), whole);
    this.#keepSelected();
    this.ratio = Math.min(devicePixelRatio || 1, this.points.highest);
    for (const id of ["ground", "points", "marks"]) {
      const canvas = byId(id), ratio = id === "marks" ? devicePixelRatio || 1 : this.ratio;
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    this.drawn = null;
    this.#draw(this.corpus.n);
  }

  invalidate() { this.asked ??= requestAnimationFrame((now) => this.#frame(now)); }

  #frame(now) {
    this.asked = null;
    const { camera, pace, corpus } = this;
    const passed = now - pace.last;
    pace.last = now;
    camera.step(Math.min(passed, 50));
    const view = `${camera.x} ${camera.y} ${camera.scale}`;
    const moves = view !== this.view;
    this.view = view;
    // While the map moves, as many points as are drawn in time; once it stands, all of them.
    if (moves && pace.moves) {
      if (passed > 45) pace.count = Math.max(Math.min(corpus.n, FEWEST), pace.count * (passed > 150 ? 0.4 : 0.75));
      else if (passed < 22) pace.count = Math.min(corpus.n, pace.count * 1.15);
    }
    pace.moves = moves;
    this.#draw(moves ? Math.round(pace.count) : corpus.n);
    clearTimeout(this.settling);
    if (camera.moving) this.invalidate();
    else if (moves) {
      if (pace.count < corpus.n) this.settling = setTimeout(() => this.invalidate(), 140);
      this.remember();
    }
  }

  #draw(count) {
    const { camera, ratio, look, corpus } = this;
    const asked = `${camera.x} ${camera.y} ${camera.scale} ${count}`;
    if (asked !== this.drawn) { // else only what lies above the points has changed
      const ground = byId("ground");
      this.ground.draw(this.contexts.ground, camera, ratio, look);
      this.points.draw(camera, { ...appearance(camera, corpus.n, count), count, ratio, ground });
      this.drawn = asked;
    }
    this.#mark();
    this.labels.place(camera, this, look.areas);
  }

  /** What lies above the points: the line, rings around what was found, and around a document. */
  #mark() {
    const { camera, look, corpus, lit } = this;
    const context = this.contexts.marks;
    const ratio = context.canvas.width / camera.width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (this.marked) context.clearRect(0, 0, camera.width, camera.height);
    this.marked = lit || this.lasso.line || this.selected !== null || this.hovered !== null || this.overlays.length;
    if (!this.marked) return;
    this.lasso.draw(context, camera, look);
    const { radius } = appearance(camera, corpus.n, corpus.n);
    const disc = (at, size, fill, edge, width) => {
      context.beginPath();
      context.arc(camera.screenX(corpus.x(at)), camera.screenY(corpus.y(at)), size, 0, 2 * Math.PI);
      if (fill) {
        context.fillStyle = fill;
        context.fill();
      }
      context.lineWidth = width;
      context.strokeStyle = edge;
      context.stroke();
    };
    if (lit && lit.length <= RINGS) {
      for (const at of lit) if (this.legend.allows(at)) disc(at, Math.max(3.5, radius), this.colourOf(at), look.halo, 1.2);
    }
    if (this.selected !== null) {
      for (const at of this.linked) disc(at, radius + 2, null, `${look.mark}99`, 1);
      disc(this.selected, Math.max(4.5, radius) + 3.5, look.halo, look.mark, 2);
      disc(this.selected, Math.max(4.5, radius), this.colourOf(this.selected), look.halo, 0.5);
    }
    for (const overlay of this.overlays) overlay(context, camera, look);
    if (this.hovered !== null) disc(this.hovered, Math.max(4, radius), this.colourOf(this.hovered), look.mark, 1.6);
  }
}
