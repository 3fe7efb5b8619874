// The map of the encoder's means, on whose chart (chart.js) one chooses (z_i, z_j).

const INK = "#222222";

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

  const clip = (value) => Math.min(radius, Math.max(-radius, Math.round(value / step) * step));
  const map = chart(el, {
    name: "fixmelab-map",
    label: `Map of the encoder's means over ${names.join(" and ")}; use the arrow keys to move`,
    shape: 1,
    resized(ratio) {
      drawBackground(ratio);
      draw();
    },
    chosen: (x, y) => move((2 * x - 1) * radius, (2 * y - 1) * radius),
    nudged(across, down) {
      const [x, y] = model.get("position");
      move(x + (across * radius) / 30, y + (down * radius) / 30);
    },
  });
  const context = map.pen;
  const background = document.createElement("canvas");
  // z_j grows downwards, as rows of the latent grid
  const toScreen = (x, y) => map.toScreen((x / radius + 1) / 2, (y / radius + 1) / 2);

  function drawBackground(ratio) {
    const size = map.width;
    background.width = background.height = map.canvas.width;
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
    if (!map.width) return;
    const [x, y] = toScreen(...model.get("position"));
    const [left, top] = toScreen(-radius, -radius);
    const [right, bottom] = toScreen(radius, radius);
    const ratio = map.canvas.width / map.width;
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

  function move(x, y) {
    model.set("position", [clip(x), clip(y)]);
    model.save_changes();
  }

  model.on("change:position", draw);
  return () => {
    map.stop();
    model.off("change:position", draw);
  };
}

export default { render };
