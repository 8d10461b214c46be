"""The Declaration: what `entrepot.yaml` may say, one Struct for each kind of map.

The reference of the file and its JSON Schema are generated from these docstrings. Members that
are not given are `None` or empty here; what then holds is decided in one place, the compiler's
`inherit` pass, and told in the docstrings.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import Meta

from entrepot.spec.units import DURATION_PATTERN, END, SIZE_PATTERN

Duration = Annotated[
    str, Meta(pattern=DURATION_PATTERN, description="A number and ms, s, m or h.", examples=["500ms", "2s"])
]
"""A span of time as text: `500ms`, `2s`, `1.5m`, `1h`."""

Size = Annotated[
    str, Meta(pattern=SIZE_PATTERN, description="A number and B, kB, KiB, MB, MiB, GB or GiB.", examples=["1MiB"])
]
"""A number of octets as text: `512B`, `64KiB`, `10MB`."""

NAME_MAX = 63

NAME_PATTERN = "^[A-Za-z][A-Za-z0-9_-]{0,62}" + END
"""ECMA-262, for schemas and editors."""

Name = Annotated[str, Meta(pattern=NAME_PATTERN)]
"""A name that may stand in an address: letters, digits, `-` and `_`, at most 63."""

VARIABLE_PATTERN = "^[A-Za-z_][A-Za-z0-9_]{0,127}" + END

PATH_PATTERN = "^/[!-~]*" + END

Host = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:\[\]-]{1,261}" + END)]
"""A host name or address, perhaps with a port, as a header may carry it."""

Count = Annotated[int, Meta(ge=1)]
"""A number of things, at least one."""


class _Map(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What all maps of the file share: unknown keys are refused."""


class OperationEntry(_Map, frozen=True):
    """What differs for one operation from the rest of its service."""

    timeout: Duration | None = None
    """How long an answer may take. Without it: what the code says, else the service's timeout."""
    expose: list[str] | None = None
    """The protocols it is served over. Without it: those of the service."""


class ServiceEntry(_Map, frozen=True):
    """A service and where its operations live: Python code, or an imported document and an upstream.

    Besides the keys listed here there is one for each kind of document that a protocol reads, such
    as `openapi: specs/crm.json`: the document's file, relative to the project.
    """

    python: str | None = None
    """The module that defines the service, `module` or `module:attribute`. Without an attribute every
    service of the module counts."""
    upstream: str | None = None
    """The upstream that an imported service's calls go to; its name under `upstreams`."""
    name: Name | None = None
    """The service's name in addresses. Without it: the name in the code; for a document, the key."""
    version: Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,31}" + END)] | None = None
    """The service's version in addresses, where a `v` stands before it: `2`, not `v2`. Without it: the one in the code
    or document."""
    expose: list[str] | None = None
    """The protocols it is served over. Without it: all of them under `dev`, those that are on by
    default under `serve`. A protocol named here must be able to carry every operation."""
    replies: Literal["strict", "lenient"] | None = None
    """What becomes of an upstream's reply that is not what its contract says. `strict`: a fault that tells what
    differed and where. `lenient`: it is repaired where nothing has to be invented for that, counted, and told as
    a warning. Without it: strict."""
    extras: Literal["drop", "keep", "forbid"] | None = None
    """What becomes of members of objects of which an imported document says nothing. `drop`: they are read over.
    `keep`: they are passed on. `forbid`: they are refused, in a reply as `replies` says. Without it: drop."""
    timeout: Duration | None = None
    """How long an operation's answer may take. Without it: the project's timeout."""
    operations: dict[str, OperationEntry] = {}
    """Settings of single operations, by their names."""

    @property
    def documents(self) -> dict[str, str]:
        """The documents given, by kind."""
        kinds = [field for field in self.__struct_fields__ if field not in ServiceEntry.__struct_fields__]
        return {kind: file for kind in kinds if (file := getattr(self, kind)) is not None}


class TlsEntry(_Map, frozen=True):
    """How an upstream's certificate is verified. It always is."""

    server_name: Host | None = None
    """The name the certificate must carry. Without it: the host of the url or of the first endpoint."""
    ca_file: str | None = None
    """PEM file with the authorities to trust, relative to the project. Without it: the system's."""


