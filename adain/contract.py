"""The contract of the model files: names of parts, inputs, outputs and metadata keys, and sizes.

Whatever makes, opens or checks an ONNX file of ours takes them from here, so that an input is
renamed in one place. Other people's programs know the same names (docs/onnx.md): with any of them,
`VERSION` changes.
"""

from collections.abc import Container, Iterable
from enum import StrEnum

# What inputs, outputs and metadata are; files of another number are refused.
VERSION = "3"

# The parts of a model, each a file of its own; WHOLE is the one for other people's programs.
ENCODER = "encoder"
DECODER = "decoder"
STYLE_NETWORK = "style"
WHOLE = "whole"
# The only file of a network of one style: the whole without a style, `adain specialise` makes it.
ONE_STYLE = "one-style"

# Inputs and outputs of the parts. A decoder takes what its encoder took and gave, by name, further
# features (skip connections) among it, whose names Key.SKIPS lists.
IMAGE = "image"  # float32 [N, 3, H, W], RGB in [0, 1]; sides are multiples of the stride
FEATURES = "features"  # [N, C, h, w]
STATISTICS = "statistics"  # float32 [N, 2C, 1, 1]: means, then standard deviations
STYLE = "style"  # float32 [N, K, 1, 1], or a map [N, K, h, w]
ALPHA = "alpha"  # float32 [N, 1, 1, 1], the strength in [0, 1], or a map [N, 1, h, w]
STRENGTH = "strength"  # the same for the pixels: float32 [N, 1, 1, 1], or a map [N, 1, H, W]
STYLIZED = "stylized"  # float32 [N, 3, H, W], RGB in [0, 1]

# Strengths below this blend the content's own pixels in, at 0 they are all there is: what a decoder
# makes of features of strength 0 is only like the content. Above, it is the network's picture.
FADE = 0.1

# What the names of weights end in that a file holds in half precision, behind a Cast.
IN_HALF = ".float16"

# Inputs and outputs of the whole.
WHOLE_CONTENT = "content"  # uint8 [N, H, W, 3]
WHOLE_STYLE = "style"  # uint8 [M, Hs, Ws, 3], M is 1 or N
WHOLE_ALPHA = "alpha"  # float32 [1] or [N]
WHOLE_STYLIZED = STYLIZED  # uint8 [N, H, W, 3]

# The sides of the smallest picture that a part takes: smaller ones are padded, the result is cut.
SMALLEST_SIDE = 16


class Key(StrEnum):
    """The keys of the metadata that every file holds; values are text."""

    MODEL = "model"
    VERSION = "version"  # of adain, which exported it
    CONTRACT = "contract"
    OPSET = "opset"
    STRIDE = "stride"  # what the sides of an image are multiples of
    FEATURE_STRIDE = "feature_stride"  # pixels of an image for each of the features, in a row
    MARGIN = "margin"  # features beyond the image's edge, on each side
    CHANNELS = "channels"
    STYLE_CHANNELS = "style_channels"  # K above
    SKIPS = "skips"  # names, separated by spaces
    FEATURES_PER_PIXEL = "features_per_pixel"
    STYLE_SPACE = "style_space"  # what the numbers of a style mean: see `Style.weights`
    WEIGHTS_SHA256 = "weights_sha256"
    TRAINING = "training"  # digest of the training data
    LICENCE = "licence"
    EXPORTER = "exporter"
    PART = "part"
    PRECISION = "precision"
    PAINTING = "painting"  # of a network of one style, its file's name; else absent
    SIZE = "size"  # of a file for one size of pictures: WIDTHxHEIGHT; else absent
    RANGES = "ranges"


def encoder_outputs(skips: Iterable[str]) -> tuple[str, ...]:
    """What an encoder with these skip connections gives, in order; its decoder takes all of it."""
    return (FEATURES, STATISTICS, *skips)


def style_source(parts: Container[str]) -> tuple[str, str]:
    """The part, and its output, that a model with these parts encodes styles with.

    Without a style network of its own, a model's style is the encoder's statistics.
    """
    return (STYLE_NETWORK, STYLE) if STYLE_NETWORK in parts else (ENCODER, STATISTICS)
