// Two Gaussians: a drag at a peak, or the arrow keys, choose its mean and its spread. Python computes the curves.
// All text is drawn on the canvas or set as an attribute, never as HTML.

const INK = "#222222";
const FAINT = "#e3e5e8";
const FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif";
const EDGE = { left: 40, right: 12, top: 26, bottom: 36, between: 34 };
const ROOT = Math.sqrt(2 * Math.PI);
const DASHDOT = [12, 4, 2, 4]; // told apart without colour, too
const NAMES = ["f\u2080", "f\u2081"];

function floats(view) {
  return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

function render({ model, el }) {
  const { reach, top, means, spreads } = model.get("limits");
  const [blue, red, violet] = model.get("colours");

  const canvas = document.createElement("canvas");
  canvas.className = "fixmelab-densities";
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute(
    "aria-label",
    "Two Gaussians; the arrow keys move a peak and change its spread, the space bar chooses the other peak",
  );
  canvas.style.cssText = "display:block;width:100%;aspect-ratio:1.25;cursor:grab;touch-action:none;border-radius:6px";
  canvas.dataset.lmSuppressShortcuts = "true";
  el.style.width = "100%";
  el.append(canvas);

  const context = canvas.getContext("2d");
  let width = 0;
  let height = 0;
  let chosen = 1;
  let dragging = false;

  const split = () => EDGE.top + (height - EDGE.top - EDGE.bottom - EDGE.between) * 0.6;
  const upper = () => ({ y0: EDGE.top, y1: split(), low: 0, high: top });
  const lower = () => ({ y0: split() + EDGE.between, y1: height - EDGE.bottom, low: 0, high: 1 });
  const across = (x) => EDGE.left + ((x / reach + 1) / 2) * (width - EDGE.left - EDGE.right);
  const down = (panel, y) => panel.y1 - ((y - panel.low) / (panel.high - panel.low)) * (panel.y1 - panel.y0);
  const clip = (value, [low, high]) => Math.min(high, Math.max(low, value));
  const peak = (k) => {
    const [mean, spread] = model.get("peaks").slice(2 * k, 2 * k + 2);
    return [across(mean), down(upper(), 1 / (spread * ROOT))];
  };

  function frame(panel, ticks, title) {
    context.strokeStyle = FAINT;
    context.fillStyle = "#555b66";
    context.font = `12px ${FONT}`;
    context.lineWidth = 1;
    context.textBaseline = "middle";
    for (const tick of ticks) {
      const y = down(panel, tick);
      context.beginPath();
      context.moveTo(EDGE.left, y);
      context.lineTo(width - EDGE.right, y);
      context.stroke();
      context.textAlign = "right";
      context.fillText(String(tick), EDGE.left - 6, y);
    }
    for (let tick = -Math.floor(reach); tick <= reach; tick += 1) {
      context.beginPath();
      context.moveTo(across(tick), panel.y0);
      context.lineTo(across(tick), panel.y1);
      context.stroke();
    }
    context.textAlign = "left";
    context.textBaseline = "alphabetic";
    let x = EDGE.left;
    for (const [text, colour, dash] of title) {
      context.strokeStyle = colour;
      context.lineWidth = 2.5;
      context.setLineDash(dash);
      context.beginPath();
      context.moveTo(x, panel.y0 - 11);
      context.lineTo(x + 20, panel.y0 - 11);
      context.stroke();
      context.setLineDash([]);
      context.fillStyle = INK;
      context.font = `13px ${FONT}`;
      context.fillText(text, x + 25, panel.y0 - 7);
      x += 25 + context.measureText(text).width + 16;
    }
  }

  function line(panel, values, colour, dash, filled) {
    context.save();
    context.beginPath();
    context.rect(EDGE.left, panel.y0 - 2, width - EDGE.left - EDGE.right, panel.y1 - panel.y0 + 4);
    context.clip();
    context.beginPath();
    values.forEach((value, k) => {
      const x = across(((2 * k) / (values.length - 1) - 1) * reach);
      const y = down(panel, Number.isFinite(value) ? clip(value, [-1, 50]) : 50);
      if (k) context.lineTo(x, y);
      else context.moveTo(x, y);
    });
    context.strokeStyle = colour;
    context.lineWidth = 2.5;
    context.setLineDash(dash);
    context.stroke();
    context.setLineDash([]);
    if (filled) {
      context.lineTo(across(reach), panel.y1);
      context.lineTo(across(-reach), panel.y1);
      context.globalAlpha = 0.12;
      context.fillStyle = colour;
      context.fill();
    }
    context.restore();
  }

  function draw() {
    if (!width) return;
    const all = floats(model.get("curves"));
    const count = all.length / 5;
    const [f0, f1, found, best, given] = [0, 1, 2, 3, 4].map((k) => all.subarray(k * count, (k + 1) * count));
    const ratio = canvas.width / width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = "white";
    context.fillRect(0, 0, width, height);
    frame(upper(), [0, 0.5, 1], [[NAMES[0], blue, []], [NAMES[1], red, DASHDOT], [`${NAMES[1]} read off D`, violet, [6, 4]]]);
    frame(lower(), [0, 0.5, 1], [["D*", INK, []], ["D", violet, [6, 4]]]);
    line(upper(), f0, blue, [], true);
    line(upper(), f1, red, DASHDOT, true);
    line(upper(), found, violet, [6, 4], false);
    line(lower(), best, INK, [], false);
    line(lower(), given, violet, [6, 4], false);
    context.fillStyle = "#555b66";
    context.font = `12px ${FONT}`;
    context.textAlign = "center";
    context.textBaseline = "top";
    for (let tick = -Math.floor(reach); tick <= reach; tick += 1) {
      context.fillText(String(tick).replace("-", "\u2212"), across(tick), height - EDGE.bottom + 5);
    }
    context.fillText("x", across(0), height - 15);
    [blue, red].forEach((colour, k) => {
      const [x, y] = peak(k);
      context.beginPath();
      context.arc(x, y, k === chosen ? 9 : 7, 0, 2 * Math.PI);
      context.fillStyle = colour;
      context.fill();
      context.lineWidth = 2.5;
      context.strokeStyle = k === chosen ? INK : "white";
      context.stroke();
    });
  }

  function resize() {
    const ratio = window.devicePixelRatio || 1;
    const rect = canvas.getBoundingClientRect();
    if (!rect.width || (rect.width === width && canvas.width === Math.round(rect.width * ratio))) return;
    width = rect.width;
    height = rect.height;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    draw();
  }

  function choose(mean, spread) {
    const peaks = [...model.get("peaks")];
    const rounded = (value) => Math.round(value * 100) / 100;
    peaks[2 * chosen] = rounded(clip(mean, means));
    peaks[2 * chosen + 1] = rounded(clip(spread, spreads));
    model.set("peaks", peaks);
    model.save_changes();
  }

  function place(event) {
    const rect = canvas.getBoundingClientRect();
    return [event.clientX - rect.left, event.clientY - rect.top];
  }

  function move(event) {
    const [x, y] = place(event);
    const panel = upper();
    const mean = ((2 * (x - EDGE.left)) / (width - EDGE.left - EDGE.right) - 1) * reach;
    const level = ((panel.y1 - y) / (panel.y1 - panel.y0)) * panel.high;
    choose(mean, level > 0 ? 1 / (level * ROOT) : spreads[1]);
  }

  canvas.addEventListener("pointerdown", (event) => {
    const [x, y] = place(event);
    const distance = [0, 1].map((k) => Math.hypot(x - peak(k)[0], y - peak(k)[1]));
    chosen = distance[0] < distance[1] ? 0 : 1;
    if (distance[chosen] > 60) return draw();
    dragging = true;
    canvas.setPointerCapture(event.pointerId);
    canvas.style.cursor = "grabbing";
    canvas.focus();
    move(event);
  });
  canvas.addEventListener("pointermove", (event) => dragging && move(event));
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => {
      dragging = false;
      canvas.style.cursor = "grab";
    });
  }
  canvas.addEventListener("keydown", (event) => {
    const [mean, spread] = model.get("peaks").slice(2 * chosen, 2 * chosen + 2);
    const step = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.05], ArrowDown: [0, 0.05] }[event.key];
    if (step) choose(mean + step[0], spread + step[1]);
    else if (event.key === " ") chosen = 1 - chosen;
    else return;
    event.preventDefault();
    event.stopPropagation();
    draw();
  });

  model.on("change:curves", draw);
  model.on("change:peaks", draw);
  const observer = new ResizeObserver(resize);
  observer.observe(canvas);
  resize();
  return () => {
    observer.disconnect();
    model.off("change:curves", draw);
    model.off("change:peaks", draw);
  };
}

export default { render };
