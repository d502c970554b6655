"""A journal of form 1 is taken up as it is: nothing that it knew is lost.

``form-1.db`` beside this file was written by the last version of form 1, with::

    import itertools, socket
    from decimal import Decimal
    from muapi_client import Call, Cost, Journal, Output, Prediction, _journal, raw_call
    minutes = itertools.count()
    socket.gethostname = lambda: "elsewhere"
    _journal._now = lambda: f"2025-01-01T00:{next(minutes):02}:00+00:00"
    HOOK = "https://hooks.example/t0k3n"
    COST = Cost(Decimal("0.0042"), 1)
    BACK = Cost(Decimal("0.0300"), 4, 1, refunded=True)
    journal = Journal("tests/journal/form-1.db")
    def intend(name, **body):
        return journal.intend(raw_call(name, {"prompt": name, **body}))
    def prediction(name, status, **body):
        raw = {"id": name, "status": status, **body}
        outputs = tuple(Output(url=url, media_type="image/png") for url in body.get("outputs", ()))
        return Prediction(name, status, outputs, body.pop("money", None), body.get("error"), raw=raw)
    intend("intent")
    journal.accept(intend("accepted"), "r-accepted", COST)
    journal.accept(intend("accepted-without-cost"), "r-costless", None)
    journal.accept(intend("completed", options={"webhook_url": HOOK}), "r-completed", COST)
    echo = {"prompt": "completed", "webhook_url": HOOK}
    journal.finish(prediction("r-completed", "completed", outputs=["https://cdn.example/a.png"], input=echo))
    journal.accept(intend("failed"), "r-failed", BACK)
    journal.finish(prediction("r-failed", "failed", error="moderated"))
    journal.accept(intend("cancelled"), "r-cancelled", None)
    journal.finish(prediction("r-cancelled", "canceled"))
    journal.lose(intend("unknown"), f"unknown: HTTP 502, told by {HOOK}")
    call = raw_call("files", {})
    journal.accept(journal.intend(Call(call.operation, files={"file": b"x"})), "r-files", COST)
    raw = {"status": "completed", "outputs": ["a word"]}
    journal.finish(Prediction(None, "completed", (Output(text="a word"),), None, raw=raw), key=intend("nameless"))
    journal.close()
"""
