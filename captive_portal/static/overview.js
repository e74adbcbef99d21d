// Draws the charts of the first page from its tables, and again when live.js has renewed a table.
// Without it the tables stand there open.

const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 5], [1, 5]];
const COLOURS = ["accent-base", "danger-base", "success-base", "warning-border", "neutral-border", "info-border"];
const charts = new Map();

const theme = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--ds-color-${name}-default`).trim();

function read(table) {
  const rows = [...table.tBodies[0].rows];
  const names = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent);
  return {
    names,
    short: rows.map((row) => row.dataset.short),
    long: rows.map((row) => row.cells[0].textContent),
    data: [rows.map((_, place) => place), ...names.map((_, column) => rows.map((row) => Number(row.cells[column + 1].dataset.value)))],
  };
}

function draw(holder) {
  const table = document.querySelector(`#${holder.dataset.chart} table`);
  const found = read(table);
  charts.get(holder)?.destroy();
  charts.delete(holder);
  holder.replaceChildren();
  holder.hidden = found.names.length === 0;
  if (holder.hidden) return;
  const canvas = document.createElement("div");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", holder.dataset.name);
  const said = document.createElement("p");
  said.className = "quiet pointed";
  said.textContent = "\u00a0";
  holder.append(canvas, legend(found.names), said);
  const bars = holder.dataset.kind === "bars";
  const axis = { stroke: theme("neutral-text"), grid: { stroke: theme("neutral-border"), width: 0.5 }, ticks: { show: false }, font: "14px system-ui, sans-serif" };
  charts.set(holder, new uPlot({
    width: holder.clientWidth,
    height: 220,
    legend: { show: false },
    cursor: { y: false, drag: { setScale: false } },
    scales: { x: { time: false, range: (_, low, high) => (bars ? [low - 0.5, high + 0.5] : [low, high]) }, y: { range: (_, _low, high) => [0, Math.max(4, high * 1.1)] } },
    axes: [
      { ...axis, grid: { show: false }, size: 32, space: 56, incrs: [1, 2, 3, 4, 6, 7, 12], values: (_, places) => places.map((place) => found.short[place] ?? "") },
      { ...axis, size: 56, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6, 1e7], values: (_, places) => places.map((place) => place.toLocaleString(document.documentElement.lang)) },
    ],
    series: [{}, ...found.names.map((name, place) => ({
      label: name,
      stroke: theme(COLOURS[place]),
      width: 2,
      dash: bars ? [] : DASHES[place],
      fill: bars ? theme(COLOURS[place]) : undefined,
      paths: bars ? uPlot.paths.bars({ size: [0.7, 40] }) : uPlot.paths.linear(),
      points: { show: false },
    }))],
    hooks: { setCursor: [(plot) => {
      const at = plot.cursor.idx;
      said.textContent = at == null ? "\u00a0" : `${found.long[at]}: ${found.names.map((name, place) => `${name} ${found.data[place + 1][at]}`).join(", ")}`;
    }] },
  }, found.data, canvas));
}

function legend(names) {
  const list = document.createElement("ul");
  list.className = "legend";
  list.hidden = names.length < 2;
  for (const [place, name] of names.entries()) {
    const entry = document.createElement("li");
    entry.className = `line${place}`;
    entry.textContent = name;
    list.append(entry);
  }
  return list;
}

const holders = [...document.querySelectorAll(".drawn")];
for (const holder of holders) {
  draw(holder);
  if (!holder.hidden) holder.parentElement.querySelector("details").open = false;
}
document.addEventListener("renewed", (event) => holders.filter((holder) => holder.dataset.chart === event.target.id).forEach(draw));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => holders.forEach(draw));
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  holders.forEach(draw);
});
