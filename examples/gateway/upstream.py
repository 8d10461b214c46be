"""The systems behind the gateway, for want of real ones: `python upstream.py 9001 9002`."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

CUSTOMERS = [
    {"id": 1, "name": "Anna de Vries", "credit": "1250.00"},
    {"id": 2, "name": "Bram Jansen", "credit": "0.10"},
]


class Handler(BaseHTTPRequestHandler):
    """A customer system that speaks REST, with a static file."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        match self.path.strip("/").split("/"):
            case ["healthz"]:
                self.answer(200, {"ok": True})
            case ["customers"]:
                self.answer(200, CUSTOMERS)
            case ["customers", number] if customer := next((c for c in CUSTOMERS if str(c["id"]) == number), None):
                self.answer(200, customer)
            case ["static", "hello.txt"]:
                self.answer(200, "hello\n", media_type="text/plain")
            case _:
                self.answer(404, {"title": "There is no such thing"})

    def answer(self, status: int, content: object, media_type: str = "application/json") -> None:
        body = (content if isinstance(content, str) else json.dumps(content)).encode()
        self.send_response(status)
        self.send_header("content-type", media_type)
        self.send_header("content-length", str(len(body)))
        self.send_header("x-served-by", str(self.server.server_port))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    servers = [ThreadingHTTPServer(("127.0.0.1", int(port)), Handler) for port in sys.argv[1:]]
    threads = [Thread(target=server.serve_forever) for server in servers]
    for thread in threads:
        thread.start()
    print(f"listening on {', '.join(str(server.server_port) for server in servers)}", flush=True)
    for thread in threads:
        thread.join()  # while a program ends, Python 3.12 starts no thread for a request
