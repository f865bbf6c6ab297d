const list = document.querySelector('#deliveries');
const template = document.querySelector('#delivery');

async function load() {
  const response = await fetch('/operator/deliveries');
  const { rules, deliveries } = await response.json();
  document.querySelector('#rules').textContent = rules;
  document.querySelector('#empty').hidden = deliveries.length > 0;
  document.querySelector('#status').textContent = `${deliveries.length} deliveries.`;
  list.replaceChildren(...deliveries.map(itemOf));
}

function itemOf({ at, url, kind, summary, steps, explanation }) {
  const item = template.content.cloneNode(true);
  const find = (selector) => item.querySelector(selector);
  find('.delivery').dataset.verdict = kind;
  find('.url').textContent = url;
  find('.explanation').textContent = summary;
  find('.scroll').ariaLabel = `Verdicts of ${url}`;
  find('.scroll').hidden = steps.length === 0;
  find('tbody').append(...steps.map(rowOf));
  find('details').hidden = steps.length === 0;
  find('pre code').textContent = explanation;
  find('time').dateTime = at;
  find('time').textContent = new Date(at).toLocaleString();
  return item;
}

function rowOf({ allowed, target, address, reason, entry }) {
  const row = document.createElement('tr');
  row.className = allowed ? 'allowed' : 'denied';
  for (const text of [allowed ? 'allowed' : 'denied', target, address, allowed ? '' : reason, entry]) {
    const cell = document.createElement('td');
    cell.textContent = text || '–';
    row.append(cell);
  }
  return row;
}

document.querySelector('#reload').addEventListener('click', load);
await load();
