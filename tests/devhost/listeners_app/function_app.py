"""A function app with one function for each listener; each reports what it received."""

# The library leaves the types of its decorators open.
# pyright: reportUnknownMemberType=false

import json

import azure.functions as func
import azurefunctions.extensions.bindings.blob as sdk_bindings

app = func.FunctionApp()
STORAGE = "SampleStorage"


@app.queue_trigger(arg_name="msg", queue_name="%Work%", connection=STORAGE)
@app.queue_output(arg_name="out", queue_name="%Results%", connection=STORAGE)
def from_queue(msg: func.QueueMessage, out: func.Out[str]) -> None:
    """Fails for the body `bad`."""
    body = msg.get_body().decode()
    if body == "bad":
        raise ValueError(body)
    out.set(json.dumps({"function": "from_queue", "id": msg.id, "count": msg.dequeue_count}))


@app.blob_trigger(arg_name="blob", path="%Uploads%/{name}.txt", connection=STORAGE)
@app.queue_output(arg_name="out", queue_name="%Results%", connection=STORAGE)
def from_content(blob: func.InputStream, out: func.Out[str]) -> None:
    """Takes the whole content."""
    text = blob.read().decode()
    out.set(json.dumps({"function": "from_content", "name": blob.name, "text": text}))


@app.blob_trigger(arg_name="blob", path="%Uploads%/{name}.bin", connection=STORAGE)
@app.queue_output(arg_name="out", queue_name="%Results%", connection=STORAGE)
def from_reference(blob: sdk_bindings.BlobClient, out: func.Out[str]) -> None:
    """Takes a client and reads by itself."""
    text = blob.download_blob().readall().decode()
    out.set(json.dumps({"function": "from_reference", "name": blob.blob_name, "text": text}))


@app.timer_trigger(arg_name="tick", schedule="0 0 0 1 1 *", run_on_startup=True)
@app.queue_output(arg_name="out", queue_name="%Results%", connection=STORAGE)
def from_timer(tick: func.TimerRequest, out: func.Out[str]) -> None:
    """Due once a year, and when the host starts."""
    out.set(json.dumps({"function": "from_timer", "past_due": tick.past_due}))
