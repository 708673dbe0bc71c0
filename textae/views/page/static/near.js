// Which documents are near a place: a grid over the square, its cells one after another.

class Near {
  constructor(corpus) {
    const { n, xs, ys } = corpus;
    this.corpus = corpus;
    this.bits = Math.max(2, Math.min(9, Math.round(Math.log2(n / 4 + 1) / 2)));
    this.side = 1 << this.bits;
    const shift = 16 - this.bits;
    const cell = (at) => ((ys[at] >> shift) << this.bits) | (xs[at] >> shift);
    this.starts = new Uint32Array(this.side * this.side + 1);
    for (let at = 0; at < n; at++) this.starts[cell(at) + 1]++;
    for (let at = 1; at < this.starts.length; at++) this.starts[at] += this.starts[at - 1];
    this.documents = new Uint32Array(n);
    const next = this.starts.slice();
    for (let at = 0; at < n; at++) this.documents[next[cell(at)]++] = at;
  }

  /** Call `visit` with each document in the cells that a box touches. */
  within(left, top, right, bottom, visit) {
    const { side, starts, documents } = this;
    const clamp = (share) => Math.min(side - 1, Math.max(0, Math.floor(share * side)));
    const [first, last] = [clamp(left), clamp(right)];
    for (let row = clamp(top); row <= clamp(bottom); row++) {
      for (let at = starts[row * side + first]; at < starts[row * side + last + 1]; at++) visit(documents[at]);
    }
  }

  /** The k documents nearest to a place, the nearest first, as [place, distance]. */
  nearest(x, y, k, accepts = () => true, farthest = 2) {
    for (let radius = 1 / this.side; ; radius *= 2) {
      const found = [];
      const reach = Math.min(radius, farthest);
      this.within(x - reach, y - reach, x + reach, y + reach, (at) => {
        const apart = Math.hypot(this.corpus.x(at) - x, this.corpus.y(at) - y);
        if (apart <= reach && accepts(at)) found.push([at, apart]);
      });
      if (found.length >= k || reach >= farthest) {
        return found.sort((one, other) => one[1] - other[1] || one[0] - other[0]).slice(0, k);
      }
    }
  }
}
