// The heat map's island: for each rank and part of the time, how long its steps took against the median of all ranks then.
import { address, fetchSeries } from './series.js';
import { format } from './text.js';

const BUCKETS = 200;
const LEAST_ROW = 4;
const MOST_HEIGHT = 400;
const PERIOD_MS = 2000;
/** This much above the median is as dark as it gets. */
const SATURATION = 0.5;

/** @param {{run: string, metric: string}} state */
export function create(root, state) {
  const canvas = document.createElement('canvas');
  canvas.className = 'phi-heat';
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', 'Step times of the ranks');
  const words = document.createElement('p');
  words.className = 'mud-text-secondary phi-lane-words';
  words.setAttribute('role', 'status');
  root.append(canvas, words);
  let fetched = [];
  let cells = [];
  let tag = null;
  let last = 0;
  let timer = 0;
  let stopped = false;

  async function refresh() {
    last = performance.now();
    try {
      const answer = await fetchSeries(address({ runs: [{ id: state.run }], metric: state.metric, rank: 'all', axis: 'step' }, [null, null], BUCKETS, 'columns'), tag);
      if (answer && !stopped) {
        [fetched, tag] = [answer.series, answer.tag];
        draw();
      }
    } catch (problem) {
      words.textContent = `The ranks' times cannot be read: ${problem.message}.`;
    }
  }

  function draw() {
    const size = fetched[0]?.bucketSteps ?? 1;
    const buckets = [...new Set(fetched.flatMap(one => Array.from(one.columns.step, step => Math.floor(step / size))))].sort((a, b) => a - b);
    if (buckets.length === 0) {
      words.textContent = 'No step yet.';
      return;
    }
    const column = new Map(buckets.map((bucket, i) => [bucket, i]));
    cells = fetched.map(() => new Array(buckets.length).fill(null));
    fetched.forEach((one, row) => one.columns.step.forEach((step, i) => {
      cells[row][column.get(Math.floor(step / size))] = { step, seconds: one.columns.average[i] };
    }));
    const height = Math.min(MOST_HEIGHT, Math.max(LEAST_ROW, Math.min(18, Math.floor(MOST_HEIGHT / fetched.length))) * fetched.length);
    [canvas.width, canvas.height] = [Math.max(1, root.clientWidth) * devicePixelRatio, height * devicePixelRatio];
    canvas.style.height = `${height}px`;
    const context = canvas.getContext('2d');
    const [w, h] = [canvas.width / buckets.length, canvas.height / fetched.length];
    let slowest = { ratio: 0 };
    for (let x = 0; x < buckets.length; x++) {
      const known = cells.map(row => row[x]?.seconds).filter(Number.isFinite).sort((a, b) => a - b);
      const median = known[known.length >> 1];
      for (let y = 0; y < fetched.length; y++) {
        const cell = cells[y][x];
        if (cell && Number.isFinite(cell.seconds)) {
          const ratio = median > 0 ? cell.seconds / median : 1;
          cell.ratio = ratio;
          if (ratio > slowest.ratio) {
            slowest = { ratio, rank: fetched[y].rank, step: cell.step };
          }
          context.fillStyle = ink(ratio);
          context.fillRect(Math.floor(x * w), Math.floor(y * h), Math.ceil(w), Math.ceil(h - (h > 6 ? devicePixelRatio : 0)));
        }
      }
    }
    const summary = `${fetched.length} ranks by ${buckets.length} parts of the run; the slowest was rank ${slowest.rank} at ${format(slowest.ratio)} times the median, about step ${format(slowest.step)}.`;
    canvas.setAttribute('aria-label', summary);
    words.textContent = summary;
    root.dataset.ranks = fetched.length;
  }

  /** Pale at the median, then yellow to red; faster ranks are blue. */
  function ink(ratio) {
    const heat = Math.max(-1, Math.min(1, (ratio - 1) / SATURATION));
    return heat >= 0 ? `hsl(${50 - 50 * heat} 85% ${78 - 38 * heat}%)` : `hsl(210 70% ${78 + 30 * heat}%)`;
  }

  function point(event) {
    const box = canvas.getBoundingClientRect();
    const row = Math.floor(((event.clientY - box.top) / box.height) * cells.length);
    const x = Math.floor(((event.clientX - box.left) / box.width) * (cells[0]?.length ?? 0));
    const cell = cells[row]?.[x];
    if (cell) {
      words.textContent = `rank ${fetched[row].rank}, step ${format(cell.step)}: ${format(cell.seconds)} s, ${format(cell.ratio)} times the median`;
    }
  }

  canvas.addEventListener('pointermove', point);
  const resize = new ResizeObserver(() => fetched.length > 0 && draw());
  resize.observe(root);
  refresh();
  return {
    more() {
      clearTimeout(timer);
      timer = setTimeout(refresh, Math.max(0, last + PERIOD_MS - performance.now()));
    },
    dispose() {
      stopped = true;
      clearTimeout(timer);
      resize.disconnect();
    },
  };
}
