// Runs the function: `module` is the compiled WebAssembly, `settings` what src/visit.rs says, `request` the webhook.
// It knows `fetch`, `Request` and `Response` and nothing else, as every edge runtime has them.

const text = (headers) => [...headers].map(([name, value]) => `${name}: ${value}\n`).join('');

export async function handle(module, settings, request, now = Date.now()) {
  // One instance a webhook: while one waits for its answer, another may come.
  const { exports: edge } = new WebAssembly.Instance(module);
  const put = (place, bytes) => {
    const address = edge.edge_room(place, bytes.length);
    new Uint8Array(edge.memory.buffer, address, bytes.length).set(bytes);
  };
  const message = async (headers, body) => {
    put(1, new TextEncoder().encode(text(headers)));
    put(2, new Uint8Array(await body.arrayBuffer()));
  };
  const next = () => {
    const said = new Uint8Array(edge.memory.buffer, edge.edge_output(), edge.edge_output_length());
    return JSON.parse(new TextDecoder().decode(said));
  };

  put(0, new TextEncoder().encode(JSON.stringify(settings)));
  await message(request.headers, request);
  edge.edge_begin(now);
  let step = next();
  while (step.send) {
    const { method, url, headers, body } = step.send;
    let status = 0;
    try {
      const signal = AbortSignal.timeout(60_000);
      const reply = await fetch(url, { method, headers, body: body || undefined, redirect: 'manual', signal });
      await message(reply.headers, reply);
      status = reply.status;
    } catch {
      // No answer, or half of one.
    }
    edge.edge_resume(status);
    step = next();
  }
  const { status, body, retry_after: seconds } = step.answer;
  const headers = { 'Content-Type': 'application/json', ...(seconds > 0 && { 'Retry-After': String(seconds) }) };
  return new Response(JSON.stringify(body), { status, headers });
}
