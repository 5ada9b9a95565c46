import time
from dragonnx.editor.events import *
def test_it(run, model):
    t=time.time()
    run.place((20,20),(30,25))
    run.editor.drag.start_or_pause()
    run.received(DragEnded)
    print(run.document.result.trace[:,0], run.document.result.outcome, run.notice, time.time()-t)
