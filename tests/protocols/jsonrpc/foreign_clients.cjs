// Calls the calculator at the URL given, with two clients from npm; prints what they got as JSON.
const { JSONRPCClient } = require("json-rpc-2.0");
const jayson = require("jayson/promise");

const url = process.argv[2];

async function withJsonRpc2() {
  const client = new JSONRPCClient(async (request) => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(request),
    });
    if (response.status === 200) client.receive(await response.json());
    else if (response.status !== 204) throw new Error(`status ${response.status}`);
  });
  const error = await client.request("calc.withdraw", { amount: "10.50" }).catch((problem) => problem);
  const batch = await client.requestAdvanced([
    { jsonrpc: "2.0", id: "a", method: "calc.total", params: [1, 2, 3] },
    { jsonrpc: "2.0", id: "b", method: "calc.nothing" },
  ]);
  return {
    named: await client.request("calc.subtract", { subtrahend: 23, minuend: 42 }),
    positional: await client.request("calc.subtract", [42, 23]),
    nothing: await client.request("calc.update", [1, 2, 3, 4, 5]),
    notified: (await client.notify("calc.note", { text: "x" })) ?? null,
    error: { code: error.code, message: error.message, data: error.data },
    batch: batch.map((reply) => reply.result ?? reply.error.code),
  };
}

async function withJayson() {
  const { hostname, port, pathname } = new URL(url);
  const client = jayson.Client.http({ hostname, port, path: pathname });
  const [total, missing] = await client.request([
    client.request("calc.total", [1, 2, 3], undefined, false),
    client.request("calc.nothing", [], undefined, false),
  ]);
  return {
    named: (await client.request("calc.subtract", { subtrahend: 23, minuend: 42 })).result,
    positional: (await client.request("calc.subtract", [42, 23])).result,
    text_id: (await client.request("calc.get_data", [], "an id")).id,
    invalid: (await client.request("calc.subtract", ["x", 1])).error.code,
    notified: (await client.request("calc.note", { text: "x" }, null)) ?? null,
    batch: [total.result, missing.error.code],
  };
}

(async () => {
  console.log(JSON.stringify({ "json-rpc-2.0": await withJsonRpc2(), jayson: await withJayson() }));
})();
