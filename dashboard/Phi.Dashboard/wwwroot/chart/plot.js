// What is drawn: for each run a band between least and greatest value, the mean in it, the mean smoothed, and lost steps as a ghost.
import { align } from './align.js';
import { smooth } from './smoothing.js';

/** Told apart in light and dark, and by those who see no red and green (after Okabe and Ito 2008, with contrast on either ground). */
const COLOURS = {
  light: ['#0072b2', '#d55e00', '#007a5a', '#a8437d', '#2f8fc4', '#a56e00', '#7f3fbf', '#8c6d31'],
  dark: ['#56b4e9', '#ff9e5a', '#2dd4a0', '#f0a6d0', '#9db2ff', '#ffd166', '#c9a4ff', '#d8bf8a'],
};
const GHOST_DASH = [3, 3];

export function colour(run, isDark) {
  const colours = isDark ? COLOURS.dark : COLOURS.light;
  return colours[run % colours.length];
}

/** uPlot's data, series and bands for the fetched series; `parts` tells what each of uPlot's series is of. */
export function layers(fetched, { smoothing, logY, isDark }) {
  const parts = [];
  const bands = [];
  const positive = values => (logY ? values.map(value => (value > 0 ? value : NaN)) : values);
  fetched.forEach((one, run) => {
    const { x, min, max, average } = one.columns;
    const ink = colour(run, isDark);
    const isBand = one.bucketSteps > 1;
    if (isBand) {
      bands.push({ series: [parts.length + 1, parts.length + 2], fill: `${ink}22` });
      parts.push({ run, kind: 'max', x, values: positive(max), style: { stroke: `${ink}66`, width: 0.5 } });
      parts.push({ run, kind: 'min', x, values: positive(min), style: { stroke: `${ink}66`, width: 0.5 } });
    }
    const isFaint = smoothing > 0;
    parts.push({ run, kind: 'average', x, values: positive(average), style: { stroke: isFaint ? `${ink}55` : ink, width: isFaint ? 1 : 1.5 } });
    if (isFaint) {
      parts.push({ run, kind: 'smooth', x, values: positive(Float64Array.from(smooth(average, smoothing), value => value ?? NaN)), style: { stroke: ink, width: 2 } });
    }
    for (const lost of one.lost) {
      parts.push({ run, kind: 'lost', attempt: lost.attempt, x: lost.columns.x, values: positive(lost.columns.average), style: { stroke: `${ink}88`, width: 1, dash: GHOST_DASH } });
    }
  });
  return { data: parts.length === 0 ? [[]] : align(parts), parts, bands };
}

/** Where on the axis a step lies, as far as the columns tell. */
export function place(columns, step) {
  const at = columns.step.findIndex(known => known >= step);
  return at < 0 ? NaN : columns.x[at];
}

/** Draws where attempts begin, and marks buckets with values that are NaN or infinite. */
export function marks(fetched, theme) {
  return {
    hooks: {
      draw: plot => {
        const { ctx, bbox } = plot;
        const dot = devicePixelRatio;
        ctx.save();
        ctx.font = `${11 * dot}px system-ui`;
        ctx.textAlign = 'left';
        fetched().forEach((one, run) => {
          const ink = fetched().length > 1 ? colour(run, theme().isDark) : theme().boundary;
          ctx.strokeStyle = ctx.fillStyle = ink;
          ctx.setLineDash([4 * dot, 4 * dot]);
          for (const attempt of one.attempts.slice(1)) {
            const x = plot.valToPos(place(one.columns, attempt.firstStep), 'x', true);
            if (x >= bbox.left && x <= bbox.left + bbox.width) {
              ctx.beginPath();
              ctx.moveTo(x, bbox.top);
              ctx.lineTo(x, bbox.top + bbox.height);
              ctx.stroke();
              ctx.fillText(`attempt ${attempt.attempt}`, x + 4 * dot, bbox.top + (12 + 13 * run) * dot);
            }
          }
          ctx.setLineDash([]);
          ctx.fillStyle = theme().error;
          for (let i = 0; i < one.columns.x.length; i++) {
            if (one.columns.nonFinite[i] > 0) {
              const x = plot.valToPos(one.columns.x[i], 'x', true);
              if (x >= bbox.left && x <= bbox.left + bbox.width) {
                ctx.beginPath();
                ctx.moveTo(x, bbox.top + 9 * dot);
                ctx.lineTo(x - 5 * dot, bbox.top);
                ctx.lineTo(x + 5 * dot, bbox.top);
                ctx.fill();
              }
            }
          }
        });
        ctx.restore();
      },
    },
  };
}
