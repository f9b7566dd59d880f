import { format } from './text.js';

/** The curves as a table, for those who read numbers or hear them. */
export function show(root, state, fetched) {
  const table = document.createElement('table');
  table.className = 'phi-table';
  table.setAttribute('aria-label', `${state.metric} as numbers`);
  const head = table.createTHead().insertRow();
  for (const title of ['Run', state.axis === 'step' ? null : state.axis, 'Step', 'Mean', 'Least', 'Greatest', 'Last', 'Values', 'Not finite'].filter(Boolean)) {
    const cell = document.createElement('th');
    cell.scope = 'col';
    cell.textContent = title;
    head.append(cell);
  }
  const body = table.createTBody();
  fetched.forEach((one, run) => {
    const { x, step, average, min, max, last, count, nonFinite } = one.columns;
    for (let i = 0; i < x.length; i++) {
      const row = body.insertRow();
      const place = state.axis === 'step' ? [] : [state.axis === 'time' ? new Date(x[i]).toISOString() : format(x[i])];
      for (const text of [state.runs[run]?.name ?? '', ...place, format(step[i]), format(average[i]), format(min[i]), format(max[i]), format(last[i]), format(count[i]), format(nonFinite[i])]) {
        row.insertCell().textContent = text;
      }
    }
  });
  root.replaceChildren(table);
}
