// The chart's island: fetches a curve as columns and draws it; the page around it is not involved.
const PERIOD_MS = 1000;

/** Creates a live chart of one metric in `root`; call dispose() when the page goes. */
export function create(root, run, metric) {
  const empty = document.createElement('p');
  empty.className = 'mud-text-secondary';
  empty.textContent = 'No step yet.';
  root.append(empty);
  let plot = null;
  let attempts = [];
  let shown = '';
  let stopped = false;
  let timer = 0;

  const colour = name => getComputedStyle(root).getPropertyValue(name).trim();
  const width = () => Math.max(240, root.clientWidth);

  // A line where each attempt after the first goes on, with its number.
  const marks = {
    hooks: {
      draw: u => {
        const context = u.ctx;
        context.save();
        context.strokeStyle = context.fillStyle = colour('--mud-palette-warning') || '#b26a00';
        context.font = `${12 * devicePixelRatio}px system-ui`;
        context.textAlign = 'left';
        context.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
        for (const range of attempts.slice(1)) {
          const x = u.valToPos(range.firstStep, 'x', true);
          context.beginPath();
          context.moveTo(x, u.bbox.top);
          context.lineTo(x, u.bbox.top + u.bbox.height);
          context.stroke();
          context.fillText(`attempt ${range.attempt}`, x + 4 * devicePixelRatio, u.bbox.top + 14 * devicePixelRatio);
        }
        context.restore();
      },
    },
  };

  function options() {
    const text = colour('--mud-palette-text-secondary') || '#555';
    const grid = { stroke: colour('--mud-palette-lines-default') || '#ddd', width: 1 };
    const axis = { stroke: text, grid, ticks: grid };
    return {
      width: width(),
      height: 320,
      scales: { x: { time: false } },
      axes: [{ ...axis, label: 'step', labelSize: 24 }, { ...axis, label: 'nats per token', size: 56 }],
      series: [
        { label: 'step' },
        { label: metric, stroke: colour('--mud-palette-primary') || '#3451b2', width: 1.5, points: { show: false }, value: (_, v) => (v == null ? '–' : v.toFixed(4)) },
      ],
      plugins: [marks],
      cursor: { drag: { x: true, y: false } },
    };
  }

  async function refresh() {
    try {
      const response = await fetch(`api/v1/series?run=${encodeURIComponent(run)}&metric=${encodeURIComponent(metric)}&buckets=1000`);
      if (response.ok && !stopped) {
        show((await response.json()).series[0]);
      }
    } catch {
      // The dashboard is away; the next round asks again.
    }
    if (!stopped) {
      timer = setTimeout(refresh, PERIOD_MS);
    }
  }

  function show(curve) {
    const { step: steps, average, count, nonFinite } = curve.columns;
    const points = count.reduce((sum, n, i) => sum + n + nonFinite[i], 0);
    const key = `${points}/${curve.attempts.length}/${steps.at(-1)}`;
    if (key === shown) {
      return;
    }
    shown = key;
    attempts = curve.attempts;
    const data = [steps, average];
    if (plot === null && steps.length > 0) {
      empty.remove();
      plot = new uPlot(options(), data, root);
    } else {
      plot?.setData(data);
    }
    root.dataset.points = points;
    root.dataset.lastStep = steps.at(-1) ?? 0;
    root.dataset.attempts = curve.attempts.length;
  }

  const resize = new ResizeObserver(() => plot?.setSize({ width: width(), height: 320 }));
  resize.observe(root);
  refresh();
  return {
    dispose() {
      stopped = true;
      clearTimeout(timer);
      resize.disconnect();
      plot?.destroy();
    },
  };
}
