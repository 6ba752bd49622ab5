"""A local Azure Functions host for Python apps, for development and tests.

`python -m devhost.host --app DIR --port N` runs the `function_app.py` of a folder: it asks the
`azure-functions` library for the functions, as the language worker does, builds their inputs with
that library's own converters, and imitates the contract of the Functions host for HTTP, storage
queue, blob and timer triggers, and for HTTP and storage queue outputs.

Unlike the real host it

- runs host and worker in one process: a run over `functionTimeout` ends it, with exit code 124;
- checks no keys and authenticates nobody, as Core Tools;
- does not load a function with any other binding, and says so;
- has no limit of 230 s on HTTP, which belongs to the front end on Azure;
- makes a new client for every run of an SDK-type binding, where the worker keeps each for ever;
- takes `datetime` in a route constraint as ISO 8601 only.
"""
