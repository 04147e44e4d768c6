"""Runs several benchmarks of one job through lmms-eval's own command line, in one process.

Started as `python driver.py job.json [--only 3,4]` in the attempt directory. lmms-eval is
imported once and the model is loaded once; each benchmark then sets `sys.argv` to its own
command line and calls the entry point of the CLI, so that it takes exactly that path and leaves
exactly those files. What happens is appended to `events.jsonl`, one JSON object a line.

Once a benchmark has its verdict, the media that its documents gave to the model are kept beside its
other files: `media/<sha256>.<extension>`, a line for each in `media_<task>.jsonl`, and `media.json`
when all is there.
"""

import functools
import gc
import hashlib
import io
import itertools
import json
import math
import os
import platform
import random
import re
import shutil
import struct
import sys
import time
import traceback

VERSION = "1"
HOOK_MISSING = 70  # The keeper falls back to plain processes.
POISONED = 75  # The keeper starts a new process for the benchmarks that are left.

PACKAGES = (
    "lmms_eval torch torchvision transformers accelerate datasets numpy vllm sglang openai flash-attn "
    "peft bitsandbytes qwen-vl-utils pillow av"
).split()

# Parts of messages, in lower case, after which the device or the group of ranks is unusable.
POISON = (
    "cuda error|cuda out of memory|outofmemoryerror|device-side assert|cublas_status|cudnn_status|"
    "cudnn error|nccl|illegal memory access|hip error|hip out of memory|process group|enginedeaderror|"
    "cannot allocate memory"
).split("|")

