// Elements of the page. Texts become text nodes and nothing else: no document is ever read as HTML.

const byId = (id) => document.getElementById(id);

/** An element with properties (on… listens, aria-… and data-… are attributes, others are properties) and children. */
function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "colour") made.style.setProperty("--colour", value);
    else if (/^(aria|data)-|^role$/.test(key)) made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const number = new Intl.NumberFormat("en-GB");
const amount = (n, one, many = `${one}s`) => `${number.format(n)} ${n === 1 ? one : many}`;

const swatch = (colour) => element("span", { className: "swatch", colour, "aria-hidden": "true" });

/** A picture of a document, each of its pixels a square; the page's policy lets it come from the page or its server. */
const thumbnail = ({ src, alt, digits, shape }) =>
  digits ? drawn(digits, shape, alt) : element("img", { className: "picture", src, alt });

/** A picture that the page holds as text: a digit of 16 levels for each pixel and channel. */
function drawn(digits, [height, width, channels], alt) {
  const canvas = element("canvas", { className: "picture", height, width, role: "img", "aria-label": alt });
  const context = canvas.getContext("2d"), image = context.createImageData(width, height);
  for (let at = 0; at < 4 * height * width; at++) {
    const digit = digits[Math.floor(at / 4) * channels + (at % 4) % channels];
    image.data[at] = at % 4 === 3 ? 255 : 17 * parseInt(digit, 16);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** A text that may be in any direction, kept from turning what stands beside it. */
const foreign = (text, name = "span", className = "") => element(name, { dir: "auto", className, textContent: text });

/** Say something to those who listen. */
const announce = (text) => { byId("said").textContent = text; };

/** The text's first characters on one line. */
function shortened(text, length) {
  const line = text.slice(0, 4 * length).replace(/\s+/g, " ").trim();
  return line.length > length ? `${line.slice(0, length).replace(/[\uD800-\uDBFF]$/, "")}…` : line;
}

/** Let the browser draw before a long work goes on. */
const breath = () => new Promise((resolve) => setTimeout(resolve));
