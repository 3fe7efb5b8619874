// The phase plane of one eigenmode, on whose chart (chart.js) one chooses the start (p, s).

const SHAPE = 0.78; // height of the canvas over its width

function render({ model, el }) {
  const colours = model.get("colours");
  const [left, right, low, high] = model.get("limits");
  const clip = (value, least, most) => Math.min(most, Math.max(least, value));
  const plane = chart(el, {
    name: "fixmelab-plane",
    label: "Phase plane over p and s; use the arrow keys to move the start",
    shape: SHAPE,
    resized: draw,
    chosen: (x, y) => move(left + x * (right - left), high - y * (high - low)),
    nudged(x, y) {
      const [p, s] = model.get("start");
      move(p + (x * (right - left)) / 40, s - (y * (high - low)) / 40);
    },
  });
  const { pen, inner } = plane;
  const toScreen = (p, s) => plane.toScreen((p - left) / (right - left), (high - s) / (high - low));

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
    pen.fillText("p", EDGE.left + inner().width / 2, plane.height - 9);
    pen.fillText("s", 12, EDGE.top + inner().height / 2);
  }

  function draw() {
    if (!plane.width) return;
    const ratio = plane.canvas.width / plane.width;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.fillStyle = "white";
    pen.fillRect(0, 0, plane.width, plane.height);
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

  function move(p, s) {
    model.set("start", [clip(p, left, right), clip(s, low, high)]);
    model.save_changes();
  }

  const shown = ["start", "basin", "arrows", "path", "parabola", "rest"].map((name) => `change:${name}`).join(" ");
  model.on(shown, draw);
  return () => {
    plane.stop();
    model.off(shown, draw);
  };
}

export default { render };
