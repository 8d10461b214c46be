import threading
from collections.abc import Iterator

from flask import Flask, Response, request, url_for

app = Flask(__name__)
gate = threading.Event()


@app.route("/hello/<name>")
def hello(name: str) -> dict[str, str]:
    return {
        "name": name,
        "script_name": request.environ["SCRIPT_NAME"],
        "path": request.path,
        "query": request.args.get("q", ""),
        "url": url_for("hello", name="x"),
        "scheme": request.scheme,
        "caller": request.remote_addr or "",
        "external": url_for("hello", name="x", _external=True),
    }


@app.route("/echo", methods=["POST"])
def echo() -> Response:
    return Response(request.get_data(), content_type=request.content_type, headers={"X-One": "1"})


@app.route("/stream")
def stream() -> Response:
    return Response(str(number) for number in range(1000))


@app.route("/ample")
def ample() -> Response:
    return Response((b"%07d\n" % number * 1000 for number in range(1000)), content_type="text/plain")


@app.route("/endless")
def endless() -> Response:
    return Response(iter(lambda: b"x" * 1000, b""), content_type="text/plain")


@app.route("/slowly")
def slowly() -> Response:
    def words() -> Iterator[str]:
        yield "first"
        gate.wait(10)
        yield "last"

    return Response(words())


@app.route("/open")
def open_gate() -> str:
    gate.set()
    return "opened"


@app.route("/crash")
def crash() -> str:
    raise ValueError("the password is 12345")


@app.route("/wait")
def wait() -> str:
    gate.wait(10)
    return "waited"


@app.route("/-/health")
def own_health() -> str:
    return "the application's own"
