/** Returns the value of a CSS colour in the present theme, for a canvas or an icon, which cannot use style sheets. */
export function colourOf(value: string): string {
  const probe = document.createElement("i");
  probe.style.color = value;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
