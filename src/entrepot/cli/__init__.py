"""The command line: subscribers and commands, no decisions.

One file for a command or a small group of them; `main` finds and loads a command when it is used,
`output` is the only file that knows colours and JSON. A command imports what it needs when it runs,
so that `entrepot version` stays quick.
"""
