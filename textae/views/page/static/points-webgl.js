// Points by WebGL 2: places are sent once, colours when they change, and a frame is one call.

const VERTEX = `#version 300 es
uniform vec2 middle, stretch;
uniform float size;
in vec2 place;
in vec4 colour;
out vec4 tint;
void main() {
  gl_Position = vec4((place - middle) * stretch, 0.0, 1.0);
  gl_PointSize = colour.a > 0.0 ? size : 0.0;
  if (colour.a == 0.0) gl_Position.x = 9.0;
  tint = colour;
}`;

const FRAGMENT = `#version 300 es
precision highp float;
uniform float radius, size, alpha;
in vec4 tint;
out vec4 pixel;
void main() {
  float cover = clamp(radius + 0.5 - distance(gl_PointCoord, vec2(0.5)) * size, 0.0, 1.0) * alpha * tint.a;
  pixel = vec4(tint.rgb * cover, cover);
}`;

class WebglPoints {
  /** Null where the browser has no WebGL 2 that works, or, unless it is wanted all the same, a slow one. */
  static on(canvas, corpus, wanted) {
    const gl = canvas.getContext("webgl2", {
      alpha: true, antialias: false, depth: false, premultipliedAlpha: true, failIfMajorPerformanceCaveat: !wanted,
    });
    if (!gl || (!wanted && isSoftware(gl))) return null;
    const points = new WebglPoints(gl, canvas, corpus);
    return points.works ? points : null;
  }

  constructor(gl, canvas, corpus) {
    Object.assign(this, { gl, canvas, corpus, highest: 2 });
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => {
      this.#prepare();
      this.order(this.slots);
      this.colours(this.rgba);
    });
    this.#prepare();
  }

  #prepare() {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    this.works = gl.getProgramParameter(program, gl.LINK_STATUS);
    if (!this.works) return;
    gl.useProgram(program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    const names = ["middle", "stretch", "size", "radius", "alpha"];
    this.uniforms = Object.fromEntries(names.map((name) => [name, gl.getUniformLocation(program, name)]));
    this.places = this.#attribute(program, "place", 2, gl.UNSIGNED_SHORT);
    this.tints = this.#attribute(program, "colour", 4, gl.UNSIGNED_BYTE);
  }

  #attribute(program, name, numbers, kind) {
    const { gl } = this;
    const buffer = gl.createBuffer();
    const at = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, numbers, kind, true, 0, 0);
    return buffer;
  }

  order(slots) {
    const { gl, corpus } = this;
    this.slots = slots;
    const places = new Uint16Array(2 * slots.length);
    slots.forEach((at, slot) => {
      places[2 * slot] = corpus.xs[at];
      places[2 * slot + 1] = corpus.ys[at];
    });
    gl.bindBuffer(gl.ARRAY_BUFFER, this.places);
    gl.bufferData(gl.ARRAY_BUFFER, places, gl.STATIC_DRAW);
  }

  colours(rgba) {
    const { gl } = this;
    this.rgba = rgba;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.tints);
    gl.bufferData(gl.ARRAY_BUFFER, rgba, gl.DYNAMIC_DRAW);
  }

  draw(camera, { radius, alpha, count, ratio }) {
    const { gl, canvas, uniforms } = this;
    const size = 2 * radius * ratio + 1;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(uniforms.middle, camera.x, camera.y);
    gl.uniform2f(uniforms.stretch, (2 * camera.scale) / camera.width, (-2 * camera.scale) / camera.height);
    gl.uniform1f(uniforms.size, size);
    gl.uniform1f(uniforms.radius, radius * ratio);
    gl.uniform1f(uniforms.alpha, alpha);
    gl.drawArrays(gl.POINTS, 0, count);
  }
}

/** Whether a processor does the work of a graphics card, which not all browsers admit when they are asked. */
function isSoftware(gl) {
  const told = gl.getExtension("WEBGL_debug_renderer_info");
  return told !== null && /swiftshader|llvmpipe|softpipe|software|basic render/i.test(
    gl.getParameter(told.UNMASKED_RENDERER_WEBGL));
}