class HealthEntry(_Map, frozen=True):
    """Active probing: a GET that must answer 200, or the endpoint gets no traffic."""

    path: Annotated[str, Meta(pattern=PATH_PATTERN)] = "/"
    """The path that is asked for."""
    interval: Duration | None = None
    """Time between probes. Without it: 5s."""
    timeout: Duration | None = None
    """How long a probe may take. Without it: 1s."""
    unhealthy_after: Count | None = None
    """Failed probes in a row that take an endpoint out. Without it: 2."""
    healthy_after: Count | None = None
    """Good probes in a row that bring it back. Without it: 1."""


class RetryEntry(_Map, frozen=True):
    """Further tries. A call that changes something is only tried again when it never reached the upstream."""

    attempts: Annotated[int, Meta(ge=1, le=10)] | None = None
    """Tries in all, the first included; 1 means none further. Without it: 2."""
    per_try_timeout: Duration | None = None
    """How long one try may take. Without it: as long as the whole answer may."""


class EjectionEntry(_Map, frozen=True):
    """Passive health: an endpoint that keeps failing is left out for a while."""

    failures: Count | None = None
    """Failures in a row (5xx answers, failed connections) that take an endpoint out. Without it: 5."""
    duration: Duration | None = None
    """How long it stays out. Without it: 30s."""
    share_max: Annotated[int, Meta(ge=1, le=100)] | None = None
    """Percent of the endpoints that may be out at once. Without it: 50."""


class SecretEntry(_Map, frozen=True):
    """Where a secret is kept; the secret itself never stands in this file."""

    env: Annotated[str, Meta(pattern=VARIABLE_PATTERN)] | None = None
    """The environment variable that holds it, of the environment that Entrepôt is started in."""
    file: str | None = None
    """The file that holds it and nothing else, relative to the project. A newline at its end is not part of it."""


class CredentialEntry(SecretEntry, frozen=True):
    """What we show an upstream for one of its security schemes.

    For an API key say where it is kept; else `token` for a bearer, OAuth 2 or OpenID Connect, `user` and `password`
    for HTTP basic.
    """

    token: SecretEntry | None = None
    """The token of a bearer."""
    user: SecretEntry | None = None
    """The name, for HTTP basic."""
    password: SecretEntry | None = None
    """The password, for HTTP basic."""


class UpstreamEntry(_Map, frozen=True):
    """A system that somebody else runs and we call, through the egress: its addresses and how we treat it."""

    url: str | None = None
    """Its one address, `https://bank.example/ws`. The path comes before every operation's."""
    endpoints: list[str] = []
    """Its addresses, `host:port` each, instead of a url."""
    host: Host | None = None
    """The Host header it expects. Without it: that of the url or of the first endpoint."""
    base_path: str | None = None
    """Path before every operation's. Without it: the url's, else the one in the imported document."""
    server: str | None = None
    """The URL of a server in imported documents that it stands for: operations that are there and not on the
    document's own server are called here. Without it: the url."""
    tls: TlsEntry | bool | None = None
    """Encryption, and how the certificate is verified; `true` takes the defaults. Without it: on for an
    `https://` url, off else."""
    credentials: dict[str, CredentialEntry] = {}
    """What we show it, by the name of the security scheme in its contract. No callers of ours are asked for it."""
    balance: Literal["round_robin", "least_request"] | None = None
    """How calls are spread over endpoints. Without it: round_robin."""
    timeout: Duration | None = None
    """How long a whole answer may take; streams are exempt. Without it: 15s."""
    connect_timeout: Duration | None = None
    """How long a connection may take to open. Without it: 1s."""
    retry: RetryEntry | None = None
    """Further tries after a failure."""
    health: HealthEntry | None = None
    """Active probing. Without it: none."""
    ejection: EjectionEntry | bool | None = None
    """Passive health; `false` switches it off. Without it: on, with its defaults."""
    connections_max: Count | None = None
    """Connections at once. Without it: 1024."""
    requests_per_connection: Count | None = None
    """Requests that one connection carries; 1 opens one for each. Without it: as many as come."""
    requests_max: Count | None = None
    """Requests in progress at once; one more is refused. Without it: 1024."""


