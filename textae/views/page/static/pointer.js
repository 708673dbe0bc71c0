// What the pointer and the keys do on the map.

const CLICK = 5; // pixels that a click may move

class Pointer {
  constructor(atlas) {
    this.atlas = atlas;
    this.down = new Map(); // of each finger or button: where it is
    const { map } = atlas;
    map.addEventListener("pointerdown", (event) => this.#press(event));
    map.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) map.addEventListener(name, (event) => this.#release(event));
    map.addEventListener("pointerleave", () => this.#point(null));
    map.addEventListener("dblclick", (event) => {
      if (event.target.closest("button")) return;
      clearTimeout(this.clicking);
      const [px, py] = this.#at(event);
      atlas.camera.zoomAt(px, py, event.shiftKey ? 0.5 : 2.2, 110);
      atlas.invalidate();
    });
    map.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  #at(event) {
    const { left, top } = this.atlas.map.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  #wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 18 : 1;
    const turn = Math.max(-240, Math.min(240, event.deltaY * lines));
    this.#point(null);
    this.atlas.camera.zoomAt(...this.#at(event), Math.exp(-turn * (event.ctrlKey ? 0.01 : 0.0022)));
    this.atlas.invalidate();
  }

  #press(event) {
    if (event.button || event.target.closest("button")) return;
    const { atlas } = this;
    const [px, py] = this.#at(event);
    atlas.map.setPointerCapture(event.pointerId);
    this.down.set(event.pointerId, [px, py]);
    this.from = [px, py];
    this.dragged = this.down.size > 1;
    if (this.down.size === 1 && (event.shiftKey || atlas.lasso.armed)) {
      this.drawing = true;
      atlas.lasso.begin(atlas.camera.worldX(px), atlas.camera.worldY(py));
    }
    this.#point(null);
  }

  #move(event) {
    const { atlas, down } = this;
    const { camera } = atlas;
    const [px, py] = this.#at(event);
    const before = down.get(event.pointerId);
    if (!before) return this.#point(event.pointerType === "mouse" ? [px, py] : null);
    if (Math.hypot(px - this.from[0], py - this.from[1]) > CLICK) this.dragged = true;
    if (this.drawing) return atlas.lasso.go(camera.worldX(px), camera.worldY(py));
    if (!this.dragged) return undefined;
    atlas.map.classList.add("moving");
    if (down.size === 2) this.#pinch(event.pointerId, before, [px, py]);
    else camera.pan(px - before[0], py - before[1]);
    down.set(event.pointerId, [px, py]);
    return atlas.invalidate();
  }

  #pinch(id, before, now) {
    const { camera } = this.atlas;
    const [, other] = [...this.down].find(([one]) => one !== id);
    const apart = ([x, y]) => Math.max(10, Math.hypot(x - other[0], y - other[1]));
    camera.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    camera.zoomAt((now[0] + other[0]) / 2, (now[1] + other[1]) / 2, apart(now) / apart(before), 1);
    camera.step(50);
  }

  #release(event) {
    const { atlas } = this;
    if (!this.down.delete(event.pointerId)) return;
    atlas.map.classList.remove("moving");
    if (this.drawing) {
      this.drawing = false;
      atlas.lasso.end();
    } else if (!this.dragged && event.type === "pointerup") this.#click(...this.#at(event), event.pointerType);
  }

  #click(px, py, kind) {
    const { atlas } = this;
    const at = atlas.under(px, py, kind === "mouse" ? 9 : 20);
    clearTimeout(this.clicking);
    if (at !== null) {
      atlas.select(at);
      atlas.panel.showDocument(at);
      return;
    }
    // Two clicks come closer; the first one alone asks for the place.
    const [x, y] = [atlas.camera.worldX(px), atlas.camera.worldY(py)];
    this.clicking = setTimeout(() => {
      atlas.select(null);
      atlas.panel.showPlace(x, y);
    }, 260);
  }

  /** Say what is under the pointer; null for nothing. */
  async #point(pixel) {
    const { atlas } = this;
    const tip = byId("tip");
    const at = pixel && atlas.under(...pixel);
    atlas.map.classList.toggle("pointing", at !== null && !atlas.lasso.armed);
    atlas.hover(at);
    if (at === null || !atlas.corpus.titles) {
      tip.hidden = true;
      return;
    }
    if (tip.hidden || this.told !== at) {
      this.told = at;
      this.#tell(at);
      const { text, picture } = await atlas.corpus.record(at);
      if (this.told !== at) return;
      this.#tell(at, shortened(text, 220), picture);
    }
    const { width, height } = tip.getBoundingClientRect();
    const { camera } = atlas;
    const left = pixel[0] + 16 + width > camera.width - 8 ? pixel[0] - width - 14 : pixel[0] + 16;
    const top = Math.min(pixel[1] + 14, camera.height - height - 8);
    tip.style.transform = `translate(${Math.max(8, left)}px, ${Math.max(8, top)}px)`;
    tip.hidden = atlas.hovered !== at;
  }

  #tell(at, snippet = "", picture = null) {
    const { atlas } = this;
    const { corpus } = atlas;
    byId("tip").replaceChildren(picture ? thumbnail(picture) : "", foreign(shortened(corpus.title(at), 200), "b"),
      snippet ? foreign(snippet, "p") : "",
      element("div", { className: "of" }, swatch(atlas.topicColour(corpus.topicOf[at])), foreign(corpus.topic(at).name)));
  }
}

class Keys {
  constructor(atlas) {
    this.atlas = atlas;
    atlas.map.addEventListener("keydown", (event) => this.#onMap(event));
    document.addEventListener("keydown", (event) => this.#anywhere(event));
  }

  #onMap(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== this.atlas.map) return;
    const { atlas } = this;
    const { camera } = atlas;
    const go = (dx, dy) => {
      const from = camera.goal ?? camera;
      camera.flyTo({ x: from.x + dx / camera.scale, y: from.y + dy / camera.scale, scale: from.scale }, 80);
      atlas.invalidate();
    };
    const keys = {
      ArrowLeft: () => go(-90, 0), ArrowRight: () => go(90, 0), ArrowUp: () => go(0, -90), ArrowDown: () => go(0, 90),
      "+": () => atlas.zoomBy(1.5), "=": () => atlas.zoomBy(1.5), "-": () => atlas.zoomBy(1 / 1.5), 0: () => atlas.home(),
      Enter: () => this.#open(),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }

  /** Open the document that is nearest to the middle. */
  #open() {
    const { atlas } = this;
    const { camera: { insets, width, height } } = atlas;
    const at = atlas.under((width + insets.left - insets.right) / 2, (height + insets.top - insets.bottom) / 2, 1e6);
    if (at === null) return;
    atlas.select(at);
    atlas.panel.showDocument(at);
  }

  #anywhere(event) {
    const { atlas } = this;
    if (event.key === "Escape" && !byId("help").open) return this.#let(event);
    if (event.target.closest("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return undefined;
    if (event.key === "/") {
      event.preventDefault();
      return atlas.search.input.focus();
    }
    if (event.key === "?") return byId("help").showModal();
    return undefined;
  }

  /** Let go of the last thing that was begun. */
  #let() {
    const { atlas } = this;
    if (atlas.lasso.armed) atlas.lasso.arm(false);
    else if (atlas.panel.kind) atlas.panel.close();
    else if (atlas.search.query) atlas.search.clear();
    else if (atlas.legend.filters) atlas.legend.showAll();
    atlas.map.focus({ preventScroll: true });
  }
}
