"""Runs several benchmarks of one job through lmms-eval's own command line, in one process.

Started as `python driver.py job.json [--only 3,4]` in the attempt directory. lmms-eval is
imported once and the model is loaded once; each benchmark then sets `sys.argv` to its own
command line and calls the entry point of the CLI, so that it takes exactly that path and leaves
exactly those files. What happens is appended to `events.jsonl`, one JSON object a line.
"""

import functools
import gc
import itertools
import json
import math
import os
import platform
import random
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


def evaluated(task, args):
    """The documents that were evaluated, with their numbers, as lmms-eval chooses them."""
    documents = task.eval_docs_no_media
    offset = int(getattr(args, "offset", 0) or 0)
    limit = getattr(args, "limit", None)
    if limit is None or limit < 0:
        end = None
    else:
        end = offset + int(math.ceil(len(documents) * limit) if limit < 1 else limit)
    chosen = itertools.islice(enumerate(documents), offset, end)
    return itertools.islice(chosen, MAX_DOCS)


def write_documents(folder, tasks, args):
    """The fields that slices are made of, which the samples files no longer hold."""
    if rank() != 0 or not os.path.isdir(folder):
        return
    for name, task in tasks.items():
        path = os.path.join(folder, "docs_" + name.replace("/", "_") + ".jsonl")
        try:
            with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
                for doc_id, doc in evaluated(task, args):
                    file.write(json.dumps({"doc_id": doc_id, "doc": plain(dict(doc))}, ensure_ascii=False) + "\n")
        except Exception as error:  # A custom task may raise anything; its documents are an extra.
            event("notice", message=f"the documents of `{name}` cannot be read: {error!r}")


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


def wanted(arguments):
    with open(arguments[0], encoding="utf-8") as file:
        job = json.load(file)
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
    benchmarks, watch, known = wanted(arguments), Watch(), versions()
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
        if finish(benchmark, watch, evaluate(main, benchmark, watch), begin):
            event("finished", seconds=round(time.time() - STARTED, 3), poisoned=True)
            os._exit(POISONED)  # The teardown of a spoilt device may hang.
        wait_for_verdict(benchmark)
        watch.clear()
        tidy()
    event("finished", seconds=round(time.time() - STARTED, 3), poisoned=False)
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
