// Points without a graphics card: each is stamped into the pixels of an image, as WebGL blends them.

/** How a disc of a radius covers pixels, for 4 × 4 places of its middle between them. */
function stamps(radius) {
  const side = Math.ceil(2 * radius) + 2;
  return Array.from({ length: 16 }, (_, turn) => {
    const middleX = side / 2 + ((turn & 3) + 0.5) / 4 - 0.5, middleY = side / 2 + ((turn >> 2) + 0.5) / 4 - 0.5;
    const pixels = [];
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const apart = Math.hypot(column + 0.5 - middleX, row + 0.5 - middleY);
        const cover = Math.min(1, Math.max(0, radius + 0.5 - apart));
        if (cover > 0.02) pixels.push([row - (side >> 1), column - (side >> 1), Math.round(cover * 256)]);
      }
    }
    return pixels;
  });
}

class CanvasPoints {
  constructor(canvas, corpus) {
    this.context = canvas.getContext("2d", { willReadFrequently: true });
    this.corpus = corpus;
    this.highest = 1;
  }

  order(slots) { this.slots = slots; }
  colours(rgba) { this.rgba = rgba; }

  draw(camera, { radius, alpha, count, ratio, ground }) {
    const { canvas } = this.context;
    const { width, height } = canvas;
    this.context.drawImage(ground, 0, 0);
    const image = this.context.getImageData(0, 0, width, height);
    this.#stamp(image.data, width, height, camera, radius * ratio, alpha, count, ratio);
    this.context.putImageData(image, 0, 0);
  }

  #stamp(pixels, width, height, camera, radius, alpha, count, ratio) {
    const { slots, rgba, corpus: { xs, ys } } = this;
    const masks = stamps(radius).map((mask) => ({
      shifts: Int32Array.from(mask, ([row, column]) => (row * width + column) * 4),
      covers: Int32Array.from(mask, ([, , cover]) => Math.round(cover * alpha)),
    }));
    const scale = (camera.scale * ratio) / 65535;
    const left = camera.screenX(0) * ratio, top = camera.screenY(0) * ratio;
    const margin = Math.ceil(radius) + 2;
    const right = width - margin, bottom = height - margin;
    for (let slot = 0; slot < count; slot++) {
      const cover = rgba[4 * slot + 3];
      if (!cover) continue;
      const at = slots[slot];
      const x = xs[at] * scale + left, y = ys[at] * scale + top;
      if (x < margin || y < margin || x >= right || y >= bottom) continue;
      const column = x | 0, row = y | 0;
      const { shifts, covers } = masks[(((y - row) * 4) << 2) | ((x - column) * 4)];
      const red = rgba[4 * slot], green = rgba[4 * slot + 1], blue = rgba[4 * slot + 2];
      const start = (row * width + column) * 4;
      for (let one = 0; one < shifts.length; one++) {
        const pixel = start + shifts[one], share = covers[one] * cover;
        pixels[pixel] += ((red - pixels[pixel]) * share) / 65280;
        pixels[pixel + 1] += ((green - pixels[pixel + 1]) * share) / 65280;
        pixels[pixel + 2] += ((blue - pixels[pixel + 2]) * share) / 65280;
      }
    }
  }
}
