// The chart's island: it fetches curves as columns and draws them; of what it shows, the page knows the state and nothing of the numbers.
import { address, fetchSeries } from './series.js';
import { colour, layers, marks } from './plot.js';
import { gestures } from './gestures.js';
import { show as showTable } from './table.js';
import { format, png } from './text.js';

const HEIGHT = 340;
const LEAST_WIDTH = 240;
/** Between fetches, however often the page says that there is more. */
const PERIOD_MS = 500;
/** After the last movement of a pan or zoom. */
const REST_MS = 120;
const TABLE_ROWS = 100;
const AXES = { step: 'step', tokens: 'tokens', time: 'wall time', training: 'training time (s)' };

/**
 * Creates a chart in `root`. `page` is called with RangeChanged(from, to) when a person has chosen another range.
 * State: {runs: [{id, name}], metric, unit, rank, axis, from, to, smoothing, logX, logY, isTable, isDark}.
 */
export function create(root, state, page) {
  const canvas = element('div', 'phi-chart-plot', { tabindex: 0, role: 'application', 'aria-label': 'Curves. Arrow keys move the cursor, plus and minus zoom, shift with arrows pans, escape shows all.' });
  const legend = element('div', 'phi-chart-legend', {});
  const notice = element('p', 'phi-chart-notice mud-text-secondary', { role: 'status' });
  const said = element('div', 'phi-only-read', { 'aria-live': 'polite' });
  const table = element('div', 'phi-chart-table phi-scroll', { hidden: '', tabindex: 0, role: 'region', 'aria-label': 'Numbers' });
  root.append(canvas, legend, notice, table, said);

  let plot = null;
  let fetched = [];
  let drawn = { parts: [] };
  let tag = null;
  let shownUrl = null;
  let range = [state.from, state.to];
  let isStale = false;
  let isFetching = false;
  let timer = 0;
  let last = 0;
  let stopped = false;

  const css = name => getComputedStyle(root).getPropertyValue(name).trim();
  const theme = () => ({ isDark: state.isDark, text: css('--mud-palette-text-secondary') || '#555', line: css('--mud-palette-lines-default') || '#ddd', boundary: css('--mud-palette-warning') || '#8a5a00', error: css('--mud-palette-error') || '#b3261e' });
  const width = () => Math.max(LEAST_WIDTH, canvas.clientWidth);
  const isTime = () => state.axis === 'time';

  /** The whole of what there is, on the axis, as far as it is known: steps are told, of other axes the ends are seen when all is shown. */
  let whole = [-Infinity, Infinity];
  function bounds() {
    const known = state.axis === 'step' ? fetched.filter(one => one.lastStep > 0) : [];
    return known.length > 0 ? [Math.min(...known.map(one => one.firstStep)), Math.max(...known.map(one => one.lastStep), drawn.data[0].at(-1) ?? 0)] : whole;
  }

  function schedule(delay) {
    clearTimeout(timer);
    timer = setTimeout(refresh, Math.max(delay, last + PERIOD_MS - performance.now(), 0));
  }

  async function refresh() {
    if (isFetching) {
      // What is under way may be of another range, or older.
      isStale = true;
      return;
    }
    if (stopped || document.hidden) {
      return;
    }
    isFetching = true;
    isStale = false;
    let pause = 0;
    last = performance.now();
    const buckets = state.isTable ? TABLE_ROWS : Math.min(4000, Math.max(200, Math.round(width() * 1.5)));
    const url = address(state, range, buckets, 'columns');
    try {
      const answer = await fetchSeries(url, url === shownUrl ? tag : null);
      if (answer && !stopped) {
        [fetched, tag, shownUrl] = [answer.series, answer.tag, url];
        draw();
      }
      tell('');
    } catch (problem) {
      tell(`The curves cannot be read: ${problem.message}. What is shown may be old.`);
      isStale = true;
      pause = PERIOD_MS * 4;
    } finally {
      isFetching = false;
    }
    if (isStale && !stopped) {
      schedule(pause);
    }
  }

  function draw() {
    drawn = layers(fetched, state);
    const x = drawn.data[0];
    if (x.length > 0 && range[0] == null && range[1] == null) {
      whole = [x[0], x.at(-1)];
    }
    const points = fetched.reduce((sum, one) => sum + one.columns.count.reduce((a, b) => a + b, 0) + one.columns.nonFinite.reduce((a, b) => a + b, 0), 0);
    Object.assign(root.dataset, { points, buckets: x.length, lastStep: Math.max(0, ...fetched.map(one => one.lastStep)), attempts: fetched[0]?.attempts.length ?? 0, bucketSteps: fetched[0]?.bucketSteps ?? 1 });
    canvas.hidden = legend.hidden = state.isTable;
    table.hidden = !state.isTable;
    if (state.isTable) {
      showTable(table, state, fetched);
      return;
    }
    const key = JSON.stringify([state.isDark, drawn.parts.map(part => [part.run, part.kind, part.attempt]), state.axis, state.logX, state.logY, state.smoothing > 0, state.unit]);
    if (plot === null || plot.key !== key) {
      plot?.destroy();
      plot = new uPlot(options(), drawn.data, canvas);
      plot.key = key;
    } else {
      plot.setData(drawn.data, false);
    }
    if (x.length > 0) {
      const [from, to] = [range[0] ?? x[0], range[1] ?? x.at(-1)];
      plot.setScale('x', from < to ? { min: from, max: to } : { min: from - 0.5, max: to + 0.5 });
    }
    read();
    root.dataset.drawn = String(Number(root.dataset.drawn ?? 0) + 1);
  }

  function options() {
    const { text, line } = theme();
    const axis = { stroke: text, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
    const xAxis = isTime() ? { ...axis, label: AXES.time, labelSize: 24 } : { ...axis, label: AXES[state.axis], labelSize: 24, values: (_, ticks) => ticks.map(tick => (tick == null ? '' : format(tick))) };
    return {
      width: width(),
      height: HEIGHT,
      ms: 1,
      scales: { x: { time: isTime(), distr: state.logX && !isTime() ? 3 : 1 }, y: { distr: state.logY ? 3 : 1 } },
      axes: [xAxis, { ...axis, label: state.unit || state.metric, size: 64, values: (_, ticks) => ticks.map(tick => (tick == null ? '' : format(tick))) }],
      series: [{}, ...drawn.parts.map(part => ({ label: `${part.kind} ${part.run}`, points: { show: false }, ...part.style }))],
      bands: drawn.bands,
      legend: { show: false },
      cursor: { drag: { x: true, y: false, setScale: false }, points: { show: false } },
      plugins: [marks(() => fetched, theme), gestures({ bounds, moved, reset, say })],
      hooks: { setCursor: [read], setSelect: [select] },
    };
  }

  /** A drag has marked a range. */
  function select() {
    if (plot.select.width > 2) {
      const [from, to] = [plot.posToVal(plot.select.left, 'x'), plot.posToVal(plot.select.left + plot.select.width, 'x')];
      plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
      choose(from, to);
    }
  }

  /** A pan or a zoom goes on, or has ended. */
  function moved([from, to], isDone) {
    if (isDone) {
      choose(from, to);
    } else {
      range = [from, to];
      schedule(REST_MS);
    }
  }

  function choose(from, to) {
    const rounded = state.axis === 'step' ? [Math.floor(from), Math.ceil(to)] : [from, to];
    const [least, greatest] = bounds();
    range = rounded[0] <= least && rounded[1] >= greatest ? [null, null] : rounded;
    page.invokeMethodAsync('RangeChanged', range[0], range[1]);
    schedule(0);
  }

  function reset() {
    range = [null, null];
    page.invokeMethodAsync('RangeChanged', null, null);
    schedule(0);
  }

  /** What is under the cursor, in the legend. */
  function read() {
    legend.replaceChildren(...state.runs.map((run, i) => {
      const line = element('span', 'phi-chart-run', {});
      const swatch = element('span', 'phi-swatch', {});
      swatch.style.background = colour(i, state.isDark);
      line.append(swatch, `${run.name}: ${words(i)}`);
      return line;
    }));
  }

  function words(run) {
    const at = plot?.cursor.idx;
    const columns = fetched[run]?.columns;
    if (!columns || columns.x.length === 0) {
      return 'no value yet';
    }
    const place = at == null ? columns.x.length - 1 : nearest(columns.x, drawn.data[0][at]);
    const where = `step ${format(columns.step[place])}`;
    const average = columns.count[place] === 0 ? 'not finite' : format(columns.average[place]);
    const span = columns.count[place] > 1 ? ` (${format(columns.min[place])} to ${format(columns.max[place])})` : '';
    const wrong = columns.nonFinite[place] > 0 && columns.count[place] > 0 ? `, ${columns.nonFinite[place]} not finite` : '';
    return `${average}${span}${wrong} at ${where}`;
  }

  function say() {
    said.textContent = state.runs.map((run, i) => `${run.name}: ${words(i)}`).join('. ');
  }

  function tell(text) {
    notice.textContent = text || (fetched.every(one => one.columns.x.length === 0 && one.lost.length === 0) ? 'No step yet.' : '');
  }

  const resize = new ResizeObserver(() => {
    if (plot && plot.width !== width()) {
      plot.setSize({ width: width(), height: HEIGHT });
    }
  });
  resize.observe(canvas);
  const seen = () => !document.hidden && schedule(0);
  document.addEventListener('visibilitychange', seen);
  canvas.addEventListener('dblclick', reset);
  refresh().then(read);
  return {
    /** The page's state has changed. */
    update(next) {
      const isOther = JSON.stringify({ ...state, smoothing: 0, logX: 0, logY: 0, isDark: 0 }) !== JSON.stringify({ ...next, smoothing: 0, logX: 0, logY: 0, isDark: 0 });
      state = next;
      range = [state.from, state.to];
      if (isOther) {
        schedule(0);
      } else {
        draw();
      }
      read();
    },
    /** There are new points. */
    more: () => schedule(0),
    png: name => plot && png(plot.ctx.canvas, css('--mud-palette-surface') || '#fff', name),
  
    dispose() {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', seen);
      resize.disconnect();
      plot?.destroy();
    },
  };
}

function element(name, className, attributes) {
  const made = document.createElement(name);
  made.className = className;
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  return made;
}

function nearest(x, value) {
  let [low, high] = [0, x.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle] < value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low > 0 && value - x[low - 1] < x[low] - value ? low - 1 : low;
}
