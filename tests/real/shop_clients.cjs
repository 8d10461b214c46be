// Uses the shop at the URL given, with two JSON-RPC clients from npm; prints what they got as JSON.
const { JSONRPCClient } = require("json-rpc-2.0");
const jayson = require("jayson/promise");

const url = process.argv[2];
const TOO_MANY = [{ product_id: 2, quantity: 900 }];

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
  const failed = async (method, params) => {
    const { code, message, data } = await client.request(method, params).catch((error) => error);
    return { code, message, kind: data.kind, name: data.name, data: data.data, errors: data.errors };
  };
  const batch = await client.requestAdvanced([
    { jsonrpc: "2.0", id: "a", method: "shop.product", params: [1] },
    { jsonrpc: "2.0", method: "shop.product", params: [1] },
    { jsonrpc: "2.0", id: "b", method: "shop.product", params: { id: 99999 } },
    { jsonrpc: "2.0", id: "c", method: "shop.nothing" },
  ]);
  return {
    named: (await client.request("shop.product", { id: 1 })).name,
    positional: (await client.request("shop.product", [1])).name,
    quote: await client.request("shop.quote", { items: [{ product_id: 3, quantity: 2 }] }),
    declared: await failed("shop.place_order", { items: TOO_MANY }),
    missing: await failed("shop.product", { id: 99999 }),
    invalid: await failed("shop.place_order", { items: [{ product_id: "one" }, {}] }),
    unknown: await failed("shop.nothing", {}),
    notified: (await client.notify("shop.product", { id: 1 })) ?? null,
    batch: Object.fromEntries(batch.map((reply) => [reply.id, reply.result?.name ?? reply.error.data.kind])),
  };
}

async function withJayson() {
  const { hostname, port, pathname } = new URL(url);
  const client = jayson.Client.http({ hostname, port, path: pathname });
  const replies = await client.request([
    client.request("shop.product", [1], undefined, false),
    client.request("shop.product", { id: 99999 }, undefined, false),
    client.request("shop.nothing", [], undefined, false),
  ]);
  const declared = (await client.request("shop.place_order", { items: TOO_MANY })).error;
  return {
    named: (await client.request("shop.product", { id: 1 })).result.name,
    positional: (await client.request("shop.product", [1])).result.name,
    text_id: (await client.request("shop.product", [1], "an id")).id,
    declared: { name: declared.data.name, data: declared.data.data },
    notified: (await client.request("shop.product", { id: 1 }, null)) ?? null,
    batch: replies.map((reply) => reply.result?.name ?? reply.error.data.kind),
  };
}

(async () => {
  console.log(JSON.stringify({ "json-rpc-2.0": await withJsonRpc2(), jayson: await withJayson() }));
})();
