// The map of the encoder's means: a click, a drag or the arrow keys choose (z_i, z_j).
// All text is drawn on the canvas or set as an attribute, never as HTML.

const INK = "#222222";
const FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif";
const EDGE = { left: 44, right: 12, top: 12, bottom: 40 };

function floats(view) {
  return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

function bytes(view) {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function render({ model, el }) {
  const points = floats(model.get("points"));
  const classes = bytes(model.get("classes"));
  const colours = model.get("colours");
  const radius = model.get("radius");
  const step = model.get("step");
  const names = model.get("axis_names");

  const canvas = document.createElement("canvas");
  canvas.className = "fixmelab-map";
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", `Map of the encoder's means over ${names.join(" and ")}; use the arrow keys to move`);
  // No touch scrolling and no text selection while dragging; the notebook's shortcuts must not see the arrow keys.
  canvas.style.cssText = "display:block;width:100%;aspect-ratio:1;cursor:crosshair;touch-action:none;border-radius:6px";
  canvas.dataset.lmSuppressShortcuts = "true";
  el.style.width = "100%";
  el.append(canvas);

  const context = canvas.getContext("2d");
  const background = document.createElement("canvas");
  let size = 0;

  const inner = () => ({ width: size - EDGE.left - EDGE.right, height: size - EDGE.top - EDGE.bottom });
  const toScreen = (x, y) => [
    EDGE.left + ((x / radius + 1) / 2) * inner().width,
    EDGE.top + ((1 + y / radius) / 2) * inner().height, // downwards, as rows of the latent grid
  ];
  const clip = (value) => Math.min(radius, Math.max(-radius, Math.round(value / step) * step));

  function drawBackground(ratio) {
    background.width = background.height = canvas.width;
    const pen = background.getContext("2d");
    pen.scale(ratio, ratio);
    pen.fillStyle = "white";
    pen.fillRect(0, 0, size, size);
    pen.font = `12px ${FONT}`;
    const [left, top] = toScreen(-radius, -radius);
    const [right, bottom] = toScreen(radius, radius);
    const every = radius > 12 ? Math.ceil(radius / 4) : radius > 5 ? 2 : 1;
    for (let tick = -Math.floor(radius / every) * every; tick <= radius; tick += every) {
      const [x, y] = toScreen(tick, tick);
      pen.strokeStyle = tick === 0 ? "#b9bec6" : "#e3e5e8";
      pen.beginPath();
      pen.moveTo(x, top);
      pen.lineTo(x, bottom);
      pen.moveTo(left, y);
      pen.lineTo(right, y);
      pen.stroke();
      pen.fillStyle = "#555b66";
      const text = String(tick).replace("-", "\u2212");
      pen.textAlign = "center";
      pen.textBaseline = "top";
      pen.fillText(text, x, bottom + 6);
      pen.textAlign = "right";
      pen.textBaseline = "middle";
      pen.fillText(text, left - 7, y);
    }
    pen.save();
    pen.beginPath();
    pen.rect(left, top, right - left, bottom - top);
    pen.clip();
    pen.globalAlpha = 0.75;
    const dot = Math.max(1.3, Math.min(2.6, (size / 400) * Math.sqrt(3000 / classes.length)));
    for (let k = 0; k < classes.length; k += 1) {
      const [x, y] = toScreen(points[2 * k], points[2 * k + 1]);
      pen.fillStyle = colours[classes[k] % colours.length];
      pen.beginPath();
      pen.arc(x, y, dot, 0, 2 * Math.PI);
      pen.fill();
    }
    pen.restore();
    pen.font = `bold ${size < 340 ? 11 : 12.5}px ${FONT}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.lineJoin = "round";
    pen.lineWidth = 3.5;
    pen.strokeStyle = "white";
    for (const { text, x, y, colour } of model.get("class_labels")) {
      const [across, down] = toScreen(x, y);
      pen.strokeText(text, across, down);
      pen.fillStyle = colour;
      pen.fillText(text, across, down);
    }
    pen.fillStyle = INK;
    pen.font = `14px ${FONT}`;
    pen.fillText(names[0], (left + right) / 2, size - 9);
    pen.fillText(names[1], 12, (top + bottom) / 2);
  }

  function draw() {
    if (!size) return;
    const [x, y] = toScreen(...model.get("position"));
    const [left, top] = toScreen(-radius, -radius);
    const [right, bottom] = toScreen(radius, radius);
    const ratio = canvas.width / size;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(background, 0, 0);
    context.scale(ratio, ratio);
    context.lineWidth = 1;
    context.strokeStyle = "rgba(34, 34, 34, 0.45)";
    context.setLineDash([4, 3]);
    context.beginPath();
    context.moveTo(x, top);
    context.lineTo(x, bottom);
    context.moveTo(left, y);
    context.lineTo(right, y);
    context.stroke();
    context.setLineDash([]);
    context.beginPath();
    context.arc(x, y, 7, 0, 2 * Math.PI);
    context.lineWidth = 5;
    context.strokeStyle = "white";
    context.stroke();
    context.lineWidth = 2.5;
    context.strokeStyle = INK;
    context.stroke();
  }

  function resize() {
    const ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth;
    if (!width || (width === size && canvas.width === Math.round(width * ratio))) return;
    size = width;
    canvas.width = canvas.height = Math.round(width * ratio);
    drawBackground(canvas.width / size);
    draw();
  }

  function move(x, y) {
    model.set("position", [clip(x), clip(y)]);
    model.save_changes();
  }

  function follow(event) {
    const box = canvas.getBoundingClientRect();
    const across = (event.clientX - box.left) * (size / box.width);
    const down = (event.clientY - box.top) * (size / box.height);
    move(
      (((across - EDGE.left) / inner().width) * 2 - 1) * radius,
      (((down - EDGE.top) / inner().height) * 2 - 1) * radius,
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
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    const [x, y] = model.get("position");
    move(x + (way[0] * radius) / 30, y + (way[1] * radius) / 30);
  });
  model.on("change:position", draw);
  const observer = new ResizeObserver(resize);
  observer.observe(canvas);
  return () => {
    observer.disconnect();
    model.off("change:position", draw);
  };
}

export default { render };
