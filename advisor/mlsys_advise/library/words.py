"""Effects that interfaces record, method names too common to identify a receiver, and calls that have an identity."""

from __future__ import annotations

from mlsys_advise.library.averaging import AVERAGING
from mlsys_advise.library.downloads import DOWNLOADS, REQUESTS
from mlsys_advise.library.waiting import BLOCKING_FUNCTIONS, READING_FUNCTIONS, WAITS
from mlsys_advise.vocabulary import Vocabulary

#: Functions that open or decode a sample.
DECODES = frozenset(
    "PIL.Image.open cv2.imread cv2.imdecode torchvision.io.read_image torchvision.io.decode_image torchaudio.load "
    "librosa.load soundfile.read numpy.load imageio.imread skimage.io.imread decord.VideoReader h5py.File "
    "rasterio.open "
    "nibabel.load tifffile.imread torch.load pickle.load builtins.open cv2.VideoCapture torchvision.io.read_video "
    "scipy.io.wavfile.read numpy.fromfile numpy.memmap pandas.read_parquet".split()
)

EFFECTS = DECODES | (
    WAITS
    | BLOCKING_FUNCTIONS
    | DOWNLOADS
    | REQUESTS
    | AVERAGING
    | frozenset(
        # the training loop
        ".backward .step .zero_grad .set_epoch .train_batch .unscale_ .eval .no_sync .fit "
        # waits for the device
        ".item .cpu .tolist .numpy .synchronize .block_until_ready .nonzero .elapsed_time "
        "torch.cuda.synchronize torch.accelerator.synchronize torch.mps.synchronize torch.xpu.synchronize torch.save "
        "torch.distributed.barrier jax.block_until_ready jax.device_get torch.npu.synchronize "
        # the decoding loop
        "torch.cat torch.multinomial torch.argmax torch.topk .argmax .multinomial "
        # work for the device
        ".forward .generate .cuda .to "
        # serialisation
        "torch.save pickle.dump pickle.dumps joblib.dump dill.dump cloudpickle.dump numpy.save numpy.savez "
        ".save_pretrained "
        "pickle.Pickler torch.load pickle.load pickle.loads joblib.load dill.load cloudpickle.load "
        "torch.serialization.add_safe_globals torch.serialization.safe_globals "
        # processes, data, random numbers
        "torch.utils.data.get_worker_info torch.initial_seed torch.multiprocessing.spawn multiprocessing.Process "
        "multiprocessing.Pool torch.distributed.init_process_group multiprocessing.set_start_method "
        # garbage collection and compilers
        "gc.collect gc.freeze gc.disable torch.compile torch.jit.script torch.jit.trace jax.jit numba.njit "
        # authentication of bytes
        "hmac.compare_digest hmac.new hashlib.sha256 "
        "time.sleep asyncio.sleep".split()
    )
)

COMMON = frozenset(
    "append extend insert remove pop clear sort reverse index count add update get items keys values "
    "setdefault copy format join split strip lstrip rstrip startswith endswith replace lower upper "
    "encode decode find splitlines title view reshape permute transpose squeeze unsqueeze expand "
    "repeat flatten contiguous size dim detach clone float half long int bool double type sum mean "
    "max min abs exp log sqrt pow clamp softmax sigmoid relu tanh norm std var masked_fill scatter "
    "gather index_select chunk numel add_ mul_ copy_ fill_ zero_ normal_ uniform_ div_ sub_ expand_as "
    "view_as type_as new_zeros new_ones new_tensor to cuda cpu numpy item tolist requires_grad_ "
    "bfloat16 is_contiguous info warning error debug exception critical write read readline readlines "
    "close flush exists mkdir is_dir is_file parameters named_parameters state_dict load_state_dict "
    "modules children named_modules eval zero_grad backward astype ravel argmax argmin any all round "
    "dot plot show set_title set_xlabel set_ylabel legend add_argument register_buffer "
    "register_parameter add_module log_softmax matmul bmm mm t masked_select argsort topk cumsum "
    "set_description set_postfix union difference isdigit group groups match search sub finditer "
    "findall".split()
)

SITES = READING_FUNCTIONS | frozenset(
    {
        "torch.utils.data.DataLoader",
        "torch.utils.data.DistributedSampler",
        "torch.utils.data.random_split",
        "torch.utils.data.BatchSampler",
        "torch.utils.data.ConcatDataset",
        "torch.utils.data.ChainDataset",
        "torch.utils.data.Subset",
        "torchvision.transforms.Compose",
        "torchdata.stateful_dataloader.StatefulDataLoader",
        "torch_geometric.loader.DataLoader",
        "torch_geometric.loader.DataListLoader",
        "torch_geometric.loader.NeighborLoader",
        "monai.data.DataLoader",
        "accelerate.Accelerator",
        "lightning.fabric.Fabric",
        "lightning.pytorch.Trainer",
        "transformers.Trainer",
        "transformers.TrainingArguments",
        "transformers.Seq2SeqTrainingArguments",
        "numpy.random.RandomState",
        "random.Random",
        "torch.Generator",
        "torch.compile",
        "jax.jit",
        "torch.jit.script",
        "torch.jit.trace",
        "numpy.random.default_rng",
        "torch.hub.load",
        "torch.jit.load",
        "timm.create_model",
        "transformers.pipeline",
        "whisper.load_model",
        "torch.multiprocessing.spawn",
        "multiprocessing.spawn",
        "huggingface_hub.hf_hub_download",
        "huggingface_hub.snapshot_download",
        # files that are written, and models that are read from files
        "torch.save",
        "pickle.dump",
        "joblib.dump",
        "dill.dump",
        "cloudpickle.dump",
        "joblib.load",
        "pickle.load",
        "dill.load",
        "cloudpickle.load",
    }
)

WORDS = Vocabulary(effects=EFFECTS, common=COMMON, sites=SITES)
