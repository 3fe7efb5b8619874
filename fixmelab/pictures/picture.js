// A picture in PNG with its alternative text. In a narrow window it scrolls sideways rather than become too small.

function render({ model, el }) {
  const image = document.createElement("img");
  el.style.overflowX = "auto";
  const [width, least] = [model.get("width"), model.get("least_width")];
  image.style.cssText = `display:block;width:${width}px;max-width:100%;min-width:${least}px;height:auto`;
  el.append(image);

  function show() {
    const before = image.src;
    image.src = URL.createObjectURL(new Blob([model.get("value")], { type: "image/png" }));
    URL.revokeObjectURL(before);
  }
  function describe() {
    image.alt = model.get("text");
  }
  model.on("change:value", show);
  model.on("change:text", describe);
  show();
  describe();
  return () => {
    model.off("change:value", show);
    model.off("change:text", describe);
    URL.revokeObjectURL(image.src);
  };
}

export default { render };
