"""`entrepot import`: a foreign contract becomes a service of the project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from entrepot.cli.options import common, told_of
from entrepot.cli.output import count, on_one_line
from entrepot.cli.session import DONE, REFUSED, Session

if TYPE_CHECKING:
    from entrepot.control.importing import Import

LISTED_MAX = 20
"""Most operations listed; `explain` lists all."""


@click.command("import")
@click.argument("document", metavar="KIND:FILE_OR_URL")
@click.option("--name", required=True, help="The service's name in the project.")
@click.option(
    "--project",
    default=".",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The project's directory.",
)
@click.option(
    "--root",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The directory below which a file may refer to others; its own, or the project's, unless given.",
)
@click.option(
    "--allow",
    metavar="URL",
    multiple=True,
    help="An address from whose origin files that the document refers to may be fetched, besides its own.",
)
@common
def import_document(
    session: Session, document: str, name: str, project: Path, root: Path | None, allow: tuple[str, ...]
) -> int:
    """Import a contract as a service.

    The document is read with the files that it refers to, pinned by their hashes, and declared in
    entrepot.yaml. What cannot be imported is listed with its place and the reason; the exit code is
    then 1, and the rest is imported all the same.

    \b
    Examples:
      entrepot import openapi:specs/crm.json --name crm
      entrepot import openrpc:https://rpc.example/openrpc.json --name ledger --project gateway
      entrepot import openapi:api/openapi.yaml --name shop --root . --allow https://schemas.example
    """
    from entrepot.cli.document_sources import document_source
    from entrepot.control.importing import import_document as import_it

    kind, colon, source = document.partition(":")
    if not colon or not source:
        raise click.UsageError(f"{document!r} is not KIND:FILE_OR_URL, such as openapi:specs/crm.json")
    for each in allow:
        if not each.startswith(("http://", "https://")):
            raise click.UsageError(f"--allow {each!r} is not an address, such as https://schemas.example")
    found = document_source(source, project, root, allow, session.output.progress)
    result = import_it(project, kind, found, name, session.catalog)
    _show(session, result, name, project)
    return REFUSED if result.refusals else DONE


def _show(session: Session, result: Import, name: str, project: Path) -> None:
    operations, pinned, text = result.service.operations, result.pinned, session.output.text
    text(f"imported {count(len(operations), 'operation')} as service {name}, pinned in {pinned.file}")
    if sent := result.service.outgoing:
        text(f"it sends {count(len(sent), 'call')} by itself (callbacks and webhooks), which nobody delivers yet")
    if len(pinned.files) > 1:
        text(f"with {count(len(pinned.files) - 1, 'file')} that it refers to, kept beside it")
    for operation in operations[:LISTED_MAX]:
        text(on_one_line(f"  {name}.{operation.name}  {operation.summary}".rstrip()))
    if len(operations) > LISTED_MAX:
        text(f"  … and {len(operations) - LISTED_MAX} more: {told_of('explain', project)}")
    if not pinned.changed:
        text("the document is the one that was pinned before")
    if pinned.replaced:
        text(f"it replaces the document from {pinned.replaced}; where its calls go stays as declared")
    if pinned.upstream_added:
        text(f"its calls go to {result.upstream_url}: upstream {name} in entrepot.yaml")
    elif pinned.service_added and operations and not result.upstream_url:
        text(f"the document does not say where the service is: add `{name}: {{url: …}}` under `upstreams`")
    for upstream, url in pinned.further.items():
        text(f"some of its calls go to {url}: upstream {upstream} in entrepot.yaml")
    session.output.diagnostics(result.notes)
    if result.refusals:
        session.output.notice(f"left out: {count(len(result.refusals), 'part')} of the document")
    session.output.json(
        {
            "ok": not result.refusals,
            "service": name,
            "file": pinned.file,
            "files": sorted(pinned.files.values()) or [pinned.file],
            "changed": pinned.changed,
            "replaced": pinned.replaced,
            "service_added": pinned.service_added,
            "upstream": result.upstream_url,
            "operations": [operation.name for operation in operations],
            "outgoing": [each.operation.name for each in sent],
            "refusals": [
                {"pointer": refusal.pointer, "construct": refusal.construct, "reason": refusal.reason}
                for refusal in result.refusals
            ],
        }
    )
