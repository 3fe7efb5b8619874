// What the maps of this package share, joined in front of each: a canvas as wide as its cell, on whose chart a click, a
// drag or the arrow keys choose a place. All text is drawn on the canvas or set as an attribute, never as HTML.

const FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif";
const EDGE = { left: 44, right: 12, top: 12, bottom: 40 };

function floats(view) {
  return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

// A chart in `el`, `shape` times as high as it is wide. `resized(ratio)` is told that it has a new size, `chosen(x, y)`
// which place was pointed at, in parts of the chart from its upper left, and `nudged(x, y)` the way of an arrow key.
function chart(el, { name, label, shape, resized, chosen, nudged }) {
  const canvas = document.createElement("canvas");
  canvas.className = name;
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", label);
  // No touch scrolling and no text selection while dragging; the notebook's shortcuts must not see the arrow keys.
  canvas.style.cssText = `display:block;width:100%;aspect-ratio:${1 / shape};cursor:crosshair;touch-action:none;border-radius:6px`;
  canvas.dataset.lmSuppressShortcuts = "true";
  el.style.width = "100%";
  el.append(canvas);

  const self = { canvas, pen: canvas.getContext("2d"), width: 0, height: 0 };
  self.inner = () => ({
    width: self.width - EDGE.left - EDGE.right,
    height: self.height - EDGE.top - EDGE.bottom,
  });
  self.toScreen = (x, y) => [EDGE.left + x * self.inner().width, EDGE.top + y * self.inner().height];

  function resize() {
    const ratio = window.devicePixelRatio || 1;
    const wide = canvas.clientWidth;
    if (!wide || (wide === self.width && canvas.width === Math.round(wide * ratio))) return;
    self.width = wide;
    self.height = Math.round(wide * shape);
    canvas.width = Math.round(wide * ratio);
    canvas.height = Math.round(self.height * ratio);
    resized(canvas.width / wide);
  }

  function follow(event) {
    const box = canvas.getBoundingClientRect();
    const across = ((event.clientX - box.left) * self.width) / box.width;
    const down = ((event.clientY - box.top) * self.height) / box.height;
    chosen((across - EDGE.left) / self.inner().width, (down - EDGE.top) / self.inner().height);
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
    nudged(...way);
  });
  const observer = new ResizeObserver(resize);
  observer.observe(canvas);
  self.stop = () => observer.disconnect();
  return self;
}
