/** A number as a person reads it: five digits, thousands apart. */
export function format(value) {
  if (!Number.isFinite(value)) {
    return '–';
  }
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) {
    return value.toExponential(3);
  }
  return value.toLocaleString('en', { maximumFractionDigits: size >= 1000 ? 0 : size >= 1 ? 4 : 6 });
}

/** Saves a canvas as an image on a background, for a canvas has none. */
export function png(canvas, background, name) {
  const copy = document.createElement('canvas');
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const context = copy.getContext('2d');
  context.fillStyle = background;
  context.fillRect(0, 0, copy.width, copy.height);
  context.drawImage(canvas, 0, 0);
  copy.toBlob(blob => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
  });
}
