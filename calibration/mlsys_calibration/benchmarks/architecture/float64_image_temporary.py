"""``img / 255.0`` of a uint8 image is float64: every temporary of the normalisation is twice the size it need be."""

from __future__ import annotations

from mlsys_calibration.benchmark import Benchmark, Twins


def prepare(size: int) -> Twins:
    import numpy

    image = (numpy.arange(size * size * 3) % 251).astype(numpy.uint8).reshape(size, size, 3)
    mean, deviation = numpy.array([0.485, 0.456, 0.406]), numpy.array([0.229, 0.224, 0.225])
    mean32, deviation32 = mean.astype(numpy.float32), deviation.astype(numpy.float32)
    return Twins(
        slow=lambda: ((image / 255.0 - mean) / deviation).astype(numpy.float32),
        fast=lambda: (image.astype(numpy.float32) / 255.0 - mean32) / deviation32,
    )


BENCHMARK = Benchmark(
    id="float64-image-temporary",
    summary="an image normalised in float64 and cast, and cast first and normalised in float32",
    prepare=prepare,
    axis="pixels of a side",
    sizes=(224, 512, 1024),
    quick=(224, 512),
    typical=224,
    per="image",
    needs=("numpy",),
)
