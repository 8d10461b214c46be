"""Words that other gateways use, with ours: what a key of `entrepot.yaml` was meant to be."""

from __future__ import annotations

SYNONYMS = {
    "algorithm": "balance",
    "app": "asgi",
    "backend": "upstream",
    "bind": "listen",
    "concurrency": "workers",
    "healthcheck": "health",
    "healthchecks": "health",
    "load_balancing": "balance",
    "module": "python",
    "nodes": "endpoints",
    "outlier_detection": "ejection",
    "passive": "ejection",
    "paths": "path",
    "port": "listen",
    "prefix": "path",
    "processes": "workers",
    "protocols": "expose",
    "proxy_pass": "upstream",
    "read_timeout": "timeout",
    "response_timeout": "timeout",
    "retries": "retry",
    "servers": "endpoints",
    "service": "upstream",
    "strip_path": "strip_prefix",
    "target": "upstream",
    "targets": "endpoints",
    "uri": "path",
}
