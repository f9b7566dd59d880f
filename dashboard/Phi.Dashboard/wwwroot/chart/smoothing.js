/**
 * Exponential moving average with its start corrected (Kingma and Ba 2015, section 3), over what is drawn: `weight` of the average stays at
 * each value. What is not finite is passed over.
 */
export function smooth(values, weight) {
  const smoothed = new Array(values.length).fill(null);
  let sum = 0;
  let kept = 1;
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) {
      sum = weight * sum + (1 - weight) * values[i];
      kept *= weight;
      smoothed[i] = sum / (1 - kept);
    }
  }
  return smoothed;
}
