const form = document.querySelector('#form');
const input = document.querySelector('#url');
const send = document.querySelector('#send');
const problem = document.querySelector('#problem');
const status = document.querySelector('#status');
const results = document.querySelector('#results');
const template = document.querySelector('#result');

const BADGES = { delivered: '✓', answered: '!', unreachable: '…', refused: '✕' };

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  if (send.ariaDisabled === 'true') return;
  const url = input.value.trim();
  complain('');
  if (url === '') return complain('Type a URL first.');

  working(true);
  try {
    const response = await fetch('/api/deliveries', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ url }),
    });
    const answer = await response.json();
    if (answer.verdict === undefined) complain(answer.error);
    else show(url, answer);
  } catch {
    complain('Our own server did not answer. Try again.');
  } finally {
    working(false);
  }
});

function working(is) {
  // Not `disabled`: that would take the focus away from whoever uses the keyboard.
  send.ariaDisabled = String(is);
  send.textContent = is ? 'Sending…' : 'Send test event';
  if (is) status.textContent = 'Sending…';
}

function complain(text) {
  problem.textContent = text;
  input.ariaInvalid = String(text !== '');
  if (text === '') return;
  status.textContent = '';
  input.focus();
}

function show(url, { verdict, title, explanation }) {
  const item = template.content.cloneNode(true);
  const find = (selector) => item.querySelector(selector);
  const now = new Date();
  find('.result').dataset.verdict = verdict;
  find('.badge').textContent = BADGES[verdict];
  find('h3').textContent = title;
  find('.explanation').textContent = explanation;
  find('.url').textContent = url;
  find('time').dateTime = now.toISOString();
  find('time').textContent = now.toLocaleTimeString();
  results.prepend(item);
  while (results.children.length > 20) results.lastChild.remove();
  document.querySelector('#empty').hidden = true;
  status.textContent = `${title}. ${explanation}`;
}

const examples = await (await fetch('/api/examples')).json();
for (const { label, url } of examples) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'chip';
  button.textContent = label;
  button.title = url;
  button.addEventListener('click', () => {
    input.value = url;
    complain('');
    input.focus();
  });
  const item = document.createElement('li');
  item.append(button);
  document.querySelector('#examples ul').append(item);
}
document.querySelector('#examples').hidden = examples.length === 0;
