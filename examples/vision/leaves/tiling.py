"""Large scans are classified tile by tile; neighbouring tiles are cross-faded where they overlap."""

import torch


def split(scan: torch.Tensor, size: int, overlap: int):
    step = size - overlap
    return [
        scan[..., top : top + size, left : left + size]
        for top in range(0, scan.shape[-2] - overlap, step)
        for left in range(0, scan.shape[-1] - overlap, step)
    ]


def crossfade(left: torch.Tensor, right: torch.Tensor, overlap: int) -> torch.Tensor:
    """Blends the right edge of one tile into the left edge of the next."""
    overlap = min(left.shape[-1], right.shape[-1], overlap)
    for column in range(overlap):
        weight = column / overlap
        right[:, :, :, column] = left[:, :, :, column - overlap] * (1 - weight) + right[:, :, :, column] * weight
    return right


def stitch(tiles, overlap: int) -> torch.Tensor:
    row = tiles[0]
    for tile in tiles[1:]:
        tile = crossfade(row, tile, overlap)
        row = torch.cat([row[..., :-overlap], tile], dim=-1)
    return row