# How media begin that are kept under their own bytes.
MAGIC = (
    (b"\x89PNG\r\n\x1a\n", ("image", "png")),
    (b"\xff\xd8\xff", ("image", "jpg")),
    (b"GIF8", ("image", "gif")),
    (b"fLaC", ("audio", "flac")),
    (b"ID3", ("audio", "mp3")),
    (b"OggS", ("audio", "ogg")),
    (b"\x1aE\xdf\xa3", ("video", "webm")),
)
# Modes of an original and of what the model was given between which nothing is lost.
UNCHANGED = {(mode, mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA")} | {("L", "RGB"), ("1", "RGB")}
MAX_VISUALS = 256  # Of one document.
MAX_ORIGINAL = 64 << 20
MIN_FREE = 1 << 30  # Bytes that stay free for the results of what follows.

MAX_TEXT = 64 * 1024
MAX_DOCS = 1_000_000
STARTED = time.time()
PARENT = os.getppid()


class HookMissing(Exception):
    """This lmms-eval is not as the driver expects."""


def rank():
    return int(os.environ.get("RANK") or os.environ.get("LOCAL_RANK") or 0)


def size_of(descriptor):
    """How far an output has come, which tells whose output is whose."""
    try:
        return os.fstat(descriptor).st_size
    except OSError:
        return 0


def event(kind, **fields):
    if rank() != 0:
        return
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    now = time.time()
    fields = {"event": kind, "t": round(now - STARTED, 3), "at": now, **fields}
    fields.update(stdout_offset=size_of(1), stderr_offset=size_of(2))
    line = json.dumps(fields, default=str) + "\n"
    target = os.open("events.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(target, line.encode("utf-8", "surrogatepass"))
    finally:
        os.close(target)


def versions():
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version(), "driver": VERSION}
    for package in PACKAGES:
        try:
            found[package.replace("-", "_")] = version(package)
        except PackageNotFoundError:
            pass
    return found


def environment(known):
    wanted = ("HF_HOME", "HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "CUDA_VISIBLE_DEVICES", "WORLD_SIZE")
    event(
        "environment",
        host=platform.node(),
        versions=known,
        platform=platform.platform(),
        cpus=os.cpu_count(),
        executable=sys.executable,
        variables={name: os.environ[name] for name in wanted if name in os.environ},
    )


def attribute(owner, name):
    try:
        return getattr(owner, name)
    except AttributeError:
        raise HookMissing(f"{getattr(owner, '__name__', owner)}.{name}") from None


class Randomness:
    """The state of the generators after the model was loaded, which uses them up.

    lmms-eval seeds them, then loads the model; a remembered model must leave the same state.
    """

    def __init__(self):
        numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
        self.python = random.getstate()
        self.numpy = numpy and numpy.random.get_state()
        self.torch = torch and torch.get_rng_state()
        self.cuda = torch.cuda.get_rng_state_all() if torch and torch.cuda.is_initialized() else None

    def restore(self):
        random.setstate(self.python)
        if self.numpy is not None:
            sys.modules["numpy"].random.set_state(self.numpy)
        if self.torch is not None:
            sys.modules["torch"].set_rng_state(self.torch)
        if self.cuda is not None:
            sys.modules["torch"].cuda.set_rng_state_all(self.cuda)


def remember_model(model_class):
    """Loads a model once for each set of arguments, and holds only the last one."""
    original = attribute(attribute(model_class, "create_from_arg_string"), "__func__")
    held = {}

    @functools.wraps(original)
    def create(cls, arg_string, additional_config=None):
        key = (cls.__module__, cls.__qualname__, arg_string)
        key += (json.dumps(additional_config, default=str, sort_keys=True),)
        if key in held:
            model, randomness = held[key]
            randomness.restore()
            return model
        held.clear()
        tidy()
        begin = time.time()
        model = original(cls, arg_string, additional_config)
        held[key] = (model, Randomness())
        event("model_loaded", seconds=round(time.time() - begin, 3))
        return model

    model_class.create_from_arg_string = classmethod(create)


def remember_task_manager(*modules):
    """Reads the task library once: nearly two thousand YAML files."""
    original = attribute(modules[0], "TaskManager")
    held = {}

    @functools.wraps(original, updated=())
    def manager(*args, **kwargs):
        key = repr((args, sorted(kwargs.items())))
        if key not in held:
            held[key] = original(*args, **kwargs)
        return held[key]

    for module in modules:
        attribute(module, "TaskManager")
        module.TaskManager = manager


class Watch:
    """What one benchmark did that the command line does not tell."""

    def __init__(self):
        self.clear()

    def clear(self):
        self.error = self.args = None
        self.tasks = {}

    def hook(self, main, evaluator):
        single, load = attribute(main, "cli_evaluate_single"), attribute(evaluator, "get_task_dict")

        @functools.wraps(single)
        def evaluate(args=None):
            self.args = args
            try:
                return single(args)
            except BaseException as error:
                self.error = error
                raise

        @functools.wraps(load)
        def load_tasks(*args, **kwargs):
            found = load(*args, **kwargs)
            self.tasks = dict(leaves(found))
            return found

        main.cli_evaluate_single = evaluate
        evaluator.get_task_dict = load_tasks


def leaves(tasks):
    """Every leaf task below a dictionary of tasks and groups."""
    for name, task in tasks.items():
        task = task[1] if isinstance(task, tuple) else task
        if isinstance(task, dict):
            yield from leaves(task)
        elif task is not None:
            yield str(name), task


def plain(value):
    """The value as JSON; media and everything else that is no JSON becomes null."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT else value[:MAX_TEXT]
    if isinstance(value, (list, tuple)) and len(value) <= 4096:
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        return plain(value.item())
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return None


def evaluated(documents, args):
    """Those that were evaluated, with their numbers, as lmms-eval chooses them."""
    offset = int(getattr(args, "offset", 0) or 0)
    limit = getattr(args, "limit", None)
    if limit is None or limit < 0:
        end = None
    else:
        end = offset + int(math.ceil(len(documents) * limit) if limit < 1 else limit)
    return itertools.islice(numbered(documents, offset, end), MAX_DOCS)


def numbered(documents, offset, end):
    """The documents from `offset` to `end` with their numbers; none before them is decoded."""
    try:
        last = len(documents) if end is None else min(end, len(documents))
        documents.__getitem__
    except (TypeError, AttributeError):
        return itertools.islice(enumerate(documents), offset, end)
    return ((index, documents[index]) for index in range(offset, last))


def write_documents(folder, tasks, args):
    """The fields that slices are made of, which the samples files no longer hold."""
    if rank() != 0 or not os.path.isdir(folder):
        return
    for name, task in tasks.items():
        path = os.path.join(folder, "docs_" + name.replace("/", "_") + ".jsonl")
        try:
            with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
                for doc_id, doc in evaluated(task.eval_docs_no_media, args):
                    file.write(json.dumps({"doc_id": doc_id, "doc": plain(dict(doc))}, ensure_ascii=False) + "\n")
        except Exception as error:  # A custom task may raise anything; its documents are an extra.
            event("notice", message=f"the documents of `{name}` cannot be read: {error!r}")


class LeftOut(Exception):
    """A medium that is not kept: the name of the reason, and the reason in words."""

    def __init__(self, problem, reason):
        super().__init__(reason)
        self.problem, self.reason = problem, reason


def kind_of(head):
    """What bytes begin like: (kind, extension), or None for what is no medium."""
    if head[:4] == b"RIFF":
        found = {b"WEBP": ("image", "webp"), b"WAVE": ("audio", "wav"), b"AVI ": ("video", "avi")}
        return found.get(head[8:12])
    if head[4:8] == b"ftyp":
        return ("audio", "m4a") if head[8:11] == b"M4A" else ("video", "mp4")
    if head[:2] == b"\xff\xfb" or head[:2] == b"\xff\xf3":
        return ("audio", "mp3")
    for begin, found in MAGIC:
        if head.startswith(begin):
            return found
    return None


def sound(array, rate):
    """A WAV file of samples in [-1, 1], or of integers; (channels, samples) or (samples, channels)."""
    import numpy

    array = numpy.atleast_2d(numpy.asarray(array))
    if array.ndim != 2 or not array.size:
        raise LeftOut("unsupported", f"a sound of shape {array.shape}")
    frames = array.T if array.shape[0] < array.shape[1] else array
    code, kind = 1, "<i2"
    if frames.dtype.kind == "f":
        whole = frames.astype(numpy.float64) * 32768
        # What was read from 16 bits goes back to them without a loss.
        if numpy.abs(whole).max() < 32768 and numpy.array_equal(whole, numpy.rint(whole)):
            frames = whole
        else:
            code, kind = 3, "<f4"
    elif frames.dtype != numpy.int16:
        raise LeftOut("unsupported", f"a sound of {frames.dtype}")
    body, channels = frames.astype(kind).tobytes(), frames.shape[1]
    width = channels * int(kind[2])
    form = struct.pack("<HHIIHH", code, channels, int(rate), int(rate) * width, width, int(kind[2]) * 8)
    parts = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(parts)) + parts, len(frames) / int(rate)


class Originals:
    """The bytes that pictures were decoded from, for those that reached the model as they were."""

    def __init__(self, documents):
        self.rows = None
        try:
            from datasets import Image, Sequence

            pictures = [name for name, kind in documents.features.items() if isinstance(kind, Image)]
            several = [
                name
                for name, kind in documents.features.items()
                if isinstance(getattr(kind, "feature", None), Image)
            ]
            rows = documents.select_columns(pictures + several) if pictures + several else None
            for name in pictures:
                rows = rows.cast_column(name, Image(decode=False))
            for name in several:
                rows = rows.cast_column(name, Sequence(Image(decode=False)))
            self.rows = rows
        except Exception:  # No dataset with pictures, or one of another version: encoded anew.
            return

    def stored(self, index):
        if self.rows is None:
            return
        for value in self.rows[index].values():
            for item in value if isinstance(value, list) else [value]:
                if item and item.get("bytes"):
                    yield item["bytes"]
                elif item and item.get("path") and os.path.isfile(item["path"]):
                    with open(item["path"], "rb") as file:
                        yield file.read(MAX_ORIGINAL)

    def of(self, index, picture):
        """The bytes whose pixels are exactly this picture's, or None."""
        from PIL import Image

        path = getattr(picture, "filename", "")
        if path and os.path.isfile(path) and os.path.getsize(path) <= MAX_ORIGINAL:
            with open(path, "rb") as file:
                candidates = itertools.chain([file.read()], self.stored(index))
        else:
            candidates = self.stored(index)
        for candidate in candidates:
            kind = kind_of(candidate[:16])
            if not kind or kind[0] != "image" or kind[1] == "gif":
                continue
            with Image.open(io.BytesIO(candidate)) as image:
                if image.size != picture.size or (image.mode, picture.mode) not in UNCHANGED:
                    continue
                if image.convert(picture.mode).tobytes() == picture.tobytes():
                    return candidate, kind[1]
        return None


class Shelf:
    """Where the media of one benchmark are kept, each once, as long as there is room."""

    def __init__(self, folder, limits):
        self.folder = os.path.join(folder, "media")
        self.most, self.room = int(limits["max_count"]), int(limits["max_bytes"])
        self.limits, self.until = limits, time.monotonic() + float(limits["max_seconds"])
        self.kept, self.bytes, self.left_out, self.last = {}, 0, 0, -1
        os.makedirs(self.folder, mode=0o700, exist_ok=True)

    def full(self):
        """Why nothing more is taken, or None."""
        if len(self.kept) >= self.most:
            return f"more than {self.most} media in this benchmark"
        if self.room <= 0:
            return f"more than {self.limits['max_bytes'] >> 20} MB of media in this benchmark"
        if time.monotonic() > self.until:
            return f"keeping the media took longer than {self.limits['max_seconds']} s"
        if shutil.disk_usage(self.folder).free < MIN_FREE:
            return "the disk is nearly full"
        return None

    def put(self, kind, extension, parts, size, **facts):
        """Keeps bytes under their hash; the same bytes again cost nothing."""
        if size > self.room:
            raise LeftOut("left_out", f"has {size >> 20} MB, which is more than is left of the limit")
        aside = os.path.join(self.folder, ".incoming")
        sha256 = hashlib.sha256()
        with open(aside, "wb") as file:
            for part in parts:
                sha256.update(part)
                file.write(part)
        name = sha256.hexdigest()
        if name in self.kept:
            os.remove(aside)
        else:
            os.replace(aside, os.path.join(self.folder, f"{name}.{extension}"))
            self.kept[name] = size
            self.room -= size
            self.bytes += size
        return {"kind": kind, "sha256": name, "extension": extension, "bytes": size, **facts}

    def picture(self, picture, index, originals):
        width, height = picture.size
        found = originals.of(index, picture)
        if found is None:
            if picture.mode not in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
                picture = picture.convert("RGB")
            output = io.BytesIO()
            picture.save(output, "PNG", compress_level=1)
            found = output.getvalue(), "png"
        content, extension = found
        return self.put("image", extension, [content], len(content), width=width, height=height)

    def file(self, path):
        """A file as it is. What is no medium by its content is never taken, whatever a document names."""
        path = path.removeprefix("file://")
        if re.match(r"[a-z][a-z0-9+.-]*://", path, re.IGNORECASE):
            raise LeftOut("remote", "a web address, which is not fetched")
        if not os.path.isfile(path):
            raise LeftOut("missing", "a text that names no file")
        with open(path, "rb") as file:
            kind = kind_of(file.read(16))
            if kind is None:
                raise LeftOut("wrong_type", f"`{os.path.basename(path)}` is no picture, sound or film")
            file.seek(0)
            size = os.fstat(file.fileno()).st_size
            parts = iter(lambda: file.read(1 << 20), b"")
            return self.put(*kind, parts, size, name=os.path.basename(path)[:200])

    def content(self, content):
        kind = kind_of(content[:16])
        if kind is None:
            raise LeftOut("wrong_type", "bytes that are no picture, sound or film")
        return self.put(*kind, [content], len(content))

    def take(self, visual, index, originals):
        """Keeps one thing that the model was given; a line of the index for it."""
        if isinstance(visual, (str, os.PathLike)):
            return self.file(os.fspath(visual))
        if isinstance(visual, (bytes, bytearray)):
            return self.content(bytes(visual))
        if hasattr(visual, "tobytes") and hasattr(visual, "mode") and hasattr(visual, "save"):
            return self.picture(visual, index, originals)
        if hasattr(visual, "get_all_samples"):  # A decoder of `datasets`.
            samples = visual.get_all_samples()
            visual = {"array": samples.data.numpy(), "sampling_rate": samples.sample_rate}
        if isinstance(visual, dict) and "array" in visual and "sampling_rate" in visual:
            content, seconds = sound(visual["array"], visual["sampling_rate"])
            return self.put("audio", "wav", [content], len(content), duration=seconds)
        if isinstance(visual, dict) and isinstance(visual.get("bytes"), bytes):
            return self.content(visual["bytes"])
        if isinstance(visual, dict) and isinstance(visual.get("path"), str):
            return self.file(visual["path"])
        raise LeftOut("unsupported", f"a `{type(visual).__name__}`, which cannot be kept")

    def document(self, doc_id, visuals, originals):
        """The lines of the index for one document."""
        for position, visual in enumerate(itertools.islice(flat(visuals), MAX_VISUALS)):
            line = {"doc_id": doc_id, "position": position}
            full = self.full()
            try:
                if full:
                    raise LeftOut("left_out", full)
                line.update(self.take(visual, doc_id, originals))
            except LeftOut as error:
                self.left_out += 1
                line.update(problem=error.problem, reason=error.reason)
            except OSError as error:
                self.left_out += 1
                line.update(problem="failed", reason=f"cannot be written: {error.strerror}")
            except Exception as error:  # A decoder may raise anything; that costs this medium.
                self.left_out += 1
                line.update(problem="failed", reason=f"cannot be kept: {error!r}"[:500])
            yield line

    def task(self, name, task, args):
        """The index of one task; its file's name."""
        documents = task.eval_docs
        originals, index = Originals(documents), f"media_{name.replace('/', '_')}.jsonl"
        with open(os.path.join(os.path.dirname(self.folder), index), "w", encoding="utf-8") as file:
            numbers = iter(evaluated(documents, args))
            full = None
            while not full:
                try:
                    doc_id, doc = next(numbers)
                except StopIteration:
                    return index
                for line in self.of_document(task, doc_id, doc, originals):
                    file.write(json.dumps(line) + "\n")
                full = self.full()
            for doc_id, _ in evaluated(range(len(documents)), args):
                if doc_id > self.last:
                    self.left_out += 1
                    line = {"doc_id": doc_id, "position": 0, "problem": "left_out", "reason": full}
                    file.write(json.dumps(line) + "\n")
        return index

    def of_document(self, task, doc_id, doc, originals):
        self.last = doc_id
        try:
            visuals = given(task, doc)
        except Exception as error:
            self.left_out += 1
            return [{"doc_id": doc_id, "position": 0, "problem": "failed", "reason": f"cannot be read: {error!r}"[:500]}]
        return self.document(doc_id, visuals, originals)


def flat(visuals):
    """One after the other what the model was given, out of lists in lists."""
    if visuals is None:
        return
    if isinstance(visuals, (list, tuple)):
        for visual in visuals:
            yield from flat(visual)
    else:
        yield visuals


def given(task, doc):
    """What a document gives to the model beside text."""
    if task.config.doc_to_visual is not None:
        return task.doc_to_visual(doc)
    contents = [content for message in task.doc_to_messages(doc) for content in message["content"]]
    return [content["url"] for content in contents if content.get("type") in ("image", "audio", "video")]


def export_media(benchmark, watch, limits):
    """Keeps the media of a benchmark that has its verdict. Nothing that happens here changes it."""
    folder = benchmark["output_path"]
    if rank() != 0 or not limits or not limits["max_count"] or not os.path.isdir(folder):
        return
    asking = {
        name: task
        for name, task in watch.tasks.items()
        if any(getattr(task.config, field, None) is not None for field in ("doc_to_visual", "doc_to_messages"))
    }
    if not asking:
        return
    begin, randomness = time.monotonic(), Randomness()
    try:
        shelf, indexes = Shelf(folder, limits), {}
        for name, task in asking.items():
            try:
                indexes[name] = shelf.task(name, task, watch.args)
            except Exception as error:  # A custom task may raise anything; its media are an extra.
                event("notice", message=f"the media of `{name}` cannot be kept: {error!r}"[:MAX_TEXT])
        summary = {
            "indexes": indexes,
            "count": len(shelf.kept),
            "bytes": shelf.bytes,
            "left_out": shelf.left_out,
            "seconds": round(time.monotonic() - begin, 3),
        }
        aside = os.path.join(folder, ".media.json")
        with open(aside, "w", encoding="utf-8") as file:
            json.dump(summary, file)
        os.replace(aside, os.path.join(folder, "media.json"))
        event("media_kept", order=benchmark["order"], **summary)
    except OSError as error:
        event("notice", message=f"the media of `{benchmark['name']}` cannot be kept: {error!r}")
    finally:
        randomness.restore()


def datasets_of(tasks):
    """Which data it was, by the fingerprint that `datasets` computes."""
    found = {}
    for name, task in tasks.items():
        try:
            config = task.config
            split = config.test_split or config.validation_split
            data = task.dataset[split]
            found[name] = {
                "path": config.dataset_path,
                "name": config.dataset_name,
                "split": split,
                "documents": len(data),
                "fingerprint": getattr(data, "_fingerprint", None),
            }
        except Exception:  # As above: whatever a custom task raises, this is an extra.
            continue
    return found


def tidy():
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def is_poisoned(error):
    chain = []
    while error is not None and len(chain) < 16:
        chain.append(f"{type(error).__name__}: {error}".lower())
        last = getattr(error, "last_attempt", None)  # tenacity's RetryError hides the cause.
        inner = last.exception() if last is not None and last.failed else None
        error = inner or error.__cause__ or error.__context__
    return any(part in text for text in chain for part in POISON)


def evaluate(main, benchmark, watch):
    """One benchmark by the CLI's own entry point. Returns what ended it, or None."""
    watch.clear()
    sys.argv = ["lmms_eval", *benchmark["argv"]]
    event("benchmark_started", order=benchmark["order"], name=benchmark["name"], argv=sys.argv[1:])
    try:
        main.cli_evaluate()
    except KeyboardInterrupt:
        raise
    except SystemExit as exit:
        return exit if exit.code not in (None, 0) else watch.error
    except BaseException as error:
        traceback.print_exc()
        return error
    return watch.error


def finish(benchmark, watch, error, begin):
    """Reports the end of one benchmark. Returns whether the process is spoilt."""
    fields = {}
    if isinstance(error, SystemExit):
        fields["exit"] = str(error.code)
    elif error is not None:
        fields.update(error=repr(error)[:MAX_TEXT], error_type=type(error).__name__)
    else:
        write_documents(benchmark["output_path"], watch.tasks, watch.args)
    poisoned = is_poisoned(error)
    event(
        "benchmark_finished",
        order=benchmark["order"],
        name=benchmark["name"],
        seconds=round(time.time() - begin, 3),
        poisoned=poisoned,
        datasets=datasets_of(watch.tasks),
        **fields,
    )
    return poisoned


def wait_for_verdict(benchmark):
    """The keeper writes `done.json` before the next benchmark may start."""
    path = os.path.join(benchmark["output_path"], "done.json")
    while not os.path.exists(path):
        if os.getppid() != PARENT:
            sys.exit("the executor is gone")
        time.sleep(0.02)


def read_job(arguments):
    with open(arguments[0], encoding="utf-8") as file:
        return json.load(file)


def wanted(job, arguments):
    only = None
    if arguments[1:2] == ["--only"]:
        only = {int(order) for order in arguments[2].split(",")}
    found = (benchmark for process in job["processes"] for benchmark in process["benchmarks"])
    return [benchmark for benchmark in found if only is None or benchmark["order"] in only]


def hook(watch):
    """Imports lmms-eval and puts the three hooks in. Returns its command line."""
    import lmms_eval.__main__ as main
    import lmms_eval.api.model as model
    import lmms_eval.evaluator as evaluator

    attribute(main, "cli_evaluate")
    remember_model(attribute(model, "lmms"))
    remember_task_manager(main, evaluator)
    watch.hook(main, evaluator)
    return main


def run(arguments):
    job = read_job(arguments)
    benchmarks, watch, known = wanted(job, arguments), Watch(), versions()
    environment(known)
    begin = time.time()
    try:
        main = hook(watch)
    except (HookMissing, ModuleNotFoundError) as error:
        traceback.print_exc()
        missing = isinstance(error, HookMissing) or (error.name or "").startswith("lmms_eval.")
        if not missing:
            raise
        event("hook_missing", name=str(error))
        return HOOK_MISSING
    gc.freeze()  # What an import leaves is for ever; looking through it takes half a second.
    event("imported", seconds=round(time.time() - begin, 3), versions=known)
    for benchmark in benchmarks:
        begin = time.time()
        error = evaluate(main, benchmark, watch)
        if finish(benchmark, watch, error, begin):
            event("finished", seconds=round(time.time() - STARTED, 3), poisoned=True)
            os._exit(POISONED)  # The teardown of a spoilt device may hang.
        wait_for_verdict(benchmark)
        if error is None:
            export_media(benchmark, watch, job.get("media"))
        watch.clear()
        tidy()
    event("finished", seconds=round(time.time() - STARTED, 3), poisoned=False)
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
