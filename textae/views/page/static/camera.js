// What is seen of the square: its middle in shares of the side, and how many pixels the side has.

class Camera {
  constructor(home) {
    this.home = home; // [left, top, right, bottom] of what is shown at first
    this.x = this.y = 0.5;
    this.scale = this.homeScale = 1;
    this.width = this.height = 1;
    this.insets = { left: 0, right: 0, top: 0, bottom: 0 }; // pixels that something covers
    this.goal = null; // where it is going: { x, y, scale, pace }
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
  }

  get zoom() { return this.scale / this.homeScale; }
  get moving() { return this.goal !== null; }
  /** Whether the whole map is seen, as at first. */
  get atHome() {
    const home = this.fitted(this.home);
    return Math.hypot(home.x - this.x, home.y - this.y) < 0.01 && Math.abs(this.zoom - 1) < 0.01;
  }
  screenX(x) { return (x - this.x) * this.scale + this.width / 2; }
  screenY(y) { return (y - this.y) * this.scale + this.height / 2; }
  worldX(px) { return (px - this.width / 2) / this.scale + this.x; }
  worldY(py) { return (py - this.height / 2) / this.scale + this.y; }

  /** Another size: the whole map stays whole, and of a part the upper left corner stays. */
  resize(width, height, insets, whole) {
    this.x += (width - this.width) / 2 / this.scale;
    this.y += (height - this.height) / 2 / this.scale;
    Object.assign(this, { width, height, insets });
    const home = this.fitted(this.home);
    this.homeScale = home.scale;
    if (whole) Object.assign(this, home);
  }

  /** How a box [left, top, right, bottom] is seen as a whole. */
  fitted([left, top, right, bottom], closest = Infinity) {
    const { insets } = this;
    const wide = Math.max(80, this.width - insets.left - insets.right);
    const high = Math.max(80, this.height - insets.top - insets.bottom);
    const scale = Math.min(
      (0.9 * wide) / Math.max(right - left, 1e-5), (0.9 * high) / Math.max(bottom - top, 1e-5), closest, 65535);
    return {
      x: (left + right) / 2 - (insets.left - insets.right) / 2 / scale,
      y: (top + bottom) / 2 - (insets.top - insets.bottom) / 2 / scale,
      scale,
    };
  }

  flyTo(view, pace = 130) { this.goal = { ...view, pace }; }
  flyHome() { this.flyTo(this.fitted(this.home)); }

  /** Come closer by a factor, the world at a pixel staying where it is. */
  zoomAt(px, py, factor, pace = 70) {
    const from = this.goal ?? this;
    const scale = Math.min(Math.max(from.scale * factor, this.homeScale / 3), Math.max(this.homeScale * 8, 130000));
    const apart = 1 / from.scale - 1 / scale;
    const x = from.x + (px - this.width / 2) * apart;
    const y = from.y + (py - this.height / 2) * apart;
    this.flyTo({ x, y, scale }, pace);
  }

  pan(dx, dy) {
    this.goal = null;
    this.x = Math.min(1.2, Math.max(-0.2, this.x - dx / this.scale));
    this.y = Math.min(1.2, Math.max(-0.2, this.y - dy / this.scale));
  }

  /** Go on towards the goal, by as much as some milliseconds allow. */
  step(milliseconds) {
    const { goal } = this;
    if (!goal) return;
    const share = this.still.matches ? 1 : 1 - Math.exp(-milliseconds / goal.pace);
    const from = this.scale;
    this.scale *= (goal.scale / from) ** share;
    // The centre moves so that one place of the screen stays where it is.
    const turn = Math.abs(goal.scale / from - 1);
    const way = turn > 1e-3 ? (1 / from - 1 / this.scale) / (1 / from - 1 / goal.scale) : share;
    this.x += (goal.x - this.x) * way;
    this.y += (goal.y - this.y) * way;
    const left = Math.hypot(goal.x - this.x, goal.y - this.y) * goal.scale;
    if (left < 0.3 && Math.abs(goal.scale / this.scale - 1) < 5e-4) {
      Object.assign(this, { x: goal.x, y: goal.y, scale: goal.scale, goal: null });
    }
  }
}
