"""How the demo's video task reaches a model."""

import os

import av

HERE = os.path.dirname(os.path.abspath(__file__))
FRAMES = 8


def doc_to_video(doc):
    return [os.path.join(HERE, doc["clip"])]


def doc_to_messages(doc):
    """Frames, decoded with what every installation of lmms-eval has: which reader of files it has differs."""
    with av.open(doc_to_video(doc)[0]) as clip:
        frames = [frame.to_image() for frame in clip.decode(video=0)]
    step = max(1, len(frames) // FRAMES)
    text = {"type": "text", "text": doc["question"] + " Answer with one word."}
    return [{"role": "user", "content": [{"type": "video", "url": frames[::step]}, text]}]
