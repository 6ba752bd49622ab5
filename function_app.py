"""The app that the Azure Functions host indexes: every function, and nothing else."""

import azure.functions as func

from functions import audit, audit_timers, blobs, hashing, policies, queues, scrub, timers
from functions.http import surfaces

app = func.FunctionApp()
app.register_functions(blobs.bp)
app.register_functions(queues.bp)
app.register_functions(hashing.bp)
app.register_functions(policies.bp)
app.register_functions(audit.bp)
app.register_functions(audit_timers.bp)
app.register_functions(scrub.bp)
app.register_functions(timers.bp)
app.register_functions(surfaces.bp)
