// The phase plane of one eigenmode: a click, a drag or the arrow keys choose the start (p, s).
// All text is drawn on the canvas or set as an attribute, never as HTML.

const FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif";
const EDGE = { left: 44, right: 12, top: 12, bottom: 40 };
const SHAPE = 0.78; // height of the canvas over its width

function floats(view) {
  return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

function render({ model, el }) {
  const canvas = document.createElement("canvas");
  canvas.className = "fixmelab-plane";
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", "Phase plane over p and s; use the arrow keys to move the start");
  // No touch scrolling and no text selection while dragging; the notebook's shortcuts must not see the arrow keys.
  canvas.style.cssText = `display:block;width:100%;aspect-ratio:${1 / SHAPE};cursor:crosshair;touch-action:none;border-radius:6px`;
  canvas.dataset.lmSuppressShortcuts = "true";
  el.style.width = "100%";
  el.append(canvas);

  const pen = canvas.getContext("2d");
  const colours = model.get("colours");
  const [left, right, low, high] = model.get("limits");
  let width = 0;
  let height = 0;

  const inner = () => ({ width: width - EDGE.left - EDGE.right, height: height - EDGE.top - EDGE.bottom });
  const toScreen = (p, s) => [
    EDGE.left + ((p - left) / (right - left)) * inner().width,
    EDGE.top + ((high - s) / (high - low)) * inner().height,
  ];
  const clip = (value, least, most) => Math.min(most, Math.max(least, value));

  function drawBasin() {
    const cells = model.get("basin");
    const bytes = new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength);
    const columns = model.get("columns");
    const rows = bytes.length / columns;
    const across = inner().width / columns;
    const down = inner().height / rows;
    for (let k = 0; k < bytes.length; k += 1) {
      pen.fillStyle = bytes[k] ? colours.light : colours.dark;
      const top = EDGE.top + (rows - 1 - Math.floor(k / columns)) * down;
      pen.fillRect(EDGE.left + (k % columns) * across, top, across + 0.6, down + 0.6);
    }
  }

  function drawArrows() {
    const numbers = floats(model.get("arrows"));
    const longest = inner().width / 20;
    pen.strokeStyle = "#9aa1ac";
    pen.lineWidth = 1.2;
    for (let k = 0; k < numbers.length; k += 4) {
      const [x, y] = toScreen(numbers[k], numbers[k + 1]);
      const across = numbers[k + 2] * longest;
      const down = -numbers[k + 3] * longest;
      const size = Math.hypot(across, down) || 1;
      const tip = [x + across / 2, y + down / 2];
      pen.beginPath();
      pen.moveTo(x - across / 2, y - down / 2);
      pen.lineTo(...tip);
      for (const side of [-1, 1]) {
        pen.moveTo(...tip);
        pen.lineTo(tip[0] - (4 * (across + (side * down) / 2)) / size, tip[1] - (4 * (down - (side * across) / 2)) / size);
      }
      pen.stroke();
    }
  }

  function drawCurve(name, colour, thick, dash) {
    const numbers = floats(model.get(name));
    pen.strokeStyle = colour;
    pen.lineWidth = thick;
    pen.setLineDash(dash);
    pen.beginPath();
    for (let k = 0; k < numbers.length; k += 2) pen.lineTo(...toScreen(numbers[k], numbers[k + 1]));
    pen.stroke();
    pen.setLineDash([]);
  }

  function drawPoint(p, s, radius, fill, stroke) {
    pen.beginPath();
    pen.arc(...toScreen(p, s), radius, 0, 2 * Math.PI);
    pen.fillStyle = fill;
    pen.fill();
    pen.lineWidth = 2;
    pen.strokeStyle = stroke;
    pen.stroke();
  }

  function drawAxes() {
    pen.font = `12px ${FONT}`;
    pen.fillStyle = "#555b66";
    pen.textAlign = "center";
    pen.textBaseline = "top";
    for (let tick = Math.ceil(left * 4) / 4; tick <= right; tick += 0.25) {
      const [x, y] = toScreen(tick, low);
      pen.fillText(String(tick).replace("-", "\u2212"), x, y + 6);
    }
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (let tick = low; tick <= high; tick += 0.5) {
      const [x, y] = toScreen(left, tick);
      pen.fillText(String(tick), x - 7, y);
    }
    pen.fillStyle = colours.ink;
    pen.font = `14px ${FONT}`;
    pen.textAlign = "center";
    pen.fillText("p", EDGE.left + inner().width / 2, height - 9);
    pen.fillText("s", 12, EDGE.top + inner().height / 2);
  }

  function draw() {
    if (!width) return;
    const ratio = canvas.width / width;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.fillStyle = "white";
    pen.fillRect(0, 0, width, height);
    pen.save();
    pen.beginPath();
    pen.rect(EDGE.left, EDGE.top, inner().width, inner().height);
    pen.clip();
    drawBasin();
    drawArrows();
    drawCurve("parabola", colours.parabola, 2, [6, 4]);
    drawCurve("path", colours.path, 2.5, []);
    pen.restore();
    drawPoint(0, 0, 5, colours.ink, "white");
    const rest = model.get("rest");
    if (rest.length) drawPoint(...rest, 6, colours.rest, colours.ink);
    drawPoint(...model.get("start"), 8, colours.path, "white");
    drawAxes();
  }

  function resize() {
    const ratio = window.devicePixelRatio || 1;
    const wide = canvas.clientWidth;
    if (!wide || (wide === width && canvas.width === Math.round(wide * ratio))) return;
    width = wide;
    height = Math.round(wide * SHAPE);
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    draw();
  }

  function move(p, s) {
    model.set("start", [clip(p, left, right), clip(s, low, high)]);
    model.save_changes();
  }

  function follow(event) {
    const box = canvas.getBoundingClientRect();
    const across = ((event.clientX - box.left) * width) / box.width;
    const down = ((event.clientY - box.top) * height) / box.height;
    move(
      left + ((across - EDGE.left) / inner().width) * (right - left),
      high - ((down - EDGE.top) / inner().height) * (high - low),
    );
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    follow(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) follow(event);
  });
  canvas.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    const [p, s] = model.get("start");
    move(p + (way[0] * (right - left)) / 40, s + (way[1] * (high - low)) / 40);
  });
  const shown = ["start", "basin", "arrows", "path", "parabola", "rest"].map((name) => `change:${name}`).join(" ");
  model.on(shown, draw);
  const observer = new ResizeObserver(resize);
  observer.observe(canvas);
  return () => {
    observer.disconnect();
    model.off(shown, draw);
  };
}

export default { render };
