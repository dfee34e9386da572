// Drives a real Chromium over its debugging pipe: no package is needed for it.
// argv: address of the API, address of the device listener, API key, folder for screenshots, folder for the profile.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import assert from 'node:assert/strict';

const [api, terminals, key, screenshots, profile] = process.argv.slice(2);
const PATIENCE = 60_000;

const browser = spawn(process.env.PUNCH_CHROMIUM, [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--hide-scrollbars',
  '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
  '--remote-debugging-pipe', `--user-data-dir=${profile}`,
], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
// Whatever happens here, it does not go on without us.
process.on('exit', () => browser.kill('SIGKILL'));

// ---- the debugging protocol: JSON, each message with a zero behind it

const answers = new Map();
const listeners = [];
const problems = [];
let last = 0;
let rest = Buffer.alloc(0);
browser.stdio[4].on('data', (chunk) => {
  rest = Buffer.concat([rest, chunk]);
  for (let end; (end = rest.indexOf(0)) >= 0; rest = rest.subarray(end + 1)) {
    const message = JSON.parse(rest.subarray(0, end).toString());
    if (message.id) answers.get(message.id)(message);
    else listeners.forEach((listener) => listener(message));
  }
});

let session;
const call = (method, params = {}) => within(method, new Promise((resolve, reject) => {
  last += 1;
  answers.set(last, ({ error, result }) => (error ? reject(new Error(`${method}: ${error.message}`)) : resolve(result)));
  browser.stdio[3].write(`${JSON.stringify({ id: last, method, params, sessionId: session })}\0`);
}));

function within(what, promise) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`never happened: ${what}`)), PATIENCE); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const event = (name) => within(name, new Promise((resolve) => {
  const listener = ({ method }) => {
    if (method !== name) return;
    listeners.splice(listeners.indexOf(listener), 1);
    resolve();
  };
  listeners.push(listener);
}));

listeners.push(({ method, params }) => {
  if (method === 'Runtime.exceptionThrown') problems.push(params.exceptionDetails.text);
  if (method === 'Log.entryAdded' && params.entry.level === 'error') problems.push(`${params.entry.text} ${params.entry.url}`);
});

// ---- what somebody at a keyboard does

async function look(expression) {
  const { result, exceptionDetails } = await call('Runtime.evaluate', { expression, returnByValue: true });
  assert(!exceptionDetails, exceptionDetails?.exception?.description);
  return result.value;
}

