"""Keeps a project running: the supervisor, its children, releases, and the admin API.

Two processes live here. The *supervisor* starts the others, keeps them up and ends them in order;
it decides nothing about releases. *Control* compiles, delivers and records releases, and tells the
supervisor which worker generations should run, by a file. Either can be killed at any moment: what
serves goes on serving, and what is on disk is enough to start again.

`start` is the way in for `dev` and `serve`, `process` for the control process, `client` for talking to
it. Decisions are pure (`backoff`, `workers`); what touches the system is a shell around them:
of the workers `fleet` for the supervisor and `wanted_fleet` for control, of the edge `edge_process` and
`edge_delivery`.

Beside them stands what a command does once, in its own process: `building`, `lookup`, `calling`
and `importing`.
"""
