"""Roots of heat: places that frameworks run, with their context and frequency (state of the frameworks: 2026-11)."""

from __future__ import annotations

from mlsys_advise.heat import (
    DATA,
    EPOCH,
    EVALUATION,
    ITEM,
    ONCE,
    SERVING,
    SETUP,
    STEP,
    TEST,
    TRAINING,
)
from mlsys_advise.vocabulary import Root, Vocabulary


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_AIOHTTP = _names("get post put patch delete view add_get add_post add_put add_patch add_delete add_view")
_HTTP = _names("get post put patch head options route websocket middleware exception_handler")
_APPS = ("asgi_app", "wsgi_app", "aiohttp_app")

ROOTS = (
    # PyTorch
    Root("Dataset item", DATA, ITEM, base="dataset", methods=_names("__getitem__ __next__")),
    Root("Dataset iteration", DATA, ITEM, base="iterable_dataset", methods=_names("__iter__")),
    Root("Dataset batch", DATA, STEP, base="dataset", methods=_names("__getitems__")),
    Root("sampler", DATA, EPOCH, base="sampler", methods=_names("__iter__")),
    Root("forward pass", TRAINING | EVALUATION, STEP, base="module", methods=_names("forward")),
    Root("optimizer step", TRAINING, STEP, base="optimizer", methods=_names("step")),
    Root("autograd function", TRAINING, STEP, base="torch.autograd.Function", methods=_names("forward backward")),
    Root("collate function", DATA, STEP, callbacks=("torch.utils.data.DataLoader#collate_fn",)),
    Root("worker start", DATA, EPOCH, callbacks=("torch.utils.data.DataLoader#worker_init_fn",)),
    # Lightning
    Root(
        "Lightning training step",
        TRAINING,
        STEP,
        base="lightning_module",
        methods=_names(
            "training_step on_train_batch_start on_train_batch_end optimizer_step on_before_zero_grad "
            "on_before_backward on_after_backward lr_scheduler_step transfer_batch_to_device on_before_optimizer_step"
        ),
    ),
    Root(
        "Lightning evaluation step",
        EVALUATION,
        STEP,
        base="lightning_module",
        methods=_names(
            "validation_step test_step predict_step on_validation_batch_start on_validation_batch_end "
            "on_test_batch_end on_predict_batch_end"
        ),
    ),
    Root(
        "Lightning epoch",
        TRAINING,
        EPOCH,
        base="lightning_module",
        methods=_names("on_train_epoch_start on_train_epoch_end training_epoch_end train_dataloader"),
    ),
    Root(
        "Lightning evaluation epoch",
        EVALUATION,
        EPOCH,
        base="lightning_module",
        methods=_names("on_validation_epoch_end validation_epoch_end on_validation_epoch_start test_epoch_end"),
    ),
    Root(
        "Lightning set-up",
        SETUP,
        ONCE,
        base="lightning_module",
        methods=_names("setup configure_optimizers configure_model"),
    ),
    Root("Lightning set-up", SETUP, ONCE, base="lightning_datamodule", methods=_names("setup prepare_data")),
    Root(
        "Lightning callback",
        TRAINING,
        STEP,
        base="lightning_callback",
        methods=_names("on_train_batch_start on_train_batch_end on_before_backward on_after_backward"),
    ),
    Root(
        "Lightning callback",
        TRAINING,
        EPOCH,
        base="lightning_callback",
        methods=_names("on_train_epoch_start on_train_epoch_end"),
    ),
    # Hugging Face
    Root("Trainer step", TRAINING, STEP, base="hf_trainer", methods=_names("compute_loss training_step")),
    Root("Trainer evaluation step", EVALUATION, STEP, base="hf_trainer", methods=_names("prediction_step")),
    Root(
        "Trainer callback",
        TRAINING,
        STEP,
        base="hf_callback",
        methods=_names("on_step_begin on_step_end on_substep_end"),
    ),
    Root("Trainer callback", TRAINING, EPOCH, base="hf_callback", methods=_names("on_epoch_begin on_epoch_end")),
    Root("logits hook", EVALUATION, STEP, callbacks=("hf_trainer#preprocess_logits_for_metrics",)),
    Root("data collator", DATA, STEP, callbacks=("transformers.Trainer#data_collator", "hf_trainer#data_collator")),
    Root(
        "datasets.map function",
        DATA,
        ITEM,
        callbacks=("hf_dataset.map#0", "hf_dataset.filter#0", "hf_dataset.map#function"),
    ),
    Root("datasets transform", DATA, STEP, callbacks=("hf_dataset.set_transform#0", "hf_dataset.with_transform#0")),
    # web servers
    Root(
        "request handler",
        SERVING,
        STEP,
        decorators=tuple(f"{kind}.{name}" for kind in _APPS for name in _HTTP),
        callbacks=(
            "asgi_app.add_api_route#1",
            "asgi_app.add_route#1",
            "wsgi_app.add_url_rule#view_func",
            "fastapi.Depends#0",
            "asgi_app.add_api_websocket_route#1",
            "asgi_app.add_websocket_route#1",
            "wsgi_app.add_url_rule#2",
            "starlette.routing.Route#1",
            "starlette.routing.Route#endpoint",
            "starlette.routing.WebSocketRoute#1",
            *(f"{owner}.{name}#1" for owner in ("aiohttp.web", "aiohttp_router") for name in _AIOHTTP),
            "aiohttp_router.add_route#2",
            "aiohttp.web.route#2",
        ),
    ),
    Root("handler that deletes", SERVING, EPOCH, decorators=tuple(f"{kind}.delete" for kind in _APPS)),
    Root("background task", SERVING, STEP, callbacks=("background_tasks.add_task#0",)),
    Root("background task", SERVING, STEP, callbacks=("starlette.background.BackgroundTask#0",)),
    Root("middleware", SERVING, STEP, base="starlette.middleware.base.BaseHTTPMiddleware", methods=_names("dispatch")),
    Root(
        "request handler",
        SERVING,
        STEP,
        base="starlette.endpoints.HTTPEndpoint",
        methods=_names("get post put patch delete"),
    ),
    Root("request handler", SERVING, STEP, base="aiohttp.web.View", methods=_names("get post put patch delete")),
    Root("request handler", SERVING, STEP, decorators=tuple(f"litestar.{name}" for name in _HTTP)),
    Root("tool of an MCP server", SERVING, STEP, decorators=("mcp_server.tool",)),
    Root("request hook", SERVING, STEP, decorators=("wsgi_app.before_request", "wsgi_app.after_request")),
    Root(
        "start of the server",
        SETUP,
        ONCE,
        decorators=(
            "asgi_app.on_event",
            "asgi_app.before_serving",
            "asgi_app.listener",
            "asgi_app.before_server_start",
        ),
        callbacks=(
            "fastapi.FastAPI#lifespan",
            "starlette.applications.Starlette#lifespan",
            "asgi_app.add_event_handler#1",
        ),
    ),
    Root(
        "request handler",
        SERVING,
        STEP,
        base="http.server.BaseHTTPRequestHandler",
        methods=_names("do_GET do_POST do_PUT"),
    ),
    Root("request handler", SERVING, STEP, base="tornado.web.RequestHandler", methods=_names("get post put")),
    Root("request handler", SERVING, STEP, base="flask_restful.Resource", methods=_names("get post put")),
    Root("request handler", SERVING, STEP, base="flask.views.MethodView", methods=_names("get post put")),
    # model servers
    Root("Ray Serve handler", SERVING, STEP, base="@ray.serve.deployment", methods=_names("__call__")),
    Root("Ray Serve batch", SERVING, STEP, decorators=("ray.serve.batch",)),
    Root("BentoML API", SERVING, STEP, decorators=("bentoml.api", "bento_service.api")),
    Root(
        "TorchServe handler",
        SERVING,
        STEP,
        base="ts.torch_handler.base_handler.BaseHandler",
        methods=_names("preprocess inference postprocess handle"),
    ),
    Root(
        "TorchServe set-up", SETUP, ONCE, base="ts.torch_handler.base_handler.BaseHandler", methods=_names("initialize")
    ),
    Root(
        "KServe handler", SERVING, STEP, base="kserve.Model", methods=_names("preprocess predict postprocess explain")
    ),
    Root("KServe set-up", SETUP, ONCE, base="kserve.Model", methods=_names("load")),
    Root(
        "LitServe handler",
        SERVING,
        STEP,
        base="litserve.LitAPI",
        methods=_names("decode_request predict encode_response batch"),
    ),
    Root("LitServe set-up", SETUP, ONCE, base="litserve.LitAPI", methods=_names("setup")),
    Root("Cog handler", SERVING, STEP, base="cog.BasePredictor", methods=_names("predict")),
    Root("Cog set-up", SETUP, ONCE, base="cog.BasePredictor", methods=_names("setup")),
    Root("MLflow handler", SERVING, STEP, base="mlflow.pyfunc.PythonModel", methods=_names("predict")),
    Root("MLflow set-up", SETUP, ONCE, base="mlflow.pyfunc.PythonModel", methods=_names("load_context")),
    Root("Modal method", SERVING, STEP, decorators=("modal.method", "modal.web_endpoint", "modal.fastapi_endpoint")),
    Root("Modal set-up", SETUP, ONCE, decorators=("modal.enter", "modal.build")),
    Root(
        "Gradio handler",
        SERVING,
        STEP,
        callbacks=(
            "gradio.Interface#fn",
            "gradio.Interface#0",
            "gradio.ChatInterface#0",
            "gradio.ChatInterface#fn",
            "?.click#0",
            "?.click#fn",
            "?.submit#0",
            "?.submit#fn",
            "?.change#fn",
        ),
    ),
    Root("Django view", SERVING, STEP, callbacks=("django.urls.path#1", "django.urls.re_path#1")),
    Root("Chainlit handler", SERVING, STEP, decorators=("chainlit.on_message",)),
    Root("cached by Streamlit", SETUP, ONCE, decorators=("streamlit.cache_resource", "streamlit.cache_data")),
    Root("Celery task", SERVING, STEP, decorators=("celery_app.task", "celery.shared_task")),
    # data engines
    Root("Ray Data batch", DATA, STEP, callbacks=("?.map_batches#0",)),
    Root("Spark UDF", DATA, ITEM, decorators=("pyspark.sql.functions.udf",)),
    Root("pandas UDF", DATA, STEP, decorators=("pyspark.sql.functions.pandas_udf",)),
    # tests
    Root("fixture", TEST, ONCE, decorators=("pytest.fixture",)),
)

#: Triton's Python back end finds this class by its name.
TRITON_CLASS = "TritonPythonModel"
TRITON_STEP = "execute"

#: Method names by which gRPC servicers are recognised: classes whose base ends in "Servicer".
SERVICER = "Servicer"

HEAT_ROOTS = Vocabulary(roots=ROOTS)