async function eventually(what, expression) {
  const until = Date.now() + PATIENCE;
  while (!await look(expression)) {
    assert(Date.now() < until, `never happened: ${what}`);
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}

async function press(name, code, text) {
  const at = { key: name, code: name, windowsVirtualKeyCode: code, text };
  await call('Input.dispatchKeyEvent', { type: text ? 'keyDown' : 'rawKeyDown', ...at });
  await call('Input.dispatchKeyEvent', { type: 'keyUp', ...at });
}

const tab = () => press('Tab', 9);

async function enter() {
  const loaded = event('Page.loadEventFired');
  await press('Enter', 13, '\r');
  await loaded;
}

async function open(path) {
  const loaded = event('Page.loadEventFired');
  await call('Page.navigate', { url: `http://${api}${path}` });
  await loaded;
}

// Goes on with the tabulator until it is there. Every stop on the way has to be seen.
async function tabTo(selector) {
  for (let stops = 0; stops < 200; stops += 1) {
    await tab();
    const stop = await look(`(() => {
      const here = document.activeElement, box = here.getBoundingClientRect(), style = getComputedStyle(here);
      const shown = box.width > 0 && box.right > 0 && box.left < innerWidth && box.bottom > 0 && box.top < innerHeight;
      return { is: here.matches(${JSON.stringify(selector)}), tag: here.outerHTML.slice(0, 120), shown,
               outline: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 };
    })()`);
    if (stop.tag.startsWith('<body')) continue;
    assert(stop.shown && stop.outline, `the focus is not seen on ${stop.tag}`);
    if (stop.is) return;
  }
  assert.fail(`the keyboard never comes to ${selector} on ${await look('location.pathname')}`);
}

async function screenshot(name) {
  const { data } = await call('Page.captureScreenshot', { captureBeyondViewport: true });
  writeFileSync(`${screenshots}/${name}.png`, Buffer.from(data, 'base64'));
}

const size = (width, height, mobile) =>
  call('Emulation.setDeviceMetricsOverride', { width, height, mobile, deviceScaleFactor: mobile ? 2 : 1 });

const colours = (scheme) =>
  call('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });

// What a page has to have for whoever reads it with something else than eyes, or with bad ones.
async function readable(where) {
  const found = await look(`(() => {
    const problems = [];
    const fields = document.querySelectorAll('input:not([type=hidden]), select, textarea');
    for (const field of fields) if (!field.labels.length) problems.push('no label: ' + field.outerHTML);
    for (const head of document.querySelectorAll('th:not([scope])')) problems.push('no scope: ' + head.outerHTML);
    for (const table of document.querySelectorAll('table:not(:has(caption))')) problems.push('no caption');
    if (document.querySelectorAll('h1').length !== 1) problems.push('not one h1');
    const light = (colour) => {
      const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3)
        .map((part) => part / 255).map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const paper = (node) => {
      for (let at = node; at; at = at.parentElement) {
        const colour = getComputedStyle(at).backgroundColor;
        if (!/, 0\\)$/.test(colour)) return colour;
      }
      return 'rgb(255, 255, 255)';
    };
    for (const node of document.querySelectorAll('body *:not(svg, svg *, script)')) {
      const text = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
      if (!text || !node.getClientRects().length) continue;
      const [one, other] = [light(getComputedStyle(node).color), light(paper(node))].sort((a, b) => b - a);
      const contrast = (one + 0.05) / (other + 0.05);
      if (contrast < 4.5) problems.push('contrast ' + contrast.toFixed(2) + ': ' + node.outerHTML.slice(0, 120));
    }
    return problems;
  })()`);
  assert.deepEqual(found, [], where);
}

async function punch(minute, second) {
  const rows = `7\t2026-03-02 08:${minute}:${second}\t0\t1\t0\n`;
  const url = `http://${terminals}/iclock/cdata?SN=T1&table=ATTLOG&Stamp=9999`;
  const answer = await fetch(url, { method: 'POST', body: rows });
  assert.equal(await answer.text(), 'OK: 1');
}

const PAGES = ['devices', 'punches', 'deliveries', 'endpoints', 'quarantine', 'sites'];

mkdirSync(screenshots, { recursive: true });
const { targetId } = await call('Target.createTarget', { url: 'about:blank' });
({ sessionId: session } = await call('Target.attachToTarget', { targetId, flatten: true }));
for (const domain of ['Page', 'Runtime', 'Log']) await call(`${domain}.enable`);
await size(1280, 900, false);
await colours('light');

// In by the keyboard alone; the cursor is where the key goes.
await open('/');
assert.equal(await look('document.activeElement.id'), 'key');
await readable('the login');
await screenshot('login');
await call('Input.insertText', { text: key });
await enter();
assert.equal(await look('location.pathname'), '/dashboard');

// From page to page by the keyboard alone.
for (const name of PAGES) {
  await tab();
  assert.equal(await look('document.activeElement.className'), 'skip', 'the first stop leads past the pages');
  await tabTo(`header nav a[href="/dashboard/${name}"]`);
  await enter();
  assert.equal(await look('location.pathname'), `/dashboard/${name}`);
  assert.equal(await look('document.querySelector("[aria-current=page]").getAttribute("href")'), `/dashboard/${name}`);
}

// A failed delivery is found and sent again by the keyboard alone.
await open('/dashboard/deliveries?state=failed');
await tabTo('tbody th a');
await enter();
await tabTo('form[action$="/resend"] button');
await enter();
assert(await look('document.querySelector("[role=status]").textContent.length > 0'));

// New punches come by themselves.
await open('/dashboard/punches');
await eventually('the page is live', 'document.getElementById("live").textContent === document.getElementById("live").dataset.open');
await punch(59, 58);
await eventually('the punch is on the page', 'document.getElementById("punches").textContent.includes("08:59:58")');
// And without scripts the page has them too.
await call('Emulation.setScriptExecutionDisabled', { value: true });
await open('/dashboard/punches');
await call('Emulation.setScriptExecutionDisabled', { value: false });
assert(await look('document.getElementById("punches").textContent.includes("08:59:58")'));

// Every page, wide and narrow, bright and dark.
await open('/dashboard/quarantine');
const row = await look('document.querySelector("tbody th a").getAttribute("href")');
await open('/dashboard/deliveries?state=delivered');
const delivery = await look('document.querySelector("tbody th a").getAttribute("href")');
const views = [['overview', '/dashboard'], ...PAGES.map((name) => [name, `/dashboard/${name}`]), ['row', row], ['delivery', delivery]];
for (const [name, path] of views) {
  await size(1280, 900, false);
  await colours('light');
  await open(path);
  await readable(`${name}, bright`);
  await screenshot(`${name}-wide`);
  await colours('dark');
  await readable(`${name}, dark`);
  await screenshot(`${name}-dark`);
  await colours('light');
  await size(360, 740, true);
  await open(path);
  const wide = await look('document.documentElement.scrollWidth - document.documentElement.clientWidth');
  assert.equal(wide, 0, `${name} is ${wide} pixels wider than a phone`);
  await readable(`${name}, on a phone`);
  await screenshot(`${name}-phone`);
}

assert.deepEqual(problems, [], 'the browser complains of nothing');
console.log(`${views.length} pages`);
process.exit(0);
