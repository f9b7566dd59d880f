/**
 * Puts parts with places of their own on one x column, as uPlot draws them: undefined where a part has no bucket, which its line passes
 * over, and null where its value is not known, which is a gap.
 */
export function align(parts) {
  const [first] = parts;
  if (parts.every(part => part.x === first.x)) {
    return [Array.from(first.x), ...parts.map(part => part.values.map(known))];
  }
  const x = Float64Array.from(new Set(parts.flatMap(part => Array.from(part.x).filter(Number.isFinite)))).sort();
  const places = new Map();
  x.forEach((value, i) => places.set(value, i));
  const data = [Array.from(x)];
  for (const part of parts) {
    const column = new Array(x.length);
    for (let i = 0; i < part.x.length; i++) {
      const at = places.get(part.x[i]);
      if (at !== undefined) {
        column[at] = known(part.values[i]);
      }
    }
    data.push(column);
  }
  return data;
}

function known(value) {
  return Number.isFinite(value) ? value : null;
}
