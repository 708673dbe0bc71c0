// Drawing around documents, and the words that tell them from the others.

class Lasso {
  constructor(atlas) {
    this.atlas = atlas;
    this.line = null; // [x, y] in shares of the side, while it is drawn and as long as the selection is shown
    this.button = byId("draw-lasso");
    this.button.onclick = () => this.arm(!this.armed);
  }

  get armed() { return this.button.getAttribute("aria-pressed") === "true"; }

  /** Whether the next drag draws. */
  arm(armed) {
    this.button.setAttribute("aria-pressed", armed);
    byId("map").classList.toggle("lasso", armed);
  }

  begin(x, y) { this.line = [[x, y]]; }

  go(x, y) {
    this.line.push([x, y]);
    this.atlas.invalidate();
  }

  /** The documents within the line are the selection. */
  async end() {
    this.arm(false);
    const { line, atlas } = this;
    if (line.length < 3) {
      this.clear();
      return;
    }
    const found = [];
    const [xs, ys] = [line.map(([x]) => x), line.map(([, y]) => y)];
    const box = [xs, ys].map((of) => [of.reduce((a, b) => Math.min(a, b)), of.reduce((a, b) => Math.max(a, b))]);
    atlas.near.within(box[0][0], box[1][0], box[0][1], box[1][1], (at) => {
      if (atlas.legend.allows(at) && isInside(line, atlas.corpus.x(at), atlas.corpus.y(at))) found.push(at);
    });
    found.sort((one, other) => one - other);
    atlas.select(null);
    atlas.highlight(found);
    await atlas.panel.showSelection(found);
    atlas.keepInView([box[0][0], box[1][0], box[0][1], box[1][1]]);
  }

  clear() {
    this.line = null;
    this.atlas.invalidate();
  }

  draw(context, camera, look) {
    if (!this.line) return;
    context.beginPath();
    this.line.forEach(([x, y]) => context.lineTo(camera.screenX(x), camera.screenY(y)));
    context.closePath();
    context.fillStyle = look.lasso;
    context.fill("evenodd");
    context.setLineDash([5, 4]);
    context.lineWidth = 1.5;
    context.strokeStyle = look.accent;
    context.stroke();
    context.setLineDash([]);
  }
}

/** Whether a ray from a place crosses a closed line an odd number of times. */
function isInside(line, x, y) {
  let inside = false;
  for (let at = 0, before = line.length - 1; at < line.length; before = at++) {
    const [x1, y1] = line[at], [x2, y2] = line[before];
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside = !inside;
  }
  return inside;
}

const COMPARED = 20000; // documents, evenly taken, whose words stand for those of all
const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}_]{2,}/gu;

/**
 * The words that some documents have much more often than all: ordered by what each adds to the divergence of Kullback
 * and Leibler of the share of these documents that hold it from the share of all.
 */
async function tellingWords(corpus, documents, k = 12) {
  const counted = async (places) => {
    const counts = new Map();
    for (const at of places) {
      const title = corpus.titles[at];
      const text = title || (corpus.hasTexts ? (await corpus.record(at)).text.slice(0, 400) : "");
      for (const word of new Set(text.toLowerCase().match(WORD))) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    return counts;
  };
  const evenly = (n) => Array.from({ length: Math.min(n, COMPARED) }, (_, at) => Math.floor((at * n) / Math.min(n, COMPARED)));
  const taken = evenly(documents.length).map((at) => documents[at]);
  const all = evenly(corpus.n);
  corpus.usual ??= await counted(all);
  const here = await counted(taken);
  const least = Math.max(1, Math.min(2, taken.length / 10));
  const scored = [...here].filter(([, count]) => count >= least).map(([word, count]) => {
    const share = count / taken.length;
    const usual = ((corpus.usual.get(word) ?? 0) + 1) / (all.length + 1);
    return [word, share * Math.log(share / usual)];
  });
  scored.sort((one, other) => other[1] - one[1] || (one[0] < other[0] ? -1 : 1));
  return scored.filter(([, score]) => score > 0).slice(0, k).map(([word]) => word);
}
