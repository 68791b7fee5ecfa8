"""What fetches files from other machines, by library (state of the libraries: 2026-11)."""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Functions that put a file from elsewhere on the disk of this machine.
DOWNLOADS: Final = _words(
    "urllib.request.urlretrieve torch.hub.download_url_to_file huggingface_hub.hf_hub_download "
    "huggingface_hub.snapshot_download huggingface_hub.cached_download transformers.utils.cached_file "
    "transformers.utils.hub.cached_file gdown.download gdown.cached_download gdown.download_folder wget.download "
    "timm.models.hub.download_cached_file torchvision.datasets.utils.download_url modelscope.snapshot_download "
    "modelscope.hub.snapshot_download.snapshot_download modelscope.model_file_download "
    "basicsr.utils.download_util.load_file_from_url facexlib.utils.misc.load_file_from_url "
    "basicsr.utils.download_util.download_file_from_google_drive iopath.common.file_io.PathManager.get_local_path"
)
#: Functions that answer with bytes of another machine: with a file that is written beside, they download.
REQUESTS: Final = _words("requests.get requests.request urllib.request.urlopen httpx.get httpx.stream")
