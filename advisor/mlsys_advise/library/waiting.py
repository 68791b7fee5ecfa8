"""What waits for a device and what keeps a thread busy, by library (state of the libraries: 2026-11)."""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Methods, of whatever object, that return when the work queued on the device is done, or that read a result back.
WAITING_METHODS: Final = _words(
    "item cpu tolist numpy synchronize block_until_ready nonzero elapsed_time generate all_gather_object "
    "wait masked_select bincount allclose equal is_nonzero asnumpy"
)
#: Functions of which the same holds. Tests of tensors are among them: their results are read at once.
WAITING_FUNCTIONS: Final = _words(
    "torch.cuda.synchronize torch.accelerator.synchronize torch.mps.synchronize torch.xpu.synchronize "
    "torch.npu.synchronize torch.save torch.distributed.barrier torch.nonzero torch.argwhere torch.masked_select "
    "torch.unique torch.equal torch.allclose torch.is_nonzero torch.isnan torch.isfinite torch.isinf "
    "torch.cuda.empty_cache jax.block_until_ready jax.device_get jax.effects_barrier"
)
#: Functions of a tensor whose result is as long as the values say; with one argument, `where` is among them.
MEASURING: Final = _words("torch.where torch.nonzero torch.argwhere torch.unique torch.bincount")
#: Functions that make a tensor of Python data, on the device that they are given.
CONVERTING: Final = _words("torch.tensor torch.as_tensor")
#: Methods whose result lives on an accelerator, and those whose result lives on the host.
ACCELERATING: Final = _words("cuda xpu npu")
ON_HOST: Final = _words("cpu numpy tolist item")
#: Builtin functions that read a tensor, where they are given one.
READING: Final = _words("builtins.float builtins.int builtins.bool builtins.print")
#: Effects of a function that say the same.
WAITS: Final = frozenset(f".{name}" for name in WAITING_METHODS) | WAITING_FUNCTIONS | READING
#: Kinds whose objects hand back host data when they are called, and so do their methods.
READS_BACK: Final = _words(
    "pipeline session llm yolo whisper sentence_encoder triton_client estimator metric ann_index"
)
#: Packages whose functions return without waiting for a device, unless a table above says otherwise.
QUIET: Final = _words(
    "builtins math time datetime os sys logging random collections itertools functools typing re json string copy "
    "warnings argparse pathlib dataclasses enum operator contextlib abc inspect traceback types gc torch einops tqdm "
    "struct hashlib base64 bisect heapq statistics shutil glob uuid textwrap weakref apex xformers flash_attn numpy "
    "jax jaxlib flax optax timeit"
)
#: Functions that make arrays: their work is nothing beside what is timed.
CREATING: Final = _words(
    "zeros ones full empty arange linspace eye array asarray zeros_like ones_like full_like key PRNGKey split fold_in"
)

#: Methods that compute for long, or wait for a network, on the thread that calls them, by kind of their object.
BLOCKING_METHODS: Final[dict[str, frozenset[str]]] = {
    "pretrained": _words("generate chat encode predict"),
    "module": _words("generate chat predict encode_image encode_text forward sample"),
    "keras_model": _words("predict predict_on_batch"),
    "pipeline": _words("predict"),
    "sentence_encoder": _words("encode predict rank"),
    "session": _words("run infer"),
    "yolo": _words("predict track val"),
    "whisper": _words("transcribe"),
    "llm": _words("generate chat encode create_chat_completion create_completion create_embedding embed"),
    "estimator": _words("predict predict_proba transform fit fit_transform"),
    "estimator_or_any": _words("predict predict_proba transform"),
    "ann_index": _words("search"),
    "triton_client": _words("infer"),
    "sdk_client": _words(
        "create generate text_generation chat_completion feature_extraction stream parse summarization"
    ),
    "vector_client": _words("search query_points query upsert retrieve insert scroll"),
    "db_client": _words(
        "get set mget hget hset incr expire search index find find_one insert_one insert_many update_one execute "
        "executemany commit lpop rpop lpush rpush blpop brpop"
    ),
    "cloud_client": _words(
        "put_object get_object head_object upload_file upload_fileobj download_file download_fileobj list_objects_v2 "
        "invoke invoke_model invoke_endpoint put_item get_item query scan publish send_message receive_message"
    ),
}
#: Kinds whose objects compute when they are called.
BLOCKING_CALLS: Final = _words("module pretrained pipeline yolo llm keras_model")
#: Functions that load a model.
LOADING_FUNCTIONS: Final = _words("torch.load joblib.load whisper.load_model torch.jit.load torch.hub.load")
#: Functions that read and decode a file, which takes as long as the file is large.
READING_FUNCTIONS: Final = _words("cv2.imread soundfile.read librosa.load pandas.read_csv pandas.read_parquet")
#: Functions that load or decode for long.
BLOCKING_FUNCTIONS: Final = LOADING_FUNCTIONS | READING_FUNCTIONS
#: What kinds are called in messages.
NOUNS: Final = {
    "pretrained": "model",
    "module": "model",
    "keras_model": "model",
    "sdk_client": "synchronous client",
    "vector_client": "synchronous client",
    "db_client": "synchronous client",
    "cloud_client": "synchronous client",
    "triton_client": "synchronous client",
    "ann_index": "index",
    "session": "inference session",
    "llm": "language model",
    "yolo": "model",
    "whisper": "model",
    "sentence_encoder": "encoder",
    "estimator": "estimator",
    "estimator_or_any": "estimator",
}
