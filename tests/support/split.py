"""A document of one file as one of several, which says the same."""

from __future__ import annotations

from typing import Any

from entrepot.kit.pointers import escape

_SCHEMAS = "#/components/schemas/"


def split(document: dict[str, Any]) -> dict[str, Any]:
    """The document with each path and each of its schemas in a file of its own, by location; the main one first."""
    main = {key: value for key, value in document.items() if key not in ("components", "paths")}
    rest = {key: value for key, value in document["components"].items() if key != "schemas"}
    files: dict[str, Any] = {"api/main.json": main | {"components": rest, "paths": {}}}
    for index, (path, item) in enumerate(document["paths"].items()):
        files["api/main.json"]["paths"][path] = {"$ref": f"paths/{index}.json#/{escape(path)}"}
        files[f"api/paths/{index}.json"] = {path: _moved(item, "../../schemas/", "../main.json")}
    for name, schema in document["components"]["schemas"].items():
        files[f"schemas/{name}.json"] = _moved(schema, "", "../api/main.json")
    return files


def _moved(value: Any, schemas: str, main: str) -> Any:
    if isinstance(value, list):
        return [_moved(item, schemas, main) for item in value]
    if isinstance(value, dict):
        return {key: _moved(item, schemas, main) for key, item in value.items()}
    if not isinstance(value, str) or not value.startswith("#/"):
        return value
    if not value.startswith(_SCHEMAS):
        return main + value
    name, slash, inner = value.removeprefix(_SCHEMAS).partition("/")
    return f"{schemas}{name}.json" + (f"#/{inner}" if slash else "")
