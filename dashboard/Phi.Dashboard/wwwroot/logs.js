// The log's island: it follows a pod's log and shows the lines that are searched for. Of a very long log the newest lines are kept.
const MOST_LINES = 20000;
const SHOWN_LINES = 3000;
const FIRST_LINES = 2000;
const RANK = /^\[rank (\d+)\] /;
const RETRY_MS = 2000;
/** Between drawings while lines come. */
const DRAW_MS = 200;

/** @param {{pods: string[], namespace: string, search: string, rank: string, isFollowing: boolean}} state */
export function create(root, state) {
  const view = document.createElement('pre');
  view.className = 'phi-log';
  view.tabIndex = 0;
  view.setAttribute('role', 'log');
  view.setAttribute('aria-label', 'Log');
  const notice = document.createElement('p');
  notice.className = 'mud-text-secondary';
  notice.setAttribute('role', 'status');
  root.append(notice, view);
  let lines = [];
  let stop = new AbortController();
  let isDrawing = false;

  const matches = line => {
    if (state.rank !== '' && RANK.exec(line.text)?.[1] !== state.rank) {
      return false;
    }
    return state.search === '' || line.text.toLowerCase().includes(state.search.toLowerCase());
  };

  function draw() {
    if (isDrawing) {
      return;
    }
    isDrawing = true;
    setTimeout(() => {
      isDrawing = false;
      const isAtEnd = view.scrollTop + view.clientHeight >= view.scrollHeight - 30;
      const chosen = lines.filter(matches);
      const shown = chosen.slice(-SHOWN_LINES);
      view.replaceChildren(...shown.map(line => row(line)));
      root.dataset.lines = chosen.length;
      notice.textContent = chosen.length > shown.length ? `The newest ${SHOWN_LINES.toLocaleString('en')} of ${chosen.length.toLocaleString('en')} lines are shown.` : chosen.length === 0 ? 'No line.' : '';
      if (isAtEnd && state.isFollowing) {
        view.scrollTop = view.scrollHeight;
      }
    }, DRAW_MS);
  }

  function row(line) {
    const element = document.createElement('span');
    element.className = /\b(error|fail(ed|ure)?|exception)\b/i.test(line.text) ? 'phi-log-error' : '';
    const prefix = state.pods.length > 1 ? `${line.pod} ` : '';
    const at = state.search === '' ? -1 : line.text.toLowerCase().indexOf(state.search.toLowerCase());
    if (at < 0) {
      element.textContent = `${prefix}${line.text}\n`;
    } else {
      const mark = document.createElement('mark');
      mark.textContent = line.text.slice(at, at + state.search.length);
      element.append(prefix + line.text.slice(0, at), mark, `${line.text.slice(at + state.search.length)}\n`);
    }
    return element;
  }

  async function follow(pod, signal) {
    while (!signal.aborted) {
      lines = lines.filter(line => line.pod !== pod);
      try {
        const response = await fetch(`api/v1/logs/${encodeURIComponent(state.namespace)}/${encodeURIComponent(pod)}?follow=true&tail=${FIRST_LINES}`, { signal });
        if (!response.ok) {
          const problem = await response.json().catch(() => null);
          notice.textContent = `${pod}: ${problem?.detail ?? `the dashboard answers ${response.status}`}`;
          if (response.status === 404) {
            return;
          }
        } else {
          let rest = '';
          const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
          for (;;) {
            const { done, value } = await reader.read();
            if (done) {
              break;
            }
            const parts = (rest + value).split('\n');
            rest = parts.pop();
            lines.push(...parts.map(text => ({ pod, text })));
            if (lines.length > MOST_LINES) {
              lines = lines.slice(-MOST_LINES);
            }
            draw();
          }
          // The end of a pod that has ended.
          return;
        }
      } catch (problem) {
        if (signal.aborted) {
          return;
        }
        notice.textContent = `${pod}: ${problem.message}; trying again`;
      }
      // What came meanwhile comes with the next request, and with it what is here already.
      await new Promise(resolve => setTimeout(resolve, RETRY_MS));
    }
  }

  function start() {
    stop.abort();
    stop = new AbortController();
    lines = [];
    draw();
    for (const pod of state.pods) {
      follow(pod, stop.signal);
    }
  }

  start();
  return {
    update(next) {
      const isOther = next.pods.join() !== state.pods.join() || next.namespace !== state.namespace;
      state = next;
      if (isOther) {
        start();
      } else {
        draw();
      }
    },
    dispose: () => stop.abort(),
  };
}
