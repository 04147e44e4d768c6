"""A small OpenAI-compatible endpoint for the browser tests: `endpoint.py PORT-FILE`.

The model's name says how often it is right: `...-p80` is right for 80 % of the questions, always the same ones; `hostile` answers with
markup.
`POST /control {"hold_after": 5}` lets five more requests through and holds the rest until it is changed, so that a test
can look at a run that stands still. `{"latency": 0.1}` sets the time of an answer. `GET /control` counts.
"""

import hashlib
import json
import os
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "answers.json")) as file:
    ANSWERS = json.load(file)


# What a page must show as it is.
MARKUP = [
    "<script>alert('script')</script>",
    "<img src=x onerror=alert('img')>",
    "<svg onload=alert('svg')><a xlink:href='javascript:alert(1)'>x</a></svg>",
    "[x](javascript:alert('link')) <iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "\"><style>body{display:none}</style>\u202e\x1b]8;;javascript:alert(1)\x07x\x1b]8;;\x07",
]


class Gate:
    """Counts requests and holds those beyond a number."""

    def __init__(self):
        self.condition = threading.Condition()
        self.left = None
        self.latency = 0.02
        self.requests = 0
        self.waiting = 0

    def set(self, change):
        with self.condition:
            if "hold_after" in change:
                self.left = change["hold_after"]
            if "latency" in change:
                self.latency = change["latency"]
            self.condition.notify_all()

    def state(self):
        with self.condition:
            return {"requests": self.requests, "waiting": self.waiting, "latency": self.latency}

    def enter(self):
        with self.condition:
            self.requests += 1
            self.waiting += 1
            self.condition.wait_for(lambda: self.left is None or self.left > 0)
            self.waiting -= 1
            if self.left is not None:
                self.left -= 1
        time.sleep(self.latency)


GATE = Gate()


def answer_to(model, messages):
    parts = messages[-1]["content"]
    texts = [parts] if isinstance(parts, str) else [p.get("text", "") for p in parts if p.get("type") == "text"]
    text = " ".join(texts)
    ids = re.findall(r"\[(Q\d+[a-z])\]", text)
    right = ANSWERS.get(ids[-1], "?") if ids else "?"
    accuracy = int((re.search(r"-p(\d+)", model) or [0, "80"])[1])
    if "hostile" in model:
        return MARKUP[sum(map(ord, text)) % len(MARKUP)]
    luck = int(hashlib.sha1((model + text).encode()).hexdigest(), 16) % 100
    return right if luck < accuracy else ("B" if right == "A" else "wrong")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/control":
            self.reply(200, GATE.state())
        elif self.path.endswith("/models"):
            self.reply(200, {"object": "list", "data": [{"id": "local-p80", "object": "model"}]})
        else:
            self.reply(404, {"error": {"message": "there is nothing here"}})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/control":
            GATE.set(body)
            return self.reply(200, GATE.state())
        GATE.enter()
        try:
            self.reply(200, completion(body))
        except (BrokenPipeError, ConnectionResetError):
            pass  # the evaluation was stopped while it waited


def completion(body):
    message = {"role": "assistant", "content": answer_to(body["model"], body["messages"])}
    return {
        "id": "local",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body["model"],
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 3, "total_tokens": 23},
    }


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Handler)
    fresh = sys.argv[1] + ".new"
    with open(fresh, "w") as file:
        file.write(str(server.server_port))
    os.replace(fresh, sys.argv[1])
    server.serve_forever()
