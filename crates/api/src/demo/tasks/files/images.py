"""What the demo's image tasks ask and how they score."""

import os
import re

from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))


def doc_to_visual(doc):
    with Image.open(os.path.join(HERE, doc["image"])) as image:
        return [image.convert("RGB")]


def choice_to_text(doc, lmms_eval_specific_kwargs=None):
    options = [f"{letter}. {option}" for letter, option in zip("ABCD", doc["options"])]
    post_prompt = (lmms_eval_specific_kwargs or {}).get("post_prompt", "")
    return "\n".join([doc["question"], *options, post_prompt])


def score_choice(doc, results):
    found = re.search(r"\b([A-D])\b", results[0])
    predicted = found.group(1) if found else ""
    score = 1.0 if predicted == doc["answer"] else 0.0
    record = {"question_id": doc["question_id"], "category": doc["category"], "predicted": predicted, "score": score}
    return {"choice_accuracy": score, "accuracy_by_category": record}


def by_category(records):
    scores = {}
    for record in records:
        scores.setdefault(record["category"], []).append(record["score"])
    return {category: sum(values) / len(values) for category, values in sorted(scores.items())}
