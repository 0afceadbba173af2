/** A colour of the style sheets as it is in this theme, for what does not read them: a canvas, an icon. */
export function colourOf(value: string): string {
  const probe = document.createElement("i");
  probe.style.color = value;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
