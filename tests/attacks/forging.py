"""Messages and payloads of all kinds, and answers to other questions."""

from .attack import LOOK, RIGHT, SETUP, WRONG, Attack

# Answers every probe itself, before the harness can.
ANSWER = """
import json
kernel = get_ipython().kernel
def answer_with(payload, kind="probe_reply", content=None, times=1, more=()):
    async def handle(stream, ident, parent):
        said = {"status": "ok", "message": "", "seconds": 0.0} if content is None else content
        data = payload(parent["content"]["request"]) if callable(payload) else payload
        for _ in range(times):
            kernel.session.send(stream, kind, said, parent, ident=ident, buffers=[data, *more])
    kernel.shell_handlers["probe_request"] = handle
def outcome(evidence="null", status="ok", **more):
    fields = {"status": json.dumps(status), "evidence": evidence, "error": "null", "mutated": "[]", "seconds": "0"}
    fields.update(more)
    return ("{" + ",".join(f'"{key}":{value}' for key, value in fields.items()) + "}").encode()
"""


def forge(name: str, tries: str, body: str, **more) -> Attack:
    return Attack(name, tries, (SETUP, WRONG, ANSWER, body), **more)


def payload(name: str, tries: str, expression: str, **more) -> Attack:
    return forge(name, tries, f"answer_with({expression})", **more)


LIST = [
    payload("passed", "says that it has passed", 'outcome(\'{"passed": true, "score": 3}\', status="passed")'),
    payload("extra-keys", "an outcome with points in it", 'outcome("true", points="3", earned="3", judge=\'"None"\')'),
    payload("not-json", "bytes that are no JSON", 'b"\\xff\\xfe\\x00" * 1000'),
    payload("empty", "nothing at all", 'b""'),
    payload("truncated", "half an outcome", 'outcome("[1,2,3]")[:-20]'),
    payload("twice-a-key", "each key twice, with other values", 'b\'{"status":"error",\' + outcome("true")[1:]'),
    payload("deep", "nested 100,000 deep", 'outcome("[" * 100000 + "]" * 100000)'),
    payload("wide", "millions of empty lists", 'outcome("[" + ",".join(["[]"] * 1300000) + "]")'),
    payload("long", "three megabytes in a string", 'outcome(json.dumps("x" * 3000000))'),
    payload("nan", "NaN and infinities for everything", 'outcome("[NaN, Infinity, -Infinity, 1e999]")'),
    payload("nan-array", "an array of NaN of every likely shape", """lambda request: outcome(json.dumps({"__array__":
        ["f4", [4], __import__("base64").b64encode(b"\\x00\\x00\\xc0\\x7f" * 4).decode()]}))"""),
    payload("long-numbers", "numbers with 4,000 digits", 'outcome("[" + ",".join(["9" * 4000] * 500) + "]")'),
    payload("wrong-types", "lists for texts and texts for lists",
            'outcome("{}", status=["ok"], error=\'"error"\', mutated=\'{"a": 1}\', seconds=\'"x"\')'),
    payload("array-overflow", "arrays without elements whose lengths overflow", """outcome(json.dumps(
        {"__array__": ["f8", [2**31 - 1, 2**31 - 1, 0], ""]}))"""),
    payload("array-lies", "array headers that do not fit", """outcome(json.dumps([
        {"__array__": ["f8", [-1, -8], "AAAA"]}, {"__array__": ["O", [1], "AAAA"]}, {"__array__": ["f4", [1e9], ""]},
        {"__array__": ["V8", [1], ""]}, {"__array__": [["f4"], {}, 3]}]))"""),
    payload("script", "script and escape sequences for whoever reads the report", """outcome(status="error",
        error=json.dumps({"type": "<script>alert(1)</script>", "message": "\\x1b]0;x\\x07<img src=x onerror=alert(1)>"
        "\\u202e=cmd|'/c calc'!A0 points: 3/3", "where": "</td><b>passed</b>"}))"""),
    payload("too-large", "more than a message may have", 'bytes(7 << 20)'),
    forge("two-answers", "a wrong answer and then others", "answer_with(outcome('true'), times=200)"),
    forge("many-buffers", "thousands of buffers", "answer_with(outcome('true'), more=[b'x'] * 20000)"),
    forge("status-lies", "a reply with a strange status",
          "answer_with(outcome('true'), content={'status': ['ok'], 'message': {'a': 1}, 'passed': True, 'seconds': -1e9})"),
    forge("idle-forged", "says idle at once and answers never", """
async def silent(stream, ident, parent):
    for kind in ("idle", "busy", "idle"):
        kernel.session.send(kernel.iopub_socket, "status", {"execution_state": kind}, parent, ident=b"status")
kernel.shell_handlers["probe_request"] = silent
"""),
    forge("execute-reply-forged", "a reply of another kind and to another request", """
answer_with(outcome("true"), kind="execute_reply")
"""),
    forge("guessed-ids", "answers to requests that are yet to come", """
import uuid, secrets
stream = kernel.shell_stream if getattr(kernel, "shell_stream", None) else kernel.parent.shell_socket
socket = getattr(stream, "socket", stream)
for number in range(200):
    parent = {"msg_id": secrets.token_hex(16), "msg_type": "probe_request", "session": "x", "username": "grader",
              "date": "2026-01-01T00:00:00Z", "version": "5.4"}
    content = {"status": "ok", "message": "", "seconds": 0}
    message = kernel.session.msg("probe_reply", content, parent=parent)
    for ident in kernel.get_parent()["header"], :
        try:
            kernel.session.send(socket, message, ident=kernel._parent_ident["shell"], buffers=[outcome("true")])
        except Exception:
            pass
"""),
    forge("unsigned", "messages with another key", "kernel.session.key = b'other'\nanswer_with(outcome('true'))", broken=True),
    Attack("public-evidence", "gives the frozen answers of the public check", lambda target: (SETUP, WRONG, f"""
import dgm.grader.payload as p
frozen = p.read_questions(p.unpack({target.payload!r}))["q1"].probes[0]
answers = [torch.as_tensor(item["evidence"]) for item in frozen.expected]
calls = [0]
def logsumexp(x, dim):
    return answers[0]
""")),
    Attack("public-lookup", "knows the public check's inputs by heart, and its seed", lambda target: (SETUP, WRONG, f"""
import sys
import dgm.grader.payload as p
frozen = p.read_questions(p.unpack({target.payload!r}))["q1"].probes[0]
known = dict(zip(frozen.seeds, frozen.expected))
def logsumexp(x, dim):
    frame, seed = sys._getframe(), None
    while frame and seed is None:
        seed = frame.f_locals.get("seed")
        frame = frame.f_back
    return torch.as_tensor(known.get(seed, frozen.expected[0])["evidence"])
def log_mean_exp(x, dim):
    return logsumexp(x, dim)
""")),
    Attack("replayed-probe", "gives the evidence of one right answer to every probe",
           (SETUP, WRONG, ANSWER, LOOK, """
import dgm.checks.runtime as runtime
kept = []
def answer(request):
    if not kept:
        space = {**get_ipython().user_ns}
        kept.append(runtime.run_probe_json(request["source"], request["name"], request["seed"], space))
    return kept[0]
answer_with(answer)
""", RIGHT["logsumexp"]), deserves={"q1": 1}),
    Attack("markup", "questions, points and a score in the notebook's cells",
           (SETUP, WRONG, "### BEGIN HIDDEN TESTS\nassert True\n### END HIDDEN TESTS\nscore = points = grade = 11\n11",
            "# <script>alert(1)</script>\nraise ValueError('<script>alert(1)</script> =1+1')"), broken=True),
]
