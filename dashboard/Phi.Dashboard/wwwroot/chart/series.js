// Fetches parts of curves and views their columns; see /openapi/v1.json for the request and ColumnFormat for the answer.

/** What makes one request's address. `range` is [from, to] on the axis, either null if open. */
export function address({ runs, metric, rank, axis }, [from, to], buckets, format) {
  const query = new URLSearchParams({ metric, rank, axis, buckets, format });
  for (const run of runs) {
    query.append('run', run.id);
  }
  if (from != null) {
    query.set('from', from);
  }
  if (to != null) {
    query.set('to', to);
  }
  return `api/v1/series?${query}`;
}

/** The answer's series, each with its columns as Float64Arrays; null if it is the one whose tag is given. */
export async function fetchSeries(url, tag, signal) {
  const response = await fetch(url, { signal, cache: 'no-cache' });
  if (!response.ok) {
    const problem = await response.json().catch(() => null);
    throw new Error(problem?.errors ? Object.values(problem.errors).flat().join('; ') : `the dashboard answers ${response.status}`);
  }
  const newTag = response.headers.get('ETag');
  if (newTag === tag) {
    return null;
  }
  return { ...decode(await response.arrayBuffer()), tag: newTag };
}

function decode(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const start = 4 + length;
  const columns = part => Object.fromEntries(header.columns.map((name, i) => [name, new Float64Array(buffer, start + 8 * (part.offset + i * part.length), part.length)]));
  return {
    axis: header.axis,
    series: header.series.map(one => ({ ...one, columns: columns(one), lost: one.lost.map(part => ({ ...part, columns: columns(part) })) })),
  };
}
