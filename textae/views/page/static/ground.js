// The land: where documents are dense, as contour lines around most, many and the densest of them.

const LAND = 192; // cells of a side
const INSIDE = [0.985, 0.6, 0.25]; // shares of the documents within each line

class Ground {
  constructor(corpus) {
    const width = Math.max(1.4, Math.min(6, 7 * corpus.n ** (-1 / 6))); // of the blur, in cells: few documents, wide
    this.density = blurred(counted(corpus), width);
    const levels = this.#levels(corpus);
    this.coast = levels[0];
    this.paths = levels.map((level) => contour(this.density, level));
  }

  #levels(corpus) {
    const stride = Math.max(1, Math.floor(corpus.n / 20000));
    const at = [];
    for (let document = 0; document < corpus.n; document += stride) {
      at.push(this.at(corpus.x(document), corpus.y(document)));
    }
    at.sort((one, other) => other - one);
    return INSIDE.map((share, turn) => at[Math.floor(share * (at.length - 1))] * (turn ? 1 : 0.5));
  }

  /** How dense documents are at a place. */
  at(x, y) {
    const clamp = (share) => Math.min(LAND - 1, Math.max(0, Math.floor(share * LAND)));
    return this.density[clamp(y) * LAND + clamp(x)];
  }

  draw(context, camera, ratio, look) {
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = look.sea;
    context.fillRect(0, 0, context.canvas.width, context.canvas.height);
    const scale = camera.scale * ratio;
    context.setTransform(scale, 0, 0, scale, camera.screenX(0) * ratio, camera.screenY(0) * ratio);
    context.lineJoin = "round";
    this.paths.forEach((path, turn) => {
      context.fillStyle = look.land[turn];
      context.fill(path);
      context.lineWidth = ((turn ? 0.6 : 1.1) * ratio) / scale;
      context.strokeStyle = look.coast;
      context.stroke(path);
    });
  }
}

function counted(corpus) {
  const counts = new Float32Array(LAND * LAND);
  const { n, xs, ys } = corpus;
  for (let at = 0; at < n; at++) counts[((ys[at] * LAND) >> 16) * LAND + ((xs[at] * LAND) >> 16)]++;
  return counts;
}

/** The grid after a Gaussian of some width: along the rows, then along the columns. */
function blurred(grid, width) {
  const reach = Math.ceil(3 * width);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, at) => Math.exp(-((at - reach) ** 2) / (2 * width * width)));
  const pass = (from, along, across) => {
    const to = new Float32Array(from.length);
    for (let row = 0; row < LAND; row++) {
      for (let column = 0; column < LAND; column++) {
        let sum = 0;
        for (let at = Math.max(-reach, -column); at <= Math.min(reach, LAND - 1 - column); at++) {
          sum += weights[at + reach] * from[row * across + (column + at) * along];
        }
        to[row * across + column * along] = sum;
      }
    }
    return to;
  };
  return pass(pass(grid, 1, LAND), LAND, 1);
}

/**
 * The lines around what lies above a level, in shares of the side (marching squares, Lorensen & Cline 1987, on the
 * plane): each square of four cells gives pieces of line that keep the high ground on one side, so that each piece
 * ends where another one begins.
 */
function contour(grid, level) {
  const value = (row, column) =>
    row < 0 || column < 0 || row >= LAND || column >= LAND ? 0 : grid[row * LAND + column];
  // Edges are named by the cell that they leave, and whether they go right (0) or down (1).
  const name = (row, column, down) => ((row + 1) * (LAND + 2) + column + 1) * 2 + down;
  const next = new Map();
  for (let row = -1; row < LAND; row++) {
    for (let column = -1; column < LAND; column++) {
      const above = [
        value(row, column) > level, value(row, column + 1) > level,
        value(row + 1, column + 1) > level, value(row + 1, column) > level,
      ];
      if (above[0] === above[1] && above[1] === above[2] && above[2] === above[3]) continue;
      const edges = [name(row, column, 0), name(row, column + 1, 1), name(row + 1, column, 0), name(row, column, 1)];
      // Going around the square, what enters the high ground is bound to what leaves it next.
      for (let at = 0; at < 4; at++) {
        if (above[at] || !above[(at + 1) % 4]) continue;
        let leaves = (at + 1) % 4;
        while (above[(leaves + 1) % 4]) leaves = (leaves + 1) % 4;
        next.set(edges[at], edges[leaves]);
      }
    }
  }
  const place = (edge) => {
    const down = edge & 1, cell = edge >> 1;
    const row = Math.floor(cell / (LAND + 2)) - 1, column = (cell % (LAND + 2)) - 1;
    const from = value(row, column), to = value(row + down, column + 1 - down);
    const share = Math.min(1, Math.max(0, (level - from) / (to - from)));
    return [(column + 0.5 + (down ? 0 : share)) / LAND, (row + 0.5 + (down ? share : 0)) / LAND];
  };
  const path = new Path2D();
  while (next.size) {
    const line = [];
    for (let edge = next.keys().next().value; next.has(edge); ) {
      line.push(place(edge));
      const to = next.get(edge);
      next.delete(edge);
      edge = to;
    }
    round(path, line);
  }
  return path;
}

/** Add a closed line to a path, its corners rounded: through the middles of its pieces. */
function round(path, line) {
  const middle = ([x, y], [otherX, otherY]) => [(x + otherX) / 2, (y + otherY) / 2];
  path.moveTo(...middle(line[line.length - 1], line[0]));
  line.forEach((corner, at) => path.quadraticCurveTo(...corner, ...middle(corner, line[(at + 1) % line.length])));
  path.closePath();
}
