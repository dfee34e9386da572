// Hands webhooks to the function, one after the other, or all at once. Standard input: the file of the WebAssembly, its
// settings, and the webhooks. Standard output: what each was answered.
import { readFileSync } from 'node:fs';
import { handle } from '../worker.mjs';

const { wasm, settings, webhooks, at_once: atOnce } = JSON.parse(readFileSync(0));
const module = new WebAssembly.Module(readFileSync(wasm));
const imports = WebAssembly.Module.imports(module);
const deliver = async ({ headers, body, now }) => {
  const request = new Request('http://edge.example.com/webhook', { method: 'POST', headers, body });
  const response = await handle(module, settings, request, now);
  return { status: response.status, retry_after: response.headers.get('Retry-After'), body: await response.json() };
};
const answers = [];
if (atOnce) answers.push(...(await Promise.all(webhooks.map(deliver))));
else for (const webhook of webhooks) answers.push(await deliver(webhook));
console.log(JSON.stringify({ imports, answers }));
