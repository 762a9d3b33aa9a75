"""What others published and this project fetches: where it lies, and how it is known for that."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Published:
    """A file of weights: its address, and the names that it or a copy may have here, best first.

    ``get`` says what brings it.

    ``digests`` are SHA-256 of the raw little-endian float32 bytes of its tensors, by name. The
    published file's own digest would say nothing about copies in other formats; the tensors' do.
    """

    url: str
    names: tuple[str, ...]
    get: str
    digests: Mapping[str, str] = field(default_factory=dict)


_RELEASE = "https://github.com/naoto0804/pytorch-AdaIN/releases/download/v0.0.0"
# The decoder released with the paper; `paper_decoder.json` knows it, rounded copies included.
PUBLISHED_DECODER = Published(
    f"{_RELEASE}/decoder.pth",
    ("paper-decoder.safetensors", "decoder.pth"),
    "`adain models get paper` gets it",
)
# The published encoder of the paper, as a widely used repository releases it. conv4_1.weight is
# left out: it may be a restored copy.
PUBLISHED_VGG19 = Published(
    f"{_RELEASE}/vgg_normalised.pth",
    ("vgg19.safetensors", "vgg_normalised.pth"),
    "`adain models get vgg19` gets it",
    {
        "preprocess.weight": "0d7cb8dce18001a6116ad8b5727fed25de2f0cb336103e483ed3abcf054c8b50",
        "preprocess.bias": "59e02b1ca1c5220f5177d16af977a6a39736527eb2c32262633769053cb6b1b3",
        "conv1_1.weight": "f21059c9bd43232f8dcb2c1eacbb50ea68c16c7ca989f000113d92240b2e5638",
        "conv1_1.bias": "7071f028080f62795d3b3627e445f6b3236d3513fd0377654494ce27ed6533e9",
        "conv1_2.weight": "7b627f3202fa5269e1fec4bafb2c57a217c53f1af47885fc6cca05e697f5da6d",
        "conv1_2.bias": "71d449704d8fd7566dc169e4525583a2ce6c9a232fb8b1afa2aceeee0e572986",
        "conv2_1.weight": "adfb6d4063990ddf46a634051a2ceac1f4f7ca016ff3a2d9cc09b1eb92dc01cd",
        "conv2_1.bias": "89a5b9b1e77f777acf038a43a6f247847715f4f25995d741dc159d01a85b2621",
        "conv2_2.weight": "b453c6086d5b33c1e306f7d5d94574915f3d8629f434021574671813e4a4f239",
        "conv2_2.bias": "07c58680a98fc21a82e3b47311e9505d1221cfdaa91e85afcc557aa12cdaa5d0",
        "conv3_1.weight": "668780f50516924760bc569a91bb70217cbd93b9142b9965f536e5de14a6fb16",
        "conv3_1.bias": "10ae7161ac8dda730efd9355cc7768d36fd572d5a1ecc620e766293c564c97a9",
        "conv3_2.weight": "3989d3dfef3b9cd9f4faad6d4b00b7d1c1f11cb427431e63ca363fae060a5bfe",
        "conv3_2.bias": "44230c8c483d197cd9b7e5d3bb037991f2f5f3dee67cfe533cab293ec9c26e41",
        "conv3_3.weight": "9238ec0e20576cdceea12c2d0d97b39190b17d161ba7eaa56ea601798dd8e78b",
        "conv3_3.bias": "a749ea8c71a12b9f6922233a3757fac71123442024c679cdcdfc433fdacc2afa",
        "conv3_4.weight": "79bb0b6bf88046ee8d13fa856a98b5c5eb02ce7bc142a831b601693892829e84",
        "conv3_4.bias": "a75035e1ef1f08230e9b70e3a46b58906925443a5288d87f5f07a5c44284a9d6",
        "conv4_1.bias": "644320780b12cfbe865922aa556328a6312ad8452b2ce4be40197821b6790957",
    },
)
