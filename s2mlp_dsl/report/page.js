"use strict";
// A statement, its box and its row light up together.
for (const model of document.querySelectorAll("section.model")) {
  const parts = new Map();
  const add = (path, element) => {
    if (!parts.has(path)) parts.set(path, []);
    parts.get(path).push(element);
  };
  for (const one of model.querySelectorAll("[data-p]")) {
    for (const path of one.dataset.p.split(" ")) add(path, one);
  }
  for (const picture of model.querySelectorAll(".diagram .picture")) {
    const boxes = new Map();
    for (const box of picture.querySelectorAll("g.node")) {
      boxes.set(box.querySelector("title")?.textContent, box);
    }
    for (const path of parts.keys()) {
      // A block that is drawn closed stands for the statements inside.
      let at = path;
      while (at && !boxes.has(at)) at = at.slice(0, Math.max(at.lastIndexOf("."), 0));
      const box = boxes.get(at);
      if (!box) continue;
      box.dataset.p = box.dataset.p ? `${box.dataset.p} ${path}` : path;
      box.setAttribute("tabindex", "0");
      add(path, box);
    }
  }
  const source = model.querySelector(".source");
  const light = (event, lit) => {
    const from = event.target.closest("[data-p], [data-of]");
    if (!from || !model.contains(from)) return;
    from.classList.toggle("lit", lit);
    const paths = (from.dataset.of ?? from.dataset.p).split(" ");
    const others = paths.flatMap((path) => parts.get(path) ?? []);
    for (const one of others) one.classList.toggle("lit", lit);
    const text = others.find((one) => source.contains(one));
    if (lit && text && !source.contains(from)) reveal(text);
  };
  // The source scrolls by itself, beside the diagram; the page stays where it is.
  const reveal = (text) => {
    const [pane, line] = [source.getBoundingClientRect(), text.getBoundingClientRect()];
    if (line.top >= pane.top && line.bottom <= pane.bottom) return;
    source.scrollTop += line.top - pane.top - pane.height / 3;
  };
  for (const name of ["mouseover", "focusin"]) {
    model.addEventListener(name, (event) => light(event, true));
  }
  for (const name of ["mouseout", "focusout"]) {
    model.addEventListener(name, (event) => light(event, false));
  }
}

// A head sorts its column; once more turns the order round.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.querySelectorAll("th")];
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((one) => one.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => {
        const cell = row.cells[column];
        return "v" in cell.dataset ? Number(cell.dataset.v) : cell.textContent;
      };
      const compare = (a, b) =>
        typeof a === "number" && typeof b === "number"
          ? a - b || 0
          : String(a).localeCompare(String(b), "en", { numeric: true });
      const body = table.tBodies[0];
      const rows = [...body.rows].sort((a, b) => compare(key(a), key(b)));
      body.append(...(down ? rows.reverse() : rows));
    });
  });
}

// What a position sees, at a depth.
async function inflate(text) {
  const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function receptive_field(widget) {
  const data = JSON.parse(widget.querySelector("script").textContent);
  const bits = await inflate(data.bits);
  const [height, width] = data.grid;
  const total = height * width;
  const size = (total + 7) >> 3;
  const starts = [0];
  for (const [h, w] of data.maps) starts.push(starts.at(-1) + h * w * size);
  const grid = widget.querySelector(".grid");
  const said = widget.querySelector("[aria-live]");
  const slider = widget.querySelector("input");
  const cells = [];
  for (let at = 0; at < total; at++) {
    const cell = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    cell.setAttribute("x", at % width);
    cell.setAttribute("y", Math.floor(at / width));
    cell.setAttribute("width", 1);
    cell.setAttribute("height", 1);
    cells.push(cell);
  }
  grid.append(...cells);
  let [y, x] = [height >> 1, width >> 1];

  function show() {
    const step = Number(slider.value) - 1;
    const here = y * width + x;
    let seen = 0;
    const [h, w] = step < 0 ? data.grid : data.maps[step];
    // A later map may be smaller: the position there that stands over this one.
    const place = Math.floor((y * h) / height) * w + Math.floor((x * w) / width);
    cells.forEach((cell, at) => {
      const from = starts[step] + place * size + (at >> 3);
      const sees = step < 0 ? at === here : (bits[from] >> (at & 7)) & 1;
      seen += Number(sees);
      cell.setAttribute("class", at === here ? "chosen" : sees ? "seen" : "");
    });
    const depth = step < 0 ? 0 : data.depths[step];
    const more = step === data.depths.length - 1 && depth < data.iterations;
    said.textContent =
      `After ${depth} of ${data.iterations} iterations, row ${y + 1}, column ${x + 1} ` +
      `sees ${seen} of ${total} positions.` + (more ? " More of them change nothing." : "");
    slider.setAttribute("aria-valuetext", `${depth} iterations`);
  }
  const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  grid.addEventListener("keydown", (event) => {
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    y = Math.min(Math.max(y + move[0], 0), height - 1);
    x = Math.min(Math.max(x + move[1], 0), width - 1);
    show();
  });
  grid.addEventListener("click", (event) => {
    const at = cells.indexOf(event.target);
    if (at < 0) return;
    [y, x] = [Math.floor(at / width), at % width];
    show();
  });
  slider.addEventListener("input", show);
  show();
}
for (const widget of document.querySelectorAll(".receptive-field")) receptive_field(widget);

const themes = ["system", "light", "dark"];
const button = document.getElementById("theme");
button.addEventListener("click", () => {
  const root = document.documentElement;
  const next = themes[(themes.indexOf(root.dataset.theme ?? "system") + 1) % themes.length];
  if (next === "system") delete root.dataset.theme;
  else root.dataset.theme = next;
  button.textContent = `Theme: ${next}`;
});
