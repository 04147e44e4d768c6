"""How the demo's audio task reaches a model."""

import base64
import os

HERE = os.path.dirname(os.path.abspath(__file__))


def doc_to_audio(doc):
    return [os.path.join(HERE, doc["audio"])]


def doc_to_messages(doc):
    """The sound itself, not its path: an endpoint cannot read our disk."""
    with open(doc_to_audio(doc)[0], "rb") as file:
        url = "data:audio/wav;base64," + base64.b64encode(file.read()).decode("ascii")
    text = {"type": "text", "text": doc["question"] + " Answer with one word."}
    return [{"role": "user", "content": [{"type": "audio", "url": url}, text]}]
