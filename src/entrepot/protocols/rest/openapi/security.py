"""Security schemes and what operations demand of them (OpenAPI 3.1, §4.8.27 and §4.8.30)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from entrepot.kit import names
from entrepot.model.operation import Operation, Service
from entrepot.model.security import ApiKey, Flow, Http, MutualTls, OAuth2, OpenIdConnect, Requirement, Scheme
from entrepot.shapes.document import Node, Refusal, Unreadable

Json = dict[str, Any]
Places = Mapping[str, Mapping[str, Any]]
"""Of an operation's parameters, by field: where each stands and under which name."""

_FLOWS: Mapping[str, Literal["implicit", "password", "client_credentials", "authorization_code"]] = {
    "implicit": "implicit",
    "password": "password",
    "clientCredentials": "client_credentials",
    "application": "client_credentials",
    "authorizationCode": "authorization_code",
    "accessCode": "authorization_code",
}
"""By OpenAPI's word, and Swagger's."""
_WORDS = {kind: word for word, kind in [*_FLOWS.items()][::-1]}
_FORBIDDEN = re.compile("[^A-Za-z0-9._-]")
"""What no name of a component holds (3.1, §4.8.7); in Swagger 2.0 names are free."""
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""The name of a header or cookie (RFC 9110, §5.6.2)."""
_WHERE: Mapping[str, Literal["header", "query", "cookie"]] = {"header": "header", "query": "query", "cookie": "cookie"}


class SecurityImport:
    """The security schemes of one document, and what its operations demand."""

    def __init__(self, root: Node) -> None:
        self._root = root
        self.schemes: dict[str, Scheme] = {}
        self.refusals: list[Refusal] = []
        self._called: dict[str, str] = {}
        """By name in the document: the name in the service, as components may be called."""
        self._unknown: set[str] = set()

    def read_schemes(self) -> None:
        """Takes every scheme that the document has."""
        listed = self._root["securityDefinitions"] or self._root["components"]["securitySchemes"]
        taken: dict[str, int] = {}
        for name in map(str, listed.value if isinstance(listed.value, dict) else ()):
            try:
                scheme = self._scheme(listed[name], name)
            except Unreadable as unreadable:
                self._unknown.add(name)
                self.refusals.append(unreadable.refusal(f"security scheme {name}"))
                continue
            self._called[name] = names.unique(_FORBIDDEN.sub("_", name), taken)
            self.schemes[self._called[name]] = scheme

    def demanded(self, operation: Node, places: Places, *, inherits: bool) -> tuple[tuple[Requirement, ...], ...]:
        """What one operation demands; what it does not say, one that `inherits` has from the document.

        An alternative that names a scheme which is not known is refused.
        """
        own = isinstance(operation.value, dict) and "security" in operation.value
        listed = self._root["security"] if inherits and not own else operation["security"]
        alternatives = (self._alternative(each, places) for each in listed.items())
        return tuple(each for each in alternatives if each is not None)

    def _alternative(self, node: Node, places: Places) -> tuple[Requirement, ...] | None:
        requirements = []
        for name, scopes in node.members():
            if name not in self._called:
                self._refuse_unknown(name, scopes)
                return None
            called = self._called[name]
            said = tuple(scope.text for scope in scopes.items())
            requirements.append(Requirement(scheme=called, scopes=said, field=_field(self.schemes[called], places)))
        return tuple(requirements)

    def _refuse_unknown(self, name: str, named: Node) -> None:
        if name not in self._unknown:
            self._unknown.add(name)
            self.refusals.append(named.unreadable("no scheme has this name").refusal(f"security scheme {name}"))

    def _scheme(self, node: Node, name: str) -> Scheme:
        docs = node["description"].text
        match node["type"].text:
            case "apiKey":
                where = _WHERE.get(node["in"].text)
                if where is None or not node["name"].text:
                    raise node.unreadable("it does not say where the key stands and what it is called")
                if where != "query" and not _TOKEN.fullmatch(node["name"].text):
                    raise node.unreadable(f"no {where} has the name {node['name'].text!r}")
                return ApiKey(where=where, name=node["name"].text, docs=docs)
            case "basic":
                return Http(scheme="basic", docs=docs)
            case "http":
                return Http(scheme=node["scheme"].text.lower(), format=node["bearerFormat"].text, docs=docs)
            case "oauth2":
                return OAuth2(flows=tuple(self._flows(node, name)), docs=docs)
            case "openIdConnect":
                return OpenIdConnect(url=node["openIdConnectUrl"].text, docs=docs)
            case "mutualTLS":
                return MutualTls(docs=docs)
            case kind:
                raise node.unreadable(f"there is no kind of scheme called {kind!r}")

    def _flows(self, node: Node, name: str) -> Iterator[Flow]:
        """The flows; in Swagger 2.0 the scheme itself is one."""
        listed = {node["flow"].text: node} if node["flow"] else dict(node["flows"].members())
        for word, flow in listed.items():
            if word not in _FLOWS:
                reason = f"there is no flow called {word!r}"
                self.refusals.append(flow.unreadable(reason).refusal(f"flow of security scheme {name}"))
                continue
            yield Flow(
                kind=_FLOWS[word],
                authorization_url=flow["authorizationUrl"].text,
                token_url=flow["tokenUrl"].text,
                refresh_url=flow["refreshUrl"].text,
                scopes={scope: meaning.text for scope, meaning in flow["scopes"].members()},
            )


def _field(scheme: Scheme, places: Places) -> str:
    """The field that stands where the scheme is shown, if there is one."""
    if isinstance(scheme, MutualTls):
        return ""
    where, wanted = (scheme.where, scheme.name) if isinstance(scheme, ApiKey) else ("header", "authorization")
    found = (field for field, at in places.items() if at["in"] == where and _same(str(at["name"]), wanted, where))
    return next(found, "")


def _same(name: str, wanted: str, where: str) -> bool:
    """Names of headers have no case."""
    return name.lower() == wanted.lower() if where == "header" else name == wanted


def components(service: Service) -> Json:
    """The schemes of a service as components of OpenAPI 3.1."""
    schemes = {
        name: _written(scheme) | ({"description": scheme.docs} if scheme.docs else {})
        for name, scheme in service.schemes.items()
    }
    return {"securitySchemes": schemes} if schemes else {}


def _written(scheme: Scheme) -> Json:
    match scheme:
        case ApiKey():
            return {"type": "apiKey", "in": scheme.where, "name": scheme.name}
        case Http():
            hint = {"bearerFormat": scheme.format} if scheme.format else {}
            return {"type": "http", "scheme": scheme.scheme, **hint}
        case OAuth2():
            return {"type": "oauth2", "flows": {_WORDS[flow.kind]: _written_flow(flow) for flow in scheme.flows}}
        case OpenIdConnect():
            return {"type": "openIdConnect", "openIdConnectUrl": scheme.url}
        case MutualTls():
            return {"type": "mutualTLS"}


def _written_flow(flow: Flow) -> Json:
    urls = {
        "authorizationUrl": flow.authorization_url,
        "tokenUrl": flow.token_url,
        "refreshUrl": flow.refresh_url,
    }
    return {name: url for name, url in urls.items() if url} | {"scopes": dict(flow.scopes)}


def demands(operation: Operation) -> list[Json]:
    """What an operation demands, as OpenAPI has it."""
    return [{each.scheme: list(each.scopes) for each in alternative} for alternative in operation.security]
