// A JSON-RPC server from npm on a free port of the loopback, which it prints.
const jayson = require("jayson");

const server = new jayson.Server(
  {
    "calc.subtract": (params, done) => done(null, params.minuend - params.subtrahend),
    "calc.total": (params, done) => done(null, params[0] + params[1] + params[2]),
    "calc.note": (params, done) => done(null, null),
    "calc.get_data": (params, done) => done(null, "not a list"),
    "calc.fail": (params, done) => done({ code: -32004, message: "none", data: { hint: 1 } }),
    "calc.withdraw": (params, done) => done({ code: 77, message: "broke" }),
  },
  { useContext: false },
);
const http = server.http();
http.listen(0, "127.0.0.1", () => console.log(http.address().port));
