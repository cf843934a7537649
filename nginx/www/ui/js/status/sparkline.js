// Sparklines: the last values of a figure, without axes. The current value is displayed as text beside them.

const namespace = "http://www.w3.org/2000/svg";

/**
 * The line segments through known values, as points in a box: a list of lists of `[x, y]`. The newest value is at the right end, and there is
 * room for `length` values. The upper bound is the maximum of the values, but not less than `least`.
 */
export function lines(values, { width, height, length, least = 1 }) {
  const top = Math.max(least, ...values.filter((value) => value !== null));
  const step = width / (length - 1);
  const first = length - values.length;
  const found = [[]];
  values.forEach((value, index) => {
    if (value === null) found.push([]);
    else found.at(-1).push([round((first + index) * step), round(height - (value / top) * height)]);
  });
  return found.filter((line) => line.length);
}

const round = (value) => Math.round(value * 10) / 10;

/** Draws values into an element. */
export function draw(element, values, { length, least }) {
  const [width, height] = [120, 28];
  const svg = element.querySelector("svg") ?? element.appendChild(document.createElementNS(namespace, "svg"));
  svg.setAttribute("viewBox", `0 -2 ${width} ${height + 4}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  svg.replaceChildren(
    ...lines(values, { width, height, length, least }).flatMap((line) => {
      const points = line.map((point) => point.join(",")).join(" ");
      const [[from], [to]] = [line[0], line.at(-1)];
      return [shape("polygon", `${from},${height} ${points} ${to},${height}`), shape("polyline", points)];
    }),
  );
}

function shape(name, points) {
  const element = document.createElementNS(namespace, name);
  element.setAttribute("points", points);
  return element;
}
