// Says what a point is when it is pointed at; without this script the page lacks nothing else.
(() => {
  const data = JSON.parse(document.getElementById("points").textContent);
  const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const layouts = data.layouts.map(text => new Uint16Array(bytes(text).buffer));
  const colourings = data.colourings.map(part => ({ ...part, places: bytes(part.places) }));
  const tip = document.createElement("div");
  tip.id = "tip";
  tip.hidden = true;
  document.body.append(tip);
  const nearest = (places, x, y) => {
    let found = -1, least = 36;
    for (let at = 0; 2 * at < places.length; at++) {
      const distance = (places[2 * at] / 64 - x) ** 2 + (places[2 * at + 1] / 64 - y) ** 2;
      if (distance < least) [found, least] = [at, distance];
    }
    return found;
  };
  const value = (part, place) => part.classes
    ? part.classes[place]
    : place >= part.n_shades ? "no value" : "about " + (part.low + (part.high - part.low) * place / (part.n_shades - 1)).toPrecision(3);
  for (const figure of document.querySelectorAll("figure[data-layout]")) {
    const svg = figure.querySelector("svg"), places = layouts[figure.dataset.layout];
    svg.addEventListener("pointermove", event => {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      const cell = nearest(places, at.x, at.y);
      tip.hidden = cell < 0;
      if (cell < 0) return;
      tip.textContent = colourings.map(part => part.name + ": " + value(part, part.places[cell])).join(" · ");
      tip.style.left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8) + "px";
      tip.style.top = event.clientY + 16 + "px";
    });
    svg.addEventListener("pointerleave", () => { tip.hidden = true; });
  }
})();