class RouteEntry(_Map, frozen=True, gc=False):
    """An address that leads to an upstream or to a hosted application, without becoming an operation."""

    path: str
    """`/static/*` takes all below a prefix, `/robots.txt` that path alone. The longest one wins."""
    upstream: str | None = None
    """Pass-through to this upstream, which never touches Python."""
    wsgi: str | None = None
    """A WSGI application, `module:attribute`, in a worker pool of its own."""
    asgi: str | None = None
    """An ASGI application, `module:attribute`, in a worker pool of its own."""
    strip_prefix: bool = False
    """Whether the prefix is taken off the path before it goes to the upstream."""
    timeout: Duration | None = None
    """How long a whole answer may take. Without it: until the answer begins the upstream's timeout holds, afterwards
    nothing may be silent for five minutes; for applications there is no other bound than that."""
    workers: Count | None = None
    """Processes for a hosted application. Without it: the project's workers."""


class LimitsEntry(_Map, frozen=True):
    """Bounds on one call; a request that passes one is refused."""

    body: Size | None = None
    """Largest request body that is read into memory. Without it: 1MiB."""
    file: Size | None = None
    """Largest streamed upload; as much of a hosted WSGI application's answer may lie unread. Without it: 64MiB."""
    reply: Size | None = None
    """Largest upstream reply that is read into memory, and most that links add to an answer; once the replies of
    a batch have more together, no more calls of it are begun. Without it: 16MiB."""
    stream_item: Size | None = None
    """Largest single item of a stream. Without it: 1MiB."""
    depth: Annotated[int, Meta(ge=1, le=500)] | None = None
    """Deepest nesting of arrays and objects. Without it: 64."""
    number_digits: Annotated[int, Meta(ge=20, le=4000)] | None = None
    """Most digits of one number. Without it: 1000."""
    issues: Count | None = None
    """Most errors listed in one fault. Without it: 20."""
    batch: Count | None = None
    """Most calls in one batch. Without it: 100."""
    batch_concurrency: Count | None = None
    """Most calls of one batch in progress at once. Without it: 16."""
    connections: Count | None = None
    """Most client connections at once. Without it: 10000."""
    edge_memory: Size | None = None
    """Most memory that the edge may hold, of which a request that waits takes a part. Near it, further requests are
    refused as `unavailable`. Without it: 2GiB."""


class Declaration(_Map, frozen=True):
    """All that `entrepot.yaml` says."""

    entrepot: Literal[1] = 1
    """The version of this file's format: 1."""
    name: Name | None = None
    """The project's name. Without it: the directory's."""
    listen: str | None = None
    """Address and port to serve on. Without it: 127.0.0.1:8080."""
    workers: Count | None = None
    """Worker processes. Without it: 1."""
    threads: Count | None = None
    """Plain `def` handlers, or WSGI requests, at work at once in one process. Without it: 16."""
    timeout: Duration | None = None
    """How long an operation's answer may take. Without it: 30s."""
    releases: Count | None = None
    """How many releases are kept to roll back to, the newest first. Without it: 50."""
    limits: LimitsEntry = LimitsEntry()
    """Bounds on one call."""
    services: dict[Name, ServiceEntry] = {}
    """What is served, by a name of your choice."""
    upstreams: dict[Name, UpstreamEntry] = {}
    """The systems that are called, by name."""
    routes: list[RouteEntry] = []
    """Addresses that lead to upstreams or hosted applications as they are."""
    environments: dict[Name, dict[str, Any]] = {}
    """By environment, what differs there: any of the keys above, merged into them (RFC 7396: maps are
    merged, everything else is replaced, `null` removes). The environment is chosen on the command line."""


@cache
def declaration_type(kinds: tuple[str, ...]) -> type[Declaration]:
    """The Declaration with one key in each service for each kind of document that a protocol reads."""
    document = Annotated[str | None, Meta(description="The imported document: its file, relative to the project.")]
    service = msgspec.defstruct(
        "ServiceEntry",
        [(kind, document, None) for kind in kinds],
        bases=(ServiceEntry,),
        namespace={"__doc__": ServiceEntry.__doc__, "__module__": __name__},
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
        omit_defaults=True,
    )
    declaration = msgspec.defstruct(
        "Declaration",
        [("services", dict[Name, service], msgspec.field(default_factory=dict))],  # type: ignore[valid-type]
        bases=(Declaration,),
        namespace={"__doc__": Declaration.__doc__, "__module__": __name__},
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
        omit_defaults=True,
    )
    return cast(type[Declaration], declaration)
