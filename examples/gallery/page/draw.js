"use strict";
// Figures as SVG. All numbers come from the crate; here they only become pixels.

const SVG = "http://www.w3.org/2000/svg";
const VIRIDIS = [[68, 1, 84], [71, 45, 123], [59, 82, 139], [44, 114, 142], [33, 145, 140],
  [40, 174, 128], [94, 201, 98], [173, 220, 48], [253, 231, 37]];
const DASHES = ["", "8 4", "3 3"];

function element(name, attributes, parent, text) {
  const made = document.createElementNS(SVG, name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

/** The colour of a share from 0 to 1. */
function shade(share) {
  const along = Math.min(Math.max(share, 0), 1) * (VIRIDIS.length - 1);
  const low = Math.min(Math.floor(along), VIRIDIS.length - 2);
  const mix = (from, i) => Math.round(from + (VIRIDIS[low + 1][i] - from) * (along - low));
  return VIRIDIS[low].map(mix);
}

/** A number as people write it, of six digits at most. */
function written(value) {
  if (value === null) return "?";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const short = size >= 1e5 || size < 1e-4;
  const text = short ? value.toExponential(2).replace(/\.?0*e\+?/, "e")
    : String(Number(value.toPrecision(6)));
  return text.replace("-", "−");
}

/** An axis from `from` to `to` on pixels `start` to `end`; its ticks are `least` apart at least. */
function scale(from, to, start, end, log, least = 0) {
  const on = log ? Math.log : (value) => value;
  const at = (value) => start + ((on(value) - on(from)) / (on(to) - on(from))) * (end - start);
  const low = Math.min(from, to), high = Math.max(from, to);
  const ticks = [];
  if (log) {
    const first = Math.ceil(Math.log10(low)), last = Math.floor(Math.log10(high));
    const step = Math.max(1, Math.ceil((last - first + 1) / 7));
    for (let power = first; power <= last; power += step) ticks.push(Number("1e" + power));
  } else {
    const most = Math.max(2, Math.min(8, Math.abs(end - start) / 52));
    const finest = Math.max((high - low) / most, least);
    const unit = 10 ** Math.floor(Math.log10(finest));
    const step = [1, 2, 5, 10].find((factor) => factor * unit >= finest * (1 - 1e-9)) * unit;
    const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
    for (let i = first; i <= last; i++) ticks.push(i * step);
  }
  return { at, ticks };
}

function drawAxes(svg, box, x, y, names, lines) {
  const { left, top, right, bottom } = box;
  for (const value of x.ticks) {
    const at = x.at(value);
    if (lines) element("path", { class: "grid", d: `M${at} ${top}V${bottom}` }, svg);
    element("path", { class: "axis", d: `M${at} ${bottom}v5` }, svg);
    element("text", { x: at, y: bottom + 18, "text-anchor": "middle" }, svg, written(value));
  }
  for (const value of y.ticks) {
    const at = y.at(value);
    if (lines) element("path", { class: "grid", d: `M${left} ${at}H${right}` }, svg);
    element("path", { class: "axis", d: `M${left} ${at}h-5` }, svg);
    element("text", { x: left - 8, y: at + 4, "text-anchor": "end" }, svg, written(value));
  }
  element("path", { class: "axis", d: `M${left} ${top}V${bottom}H${right}` }, svg);
  drawNames(svg, names, (left + right) / 2, bottom + 36, (top + bottom) / 2);
}

/** The names of the axes: below, and upwards at the left. */
function drawNames(svg, names, across, below, beside) {
  element("text", { x: across, y: below, "text-anchor": "middle" }, svg, names[0]);
  const turned = `rotate(-90 12 ${beside})`;
  element("text", { x: 12, y: beside, "text-anchor": "middle", transform: turned }, svg, names[1]);
}

/** Calls `move` with the place of the pointer in a figure. */
function follow(svg, move) {
  svg.addEventListener("pointermove", (event) => {
    const at = new DOMPoint(event.clientX, event.clientY);
    move(at.matrixTransform(svg.getScreenCTM().inverse()));
  });
}

function ends(values) {
  let low = Infinity, high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** The range of colours: zero is in the middle where there are both signs. */
function colourRange(matrices) {
  const all = matrices.map((rows) => ends(rows.flatMap((row) => ends(row)))).flat();
  let [low, high] = ends(all);
  if (low < 0 && high > 0) {
    high = Math.max(high, -low);
    low = -high;
  }
  return low < high ? [low, high] : [low - 0.5, high + 0.5];
}

/** Cells as an image of one pixel each, which the browser enlarges. */
function cells(svg, rows, [low, high], box) {
  const canvas = document.createElement("canvas");
  canvas.height = rows.length;
  canvas.width = rows[0].length;
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  rows.flat().forEach((value, i) => {
    image.data.set([...shade((value - low) / (high - low)), 255], i * 4);
  });
  context.putImageData(image, 0, 0);
  element("image", { x: box.left, y: box.top, width: box.right - box.left,
    height: box.bottom - box.top, preserveAspectRatio: "none", style: "image-rendering:pixelated",
    href: canvas.toDataURL() }, svg);
}

function colours(svg, [low, high], x, top, bottom) {
  const gradient = element("linearGradient", { id: "viridis", x1: 0, x2: 0, y1: 1, y2: 0 }, svg);
  VIRIDIS.forEach((colour, i) => element("stop",
    { offset: i / (VIRIDIS.length - 1), "stop-color": `rgb(${colour})` }, gradient));
  element("rect", { x, y: top, width: 14, height: bottom - top, fill: "url(#viridis)" }, svg);
  const y = scale(low, high, bottom, top);
  for (const value of y.ticks) {
    element("path", { class: "axis", d: `M${x + 14} ${y.at(value)}h4` }, svg);
    element("text", { x: x + 21, y: y.at(value) + 4 }, svg, written(value));
  }
}

function drawHeat(svg, figure, width, names, say) {
  const rows = figure.rows, height = Math.max(150, Math.min(300, rows.length * 24));
  const box = { left: 56, top: 8, right: width - 74, bottom: height + 8 };
  const range = colourRange([rows]);
  cells(svg, rows, range, box);
  const x = scale(-0.5, rows[0].length - 0.5, box.left, box.right, false, 1);
  const y = scale(rows.length - 0.5, -0.5, box.bottom, box.top, false, 1);
  drawAxes(svg, box, x, y, names, false);
  colours(svg, range, width - 62, box.top, box.bottom);
  follow(svg, (point) => {
    const column = Math.floor((point.x - box.left) / (box.right - box.left) * rows[0].length);
    const row = Math.floor((point.y - box.top) / (box.bottom - box.top) * rows.length);
    const value = rows[row] && rows[row][column];
    if (value !== undefined) say(`${names[1]} ${row}, ${names[0]} ${column}: ${written(value)}`);
  });
  return box.bottom + 44;
}

function drawGrids(svg, figure, width, names) {
  const columns = Math.min(figure.grids.length, 3), range = colourRange(figure.grids);
  const [rows, across] = [figure.grids[0].length, figure.grids[0][0].length];
  const cell = (width - 96) / columns, side = Math.min((cell - 8) / across, 130 / rows);
  const line = side * rows + 24;
  figure.grids.forEach((grid, i) => {
    const left = 22 + (i % columns) * cell + (cell - side * across) / 2;
    const top = Math.floor(i / columns) * line + 18;
    element("text", { x: left + side * across / 2, y: top - 5, "text-anchor": "middle" }, svg,
      figure.names[i]);
    cells(svg, grid, range, { left, top, right: left + side * across, bottom: top + side * rows });
  });
  const bottom = Math.ceil(figure.grids.length / columns) * line;
  drawNames(svg, names, (width - 74) / 2, bottom + 16, bottom / 2);
  colours(svg, range, width - 62, 18, Math.max(bottom, 110));
  return Math.max(bottom + 24, 124);
}

/** A sign of some 8 pixels: circle, square, triangle, diamond. */
function sign(svg, x, y, i) {
  const shapes = ["M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0", "M-4 -4h8v8h-8z", "M0 -5L5 4H-5z",
    "M0 -6L6 0L0 6L-6 0z"];
  const fill = `var(--c${i % 6})`;
  element("path", { d: shapes[i % 4], transform: `translate(${x} ${y})`, fill }, svg);
}

/** One curve with its dashes and signs; returns its style, for the legend. */
function drawCurve(svg, figure, curve, i, x, y) {
  let d = "";
  curve.x.forEach((value, j) => {
    d += `${j ? "L" : "M"}${x.at(value).toFixed(1)} ${y.at(curve.y[j]).toFixed(1)}`;
    if (figure.stairs && j + 1 < curve.x.length) d += `H${x.at(curve.x[j + 1]).toFixed(1)}`;
  });
  const style = { d, fill: "none", stroke: `var(--c${i % 6})`, "stroke-width": 2,
    "stroke-dasharray": DASHES[i % 3] };
  element("path", style, svg);
  const every = Math.ceil(curve.x.length / 8), first = Math.floor((i * every) / 6) % every;
  for (let j = first; j < curve.x.length; j += every) {
    sign(svg, x.at(curve.x[j]), y.at(curve.y[j]), i);
  }
  return style;
}

function drawCurves(svg, figure, width, names, say) {
  const legend = 24 * Math.ceil(figure.curves.length / 2);
  const box = { left: 64, top: legend + 8, right: width - 12, bottom: legend + 238 };
  const [x0, x1] = ends(figure.curves.flatMap((curve) => ends(curve.x)));
  let [low, high] = ends(figure.curves.flatMap((curve) => ends(curve.y)));
  const margin = figure.log ? 1.5 : (high - low) * 0.06 || 0.5;
  [low, high] = figure.log ? [low / margin, high * margin] : [low - margin, high + margin];
  const x = scale(x0, x1, box.left, box.right);
  const y = scale(low, high, box.bottom, box.top, figure.log);
  drawAxes(svg, box, x, y, names, true);
  figure.curves.forEach((curve, i) => {
    const style = drawCurve(svg, figure, curve, i, x, y);
    const [left, top] = [box.left + (i % 2) * ((width - 76) / 2), 12 + 24 * Math.floor(i / 2)];
    element("path", { ...style, d: `M${left} ${top}h34` }, svg);
    sign(svg, left + 17, top, i);
    element("text", { x: left + 42, y: top + 4 }, svg, curve.label);
  });
  follow(svg, (point) => {
    const curve = figure.curves[0];
    const share = (point.x - box.left) / (box.right - box.left);
    const value = x0 + share * (x1 - x0);
    let near = 0;
    curve.x.forEach((at, j) => {
      if (Math.abs(at - value) < Math.abs(curve.x[near] - value)) near = j;
    });
    const parts = figure.curves.filter((other) => other.x.length === curve.x.length)
      .map((other) => `${other.label} ${written(other.y[near])}`);
    if (share >= 0 && share <= 1) say(`${names[0]} ${written(curve.x[near])}: ${parts.join(", ")}`);
  });
  return box.bottom + 44;
}
