// The page: knobs, the crate behind them, languages.

const state = { crate: null, language: 0 };
const CHINESE = {
  head: "头", feature: "特征", length: "长度", wavelength: "波长", before: "缩放前", after: "缩放后",
  factor: "系数", score: "分数", bias: "偏置", value: "数值", "mean cosine": "平均余弦",
  "rotary alone": "仅旋转", "one frame": "一帧", linear: "线性", logarithmic: "对数",
  logarithm: "对数", power: "幂", sinusoidal: "正弦", zeros: "全零", paper: "论文",
  "sin, cos alternating": "正弦、余弦交替", "sines, then cosines": "先正弦后余弦",
  "cosines, then sines": "先余弦后正弦", "both ends included (Whisper)": "包含两端（Whisper）",
  "normal 0.02 (BERT, GPT-2)": "正态 0.02（BERT、GPT-2）", "dynamic NTK": "动态 NTK",
  "uniform 0 to 1 (DETR)": "均匀 0 到 1（DETR）", "halves (Llama, Qwen)": "前后两半（Llama、Qwen）",
  "neighbours (GPT-J, GLM)": "相邻（GPT-J、GLM）", proportional: "按比例",
  "in chunks (Qwen2-VL)": "成段（Qwen2-VL）", "in turn (Qwen3-VL)": "轮流（Qwen3-VL）",
};

/** Asks the crate and returns the text of its answer: JSON. */
function ask(request) {
  const { memory, request: room, answer, answer_len: length } = state.crate;
  const bytes = new TextEncoder().encode(request);
  const at = room(bytes.length);
  new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
  const from = answer();
  return new TextDecoder().decode(new Uint8Array(memory.buffer, from, length()));
}

/** The name of a curve or a panel in the reader's language: a word, and a number perhaps. */
function translated(name) {
  if (state.language === 0) return name;
  const word = Object.keys(CHINESE).find((word) => name === word || name.startsWith(word + " "));
  return word ? CHINESE[word] + name.slice(word.length) : name;
}

function request(section) {
  const knobs = [...section.querySelectorAll(".knobs [name]")];
  const chosen = (knob) => knob.type === "range" ? Number(knob.value) : knob.selectedIndex;
  const value = (knob) => knob.values[chosen(knob)];
  return section.id + "?" + knobs.map((knob) => `${knob.name}=${value(knob)}`).join("&");
}

/** Computes and draws a section; `data-ms` says how long it took. */
function update(section) {
  const start = performance.now();
  const answer = JSON.parse(ask(request(section)));
  const figures = section.querySelector(".figures"), facts = section.querySelector(".facts");
  if (answer.error) {
    figures.replaceChildren();
    facts.innerHTML = "<p class='refused' role='alert'></p>";
    facts.firstChild.textContent = answer.error;
    return;
  }
  facts.replaceChildren(...answer.facts.map(([name, value]) => {
    const pair = document.createElement("div");
    pair.innerHTML = "<dt></dt><dd></dd>";
    pair.firstChild.textContent = name[state.language];
    pair.lastChild.textContent = written(value);
    return pair;
  }));
  const width = Math.max(260, Math.min(560, widthOf(figures, answer.figures.length)));
  figures.replaceChildren(...answer.figures.map((figure) => drawn(figure, width)));
  section.dataset.ms = (performance.now() - start).toFixed(1);
}

function widthOf(figures, count) {
  const all = figures.clientWidth;
  return all >= 858 && count > 1 ? (all - 18) / 2 : all;
}

function drawn(figure, width) {
  const node = document.createElement("figure");
  node.innerHTML = "<figcaption></figcaption><div class='at'></div>";
  const [caption, at] = node.children;
  const names = [figure.x[state.language], figure.y[state.language]];
  caption.textContent = figure.title[state.language];
  const svg = element("svg", { role: "img", "aria-label": caption.textContent });
  const say = (text) => { at.textContent = text; };
  for (const curve of figure.curves || []) curve.label = translated(curve.name);
  if (figure.names) figure.names = figure.names.map(translated);
  const draw = { heat: drawHeat, grids: drawGrids, curves: drawCurves }[figure.kind];
  const height = draw(svg, figure, width, names, say);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.style.maxWidth = width + "px";
  node.insertBefore(svg, at);
  return node;
}

/** A slider for numbers, a list for names. */
function knobOf(knob, section) {
  const label = document.createElement("label");
  const numbers = knob.values.every((value) => !Number.isNaN(Number(value)));
  label.innerHTML = "<span><span lang='en'></span><span lang='zh'></span> <output></output></span>";
  const [english, chinese, output] = label.firstChild.children;
  [english.textContent, chinese.textContent] = knob.label;
  const input = document.createElement(numbers ? "input" : "select");
  input.name = knob.name;
  input.values = knob.values;
  if (numbers) {
    Object.assign(input, { type: "range", min: 0, max: knob.values.length - 1, step: 1 });
    input.value = knob.start;
  } else {
    input.append(...knob.values.map((value) => new Option(translated(value), value)));
    input.selectedIndex = knob.start;
  }
  const show = () => {
    if (!numbers) return;
    output.textContent = knob.values[Number(input.value)];
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", () => { show(); update(section); });
  show();
  label.append(input);
  return label;
}

function speak(language) {
  state.language = language;
  document.documentElement.lang = ["en", "zh"][language];
  document.title = ["Positional encodings: a gallery", "位置编码画廊"][language];
  document.getElementById("language").textContent = ["中文", "English"][language];
  for (const option of document.querySelectorAll("option")) {
    option.textContent = translated(option.value);
  }
  if (state.crate) document.querySelectorAll("section[data-ms]").forEach(update);
}

/** Sections are computed when they come near to the window. */
function start() {
  const watcher = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      watcher.unobserve(target);
      update(target);
    }
  }, { rootMargin: "600px" });
  for (const part of JSON.parse(document.getElementById("catalogue").textContent)) {
    for (const method of part.methods) {
      const section = document.getElementById(method.id);
      section.querySelector(".knobs").append(...method.knobs.map((knob) => knobOf(knob, section)));
      watcher.observe(section);
    }
  }
  let last = innerWidth, timer = 0;
  addEventListener("resize", () => {
    if (innerWidth === last) return;
    last = innerWidth;
    clearTimeout(timer);
    timer = setTimeout(() => document.querySelectorAll("section[data-ms]").forEach(update), 150);
  });
}

async function load() {
  const text = document.getElementById("wasm").textContent;
  if (!text || typeof WebAssembly !== "object") throw new Error("no WebAssembly in this page");
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = await new Response(unpacked).arrayBuffer();
  state.crate = (await WebAssembly.instantiate(bytes)).instance.exports;
  start();
  document.documentElement.dataset.ready = "yes";
}

document.querySelectorAll(".knobs").forEach((form) => form.addEventListener("submit", (event) => {
  event.preventDefault();
}));
document.getElementById("language").addEventListener("click", () => speak(1 - state.language));
if (navigator.language.startsWith("zh")) speak(1);
load().catch(() => {
  document.getElementById("still").hidden = false;
  document.documentElement.dataset.ready = "no";
});
