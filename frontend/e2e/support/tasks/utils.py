"""What the task files of the browser tests call."""

import os

from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))


def doc_to_visual(doc):
    return [doc["image"].convert("RGB")]


def doc_to_visual_path(doc):
    return [Image.open(os.path.join(HERE, doc["image_path"])).convert("RGB")]


def mc_doc_to_text(doc, lmms_eval_specific_kwargs=None):
    post = (lmms_eval_specific_kwargs or {}).get("post_prompt", "")
    return doc["question"] + "\n" + "\n".join(f"{l}. {o}" for l, o in zip("ABC", doc["options"])) + post


def mc_process_results(doc, results):
    pred = results[0].strip()[:1].upper()
    score = 1.0 if pred == doc["answer"] else 0.0
    d = {"question_id": doc["question_id"], "category": doc["category"], "scene": doc["scene"], "pred": pred, "answer": doc["answer"], "score": score}
    return {"mc_acc": d, "mc_by_category": d}


def mc_aggregate(results):
    return 100 * sum(r["score"] for r in results) / len(results)


def mc_by_category(results):
    out = {}
    for r in results:
        out.setdefault(r["category"], []).append(r["score"])
    return {k: sum(v) / len(v) for k, v in out.items()}


def count_process_results(doc, results):
    return {"exact_match": 1.0 if results[0].strip() == doc["answer"] else 0.0, "submission": {"question_id": doc["question_id"], "pred": results[0]}}


def submission_agg(results, args=None):
    return None


def boom(doc, results):
    raise RuntimeError("boom in process_results")


def scored_process_results(doc, results):
    return {"score": 1.0 if results[0].strip()[:1].upper() == doc["answer"] else 0.0}
