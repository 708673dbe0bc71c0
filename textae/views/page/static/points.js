// How points look, whoever draws them.
//
// The renderers have one interface: order(slots) once, colours(rgba) as often as they change, draw(camera, look), and
// `highest`, the pixels of a canvas for one of the screen that they are quick enough for.

/** How large points are, in pixels, and how dense: few are large, many are small and let each other through. */
function appearance(camera, n, drawn) {
  const area = 0.5 * Math.min(camera.width, camera.height) ** 2;
  const spacing = Math.sqrt(area / n);
  const radius = Math.min(7, Math.max(0.75, 0.3 * spacing + 0.4, 0) * Math.max(0.7, camera.zoom) ** 0.42);
  const coverage = (n * Math.PI * radius * radius) / (area * camera.zoom * camera.zoom);
  const alpha = Math.min(0.92, Math.max(0.16, 0.95 / Math.sqrt(1 + 1.5 * coverage)));
  return { radius, alpha: Math.min(0.95, 1 - (1 - alpha) ** (n / Math.max(1, drawn))) };
}

/** The numbers below n in an order without order, the same each time: a part of it stands for all. */
function shuffled(n) {
  const order = Uint32Array.from({ length: n }, (_, at) => at);
  let state = 88172645;
  for (let at = n - 1; at > 0; at--) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const other = (state >>> 0) % (at + 1);
    [order[at], order[other]] = [order[other], order[at]];
  }
  return order;
}

/** The red, green and blue of #rrggbb. */
const channels = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
