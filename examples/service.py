r"""Drags as a service, with one generator for all requests: `pip install fastapi uvicorn`, then `uvicorn service:app`.

    curl -X POST localhost:8000/drag -H 'content-type: application/json' -o out.png \
        -d '{"seed": 40, "handles": [[113, 151]], "targets": [[153, 151]]}'

A generator may be shared by threads; each request has a session of its own. FastAPI runs functions that are not
`async` in a pool of threads, so that one drag does not hold up the next.
"""

import io
from functools import cache

from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel, Field

from dragonnx import DragConfig, DragSession, Generator, InputError

app = FastAPI(title="dragonnx")


class Drag(BaseModel):
    """What is asked for: as many targets as handles, each (x, y) in pixels."""

    seed: int = Field(0, ge=0, lt=2**32)
    handles: list[tuple[float, float]] = Field(min_length=1, max_length=20)
    targets: list[tuple[float, float]] = Field(min_length=1, max_length=20)
    max_steps: int = Field(50, ge=1, le=300)


@cache
def generator() -> Generator:
    """The one that all requests share, of one thread: the requests are what runs side by side."""
    return Generator.open("critters", threads=1)


@app.post("/drag")
def drag(asked: Drag) -> Response:
    """The dragged picture as PNG; how the drag ended is in the header X-Outcome."""
    try:
        session = DragSession(
            generator(), generator().w_plus(asked.seed), asked.handles, asked.targets,
            config=DragConfig(max_steps=asked.max_steps),
        )  # fmt: skip
    except InputError as error:  # one sentence that says what to do
        raise HTTPException(400, str(error)) from error
    for _ in session:
        pass
    file = io.BytesIO()
    generator().image(session.w_plus).save(file, "PNG")
    outcome = "" if session.outcome is None else session.outcome.value
    return Response(file.getvalue(), media_type="image/png", headers={"X-Outcome": outcome})
