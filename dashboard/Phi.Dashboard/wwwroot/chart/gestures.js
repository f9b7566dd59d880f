// Pan, zoom and the cursor by mouse, touch and keyboard. A drag selects (uPlot's own); with Shift it pans, as one finger does.
const PAN_STEP = 0.2;
const ZOOM_STEP = 0.7;
const WHEEL = 0.002;

/** @param {{bounds: () => [number, number], moved: (range: [number, number], isDone: boolean) => void, reset: () => void, say: (index: number) => void}} host */
export function gestures(host) {
  const pointers = new Map();
  let plot = null;
  let root = null;
  let range = null;

  function set(from, to) {
    const [least, greatest] = host.bounds();
    const span = Math.min(to - from, greatest - least);
    const start = Math.min(Math.max(from, least), greatest - span);
    // uPlot takes it over after this turn: until then its scale is the old one.
    range = [start, start + span];
    plot.setScale('x', { min: range[0], max: range[1] });
  }

  const isLog = () => plot.scales.x.distr === 3;
  const inner = value => (isLog() ? Math.log10(value) : value);
  const outer = value => (isLog() ? 10 ** value : value);

  /** By shares of the width, on the scale that is drawn. */
  function shift(share) {
    const [min, max] = [inner(plot.scales.x.min), inner(plot.scales.x.max)];
    const by = (max - min) * share;
    set(outer(min + by), outer(max + by));
  }

  function zoom(factor, centre) {
    const [min, max, at] = [inner(plot.scales.x.min), inner(plot.scales.x.max), inner(centre)];
    set(outer(at - (at - min) * factor), outer(at + (max - at) * factor));
  }

  const middle = () => outer((inner(plot.scales.x.min) + inner(plot.scales.x.max)) / 2);

  function down(event) {
    if (event.pointerType === 'touch' || event.shiftKey) {
      pointers.set(event.pointerId, event.clientX);
      plot.over.setPointerCapture(event.pointerId);
      event.preventDefault();
    }
  }

  function move(event) {
    const before = pointers.get(event.pointerId);
    if (before === undefined) {
      return;
    }
    const width = plot.over.clientWidth;
    if (pointers.size === 1) {
      shift((before - event.clientX) / width);
    } else {
      const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
      const [was, is] = [Math.abs(before - other), Math.abs(event.clientX - other)];
      if (was > 4 && is > 4) {
        zoom(was / is, plot.posToVal((event.clientX + other) / 2 - plot.over.getBoundingClientRect().left, 'x'));
      }
    }
    pointers.set(event.pointerId, event.clientX);
    host.moved(range, false);
  }

  function up(event) {
    if (pointers.delete(event.pointerId) && range) {
      host.moved(range, true);
    }
  }

  function wheel(event) {
    // Without a key the wheel scrolls the page.
    if (event.ctrlKey || event.metaKey || event.altKey) {
      event.preventDefault();
      zoom(Math.exp(event.deltaY * WHEEL), plot.posToVal(event.clientX - plot.over.getBoundingClientRect().left, 'x'));
      host.moved(range, true);
    }
  }

  function cursor(by) {
    const x = plot.data[0];
    const [min, max] = [plot.scales.x.min, plot.scales.x.max];
    let at = plot.cursor.idx ?? x.findIndex(value => value >= min);
    at = Math.min(Math.max(at + by, x.findIndex(value => value >= min)), x.findLastIndex(value => value <= max));
    if (at >= 0) {
      plot.setCursor({ left: plot.valToPos(x[at], 'x'), top: plot.over.clientHeight / 2 });
      host.say(at);
    }
  }

  function key(event) {
    if (event.target !== root) {
      return;
    }
    const actions = {
      ArrowLeft: () => (event.shiftKey ? shift(-PAN_STEP) : cursor(-1)),
      ArrowRight: () => (event.shiftKey ? shift(PAN_STEP) : cursor(1)),
      PageUp: () => cursor(-50),
      PageDown: () => cursor(50),
      Home: () => cursor(-Infinity),
      End: () => cursor(Infinity),
      '+': () => zoom(ZOOM_STEP, middle()),
      '-': () => zoom(1 / ZOOM_STEP, middle()),
      Escape: () => host.reset(),
    };
    const action = actions[event.key];
    if (action) {
      event.preventDefault();
      action();
      if (event.shiftKey || event.key === '+' || event.key === '-') {
        host.moved(range, true);
      }
    }
  }

  return {
    hooks: {
      init: created => {
        plot = created;
        const { over } = plot;
        over.style.touchAction = 'pan-y';
        over.addEventListener('pointerdown', down);
        over.addEventListener('pointermove', move);
        over.addEventListener('pointerup', up);
        over.addEventListener('pointercancel', up);
        over.addEventListener('wheel', wheel, { passive: false });
        // uPlot would begin a selection where a drag pans.
        over.addEventListener('mousedown', event => event.shiftKey && event.stopImmediatePropagation(), true);
        root = plot.root.parentElement;
        root.addEventListener('keydown', key);
      },
      destroy: () => root.removeEventListener('keydown', key),
    },
  };
}
