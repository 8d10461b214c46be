"""The tables of the edge and the workers, as small as they can be: a test gives what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from entrepot.ir.edge import EdgeIR
from entrepot.ir.release import Release
from entrepot.ir.worker import Pool, PythonSource, ServiceTable, UpstreamSource, WorkerIR
from entrepot.kit.limits import Limits
from entrepot.model.operation import Service


def edge_table(**given: Any) -> EdgeIR:
    """An edge without routes on port 8080."""
    settings = {"address": "127.0.0.1", "port": 8080, "connections_max": 10_000, "memory_max": 2**31}
    return EdgeIR(**{**settings, "routes": (), "upstreams": (), "pools": (), **given})


def worker_table(**given: Any) -> WorkerIR:
    """Workers without anything to do."""
    return WorkerIR(**{"services": (), "pools": (), "limits": Limits(), "check_output": False, **given})


def release_of(code: str = "a", **given: Any) -> Release:
    """A release of one module, whose content `code` stands for."""
    tables = {"edge": edge_table(), "worker": worker_table()}
    settings = {
        "project": "p",
        "mode": "serve",
        "environment": "",
        "target": "entrepot.yaml",
        "kept": 50,
        "dependencies": {},
    }
    return Release(**{**settings, **tables, "files": {"p.py": code}, **given})


def service_table(
    service: Service, source: PythonSource | UpstreamSource, expose: Sequence[str] = (), **given: Any
) -> ServiceTable:
    """A service that is served over nothing yet; with `expose`, whole over these protocols."""
    carried = dict.fromkeys(expose, tuple(operation.name for operation in service.operations))
    return ServiceTable(service=service, source=source, **{"carried": carried, "refused": {}, "timeout": 30.0, **given})


def worker_pool(name: str, **given: Any) -> Pool:
    """A pool of one process."""
    return Pool(name=name, **{"processes": 1, "threads": 16, **given})
